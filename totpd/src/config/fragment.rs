//! The content that one configuration file may have. No key is required, and an unknown key is
//! refused.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;
use totpd_core::code;
use totpd_core::factor::{MAX_SKEW, PERIOD};
use totpd_core::otp::Algorithm;

use crate::config::advice;
use crate::config::duration::Duration;
use crate::config::error::ConfigError;
use crate::config::rule::RuleTable;
use crate::config::rule_list::RuleList;
use crate::config::setting_lines::{SettingLines, line};

/// The content of one file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fragment {
    pub(crate) enrollment: Enrollment,
    pub(crate) verify: Verify,
    pub(crate) throttle: Throttle,
    remember: Later,
    policy: Later,
    pub(crate) store: Store,
    rule: Vec<Spanned<RuleTable>>,
    #[serde(skip)]
    pub(crate) rules: RuleList,
    #[serde(skip)]
    pub(crate) throttle_lines: SettingLines,
}

/// The table `[enrollment]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Enrollment {
    /// The text before the account in a phone app. `%h` is the host name.
    #[serde(deserialize_with = "issuer")]
    pub(crate) issuer: Option<String>,
    /// The flag that users may enroll themselves.
    pub(crate) self_service: Option<bool>,
    /// The hash: `SHA1`, `SHA256` or `SHA512`.
    pub(crate) algorithm: Option<Algorithm>,
    /// The decimal digits of a code.
    #[serde(deserialize_with = "digits")]
    pub(crate) digits: Option<u8>,
    /// The seconds in a time step.
    #[serde(deserialize_with = "period")]
    pub(crate) period: Option<u32>,
    /// The time that a factor may wait for its first code.
    #[serde(deserialize_with = "lifetime")]
    pub(crate) unverified_lifetime: Option<Duration>,
    /// The number of verified factors that a user may have.
    #[serde(deserialize_with = "max_factors")]
    pub(crate) max_factors: Option<usize>,
    /// The number of recovery codes that a user gets.
    #[serde(deserialize_with = "recovery_codes")]
    pub(crate) recovery_codes: Option<u32>,
}

/// The table `[verify]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Verify {
    /// The number of accepted time steps on either side.
    #[serde(deserialize_with = "skew")]
    pub(crate) skew: Option<u64>,
}

/// The table `[throttle]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Throttle {
    /// The number of wrong codes before the wait starts.
    #[serde(deserialize_with = "failures")]
    pub(crate) free_failures: Option<u32>,
    /// The first wait.
    #[serde(deserialize_with = "wait")]
    pub(crate) first_wait: Option<Duration>,
    /// The longest wait.
    #[serde(deserialize_with = "wait")]
    pub(crate) longest_wait: Option<Duration>,
    /// The number of wrong codes in a row before strangers are shut out.
    #[serde(deserialize_with = "failures")]
    pub(crate) lock_after: Option<u32>,
    /// The time that an address stays known after its last success.
    pub(crate) known_source: Option<Duration>,
}

/// The table `[store]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Store {
    #[serde(rename = "backend", deserialize_with = "backend")]
    _backend: (),
    /// The flag that a login may be answered before the disk has it.
    pub(crate) mark: Option<bool>,
}

/// A table of the contract of which this version knows no key yet.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {}

impl Fragment {
    /// Reads the text of one file. `path` is for the error.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let fragment: Self = toml::from_str(text).map_err(|error| {
            let line = line(text, error.span().map_or(0, |span| span.start));
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let key = written.split_once('=');
            let key = key.map(|(key, _)| format!("{}: ", key.trim())).unwrap_or_default();
            let message = format!("{key}{}", advice::message(error.message(), written));
            ConfigError::Content { path: path.to_path_buf(), line, message }
        })?;
        let (rule, throttle_lines) = (fragment.rule, SettingLines::find(path, text));
        let rules = RuleList::new(path, text, rule)?;
        Ok(Self { throttle_lines, rules, rule: Vec::new(), ..fragment })
    }

    /// Returns the content of `later`, and the content of this file for keys that `later` lacks.
    pub(crate) fn overridden_by(self, later: Self) -> Self {
        let (a, b) = (self.enrollment, later.enrollment);
        let enrollment = Enrollment {
            issuer: b.issuer.or(a.issuer),
            self_service: b.self_service.or(a.self_service),
            algorithm: b.algorithm.or(a.algorithm),
            digits: b.digits.or(a.digits),
            period: b.period.or(a.period),
            unverified_lifetime: b.unverified_lifetime.or(a.unverified_lifetime),
            max_factors: b.max_factors.or(a.max_factors),
            recovery_codes: b.recovery_codes.or(a.recovery_codes),
        };
        let verify = Verify { skew: later.verify.skew.or(self.verify.skew) };
        let (a, b) = (self.throttle, later.throttle);
        let throttle = Throttle {
            free_failures: b.free_failures.or(a.free_failures),
            first_wait: b.first_wait.or(a.first_wait),
            longest_wait: b.longest_wait.or(a.longest_wait),
            lock_after: b.lock_after.or(a.lock_after),
            known_source: b.known_source.or(a.known_source),
        };
        let throttle_lines = self.throttle_lines.overridden_by(later.throttle_lines);
        let store = Store { mark: later.store.mark.or(self.store.mark), _backend: () };
        let rules = self.rules.followed_by(later.rules);
        Self { enrollment, verify, throttle, store, throttle_lines, rules, ..later }
    }
}

fn within<'de, T, D>(deserializer: D, range: &RangeInclusive<T>) -> Result<Option<T>, D::Error>
where
    T: Copy + Deserialize<'de> + fmt::Display + TryFrom<i64> + PartialOrd,
    D: Deserializer<'de>,
{
    let number = i64::deserialize(deserializer)?;
    match T::try_from(number) {
        Ok(value) if range.contains(&value) => Ok(Some(value)),
        _ => {
            let (start, end) = (range.start(), range.end());
            Err(de::Error::custom(format!("{number} is not in {start} to {end}")))
        }
    }
}

fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    within(deserializer, &code::DIGITS)
}

fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within(deserializer, &PERIOD)
}

fn max_factors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    // Each factor is another chance for a guesser.
    Ok(within(deserializer, &(1..=16_u32))?.map(|most| most as usize))
}

fn recovery_codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within(deserializer, &(0..=100))
}

fn skew<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    // RFC 6238 section 5.2 recommends one step. Ten steps are five minutes.
    Ok(within(deserializer, &(0..=MAX_SKEW))?.map(u64::from))
}

fn failures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    // NIST SP 800-63B-4 allows at most 100 in a row.
    within(deserializer, &(1..=100))
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration_within(deserializer, &(60..=86_400), "\"1m\" to \"1d\"")
}

fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration_within(deserializer, &(1..=86_400), "\"1s\" to \"1d\"")
}

fn duration_within<'de, D: Deserializer<'de>>(
    deserializer: D,
    seconds: &RangeInclusive<u64>,
    words: &str,
) -> Result<Option<Duration>, D::Error> {
    let value = Duration::deserialize(deserializer)?;
    if seconds.contains(&value.seconds()) {
        return Ok(Some(value));
    }
    Err(de::Error::custom(format!("{} seconds is not in {words}", value.seconds())))
}

fn issuer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    totpd_formats::export::check_label(&text).map_err(de::Error::custom)?;
    Ok(Some(text))
}

fn backend<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "local" => Ok(()),
        "etcd" => Err(de::Error::custom("\"etcd\" is not in this version: write \"local\"")),
        other => {
            Err(de::Error::custom(format!("{other:?} is an unknown backend; write \"local\"")))
        }
    }
}
