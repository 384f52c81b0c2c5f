//! The state file of pam_google_authenticator: a seed, options, scratch codes.
//!
//! ```text
//! 4WFFIA3MY7GZIRNRB2CCDC664M
//! " RATE_LIMIT 3 30 1764200000
//! " DISALLOW_REUSE 58806666 58806667
//! " TOTP_AUTH
//! 93240982
//! ```
//!
//! The module reads it by its own rules, which its documentation does not have: the first of two
//! options counts, and the list of scratch codes ends at the first line that is neither.

use std::collections::BTreeSet;

use totpd_core::factor::MAX_RESYNC_SECS;
use totpd_core::otp::time_step;

use crate::import::base32;
use crate::readers::draft::{ClockDrift, Draft, SeedBytes, number, short};
use crate::readers::text;
use crate::reading::{Change, Entry, Place, Reason, Refusal, Rules, ScratchCode};

/// Reads the file of one user.
pub(super) fn read(
    bytes: &[u8],
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    let draft = draft(text.as_str(), rules);
    sink(draft.into_entry(Place::File));
    Ok(())
}

fn draft(text: &str, rules: &Rules) -> Draft {
    let first = text.lines().next().unwrap_or_default();
    let mut draft = Draft::new("totp", seed(first));
    let options = Options(text);
    if let Err(reason) = read_options(&mut draft, &options, rules) {
        draft.seed = Err(reason);
    }
    draft.changes.extend(options.left());
    draft.scratch_codes = scratch_codes(text);
    draft
}

fn read_options(draft: &mut Draft, options: &Options<'_>, rules: &Rules) -> Result<(), Reason> {
    let window = match options.value("WINDOW_SIZE") {
        None => 3,
        Some(text) => in_range(text, 1..=100).ok_or_else(|| malformed("WINDOW_SIZE"))?,
    };
    let counter = options.value("HOTP_COUNTER");
    let next = match counter {
        None => 0,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            number(text).ok_or(Reason::CounterTooLarge)?
        }
        Some(_) => return Err(malformed("HOTP_COUNTER")),
    };
    if next > 0 {
        "hotp".clone_into(&mut draft.kind);
        draft.counter = Some(next.to_string());
        draft.ahead = window.saturating_sub(1);
        return Ok(());
    }
    if !options.has_totp() {
        return Err(Reason::NoCodes);
    }
    let period = match options.value("STEP_SIZE") {
        None => 30,
        Some(text) => in_range(text, 1..=60).ok_or_else(|| Reason::Period(short(text)))?,
    };
    draft.period = Some(period.to_string());
    // The window leans to the future if its size is even.
    draft.ahead = window / 2;
    let skew = match options.value("TIME_SKEW") {
        None => 0,
        Some(text) => text.parse::<i64>().map_err(|_| malformed("TIME_SKEW"))?,
    };
    draft.drift = ClockDrift::Steps(skew);
    match options.value("DISALLOW_REUSE") {
        None => draft.changes.push(Change::UsedCodesUnknown),
        Some(list) => {
            let steps = list.split([' ', '\t']).filter(|text| !text.is_empty());
            let steps = steps.map(number).collect::<Option<Vec<_>>>();
            let steps = steps.ok_or_else(|| malformed("DISALLOW_REUSE"))?;
            let latest = latest_step(rules.now, period);
            let (used, future): (Vec<_>, Vec<_>) = steps.iter().partition(|step| **step <= latest);
            draft.last_accepted = used.into_iter().max();
            if !future.is_empty() {
                draft.changes.push(Change::FutureCodesLeft(future.len() as u64));
            }
        }
    }
    Ok(())
}

/// Returns the latest step that a phone can have used by now. The file is its owner's: a step of
/// years to come would shut out the owner until then, which the module itself does not do.
fn latest_step(now: u64, period: u64) -> u64 {
    let period = u32::try_from(period).unwrap_or(30);
    time_step(now.saturating_add(2 * MAX_RESYNC_SECS), period)
}

/// The options of a file.
struct Options<'a>(&'a str);

impl<'a> Options<'a> {
    /// Returns the value of an option: of the first one, as the module reads it.
    fn value(&self, key: &str) -> Option<&'a str> {
        self.all().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The module looks for this text anywhere.
    fn has_totp(&self) -> bool {
        self.0.contains("\" TOTP_AUTH")
    }

    fn all(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(['\r', '\n']).filter_map(|line| {
            let option = line.strip_prefix("\" ")?;
            let (key, value) = option.split_once([' ', '\t']).unwrap_or((option, ""));
            Some((key, value.trim_matches([' ', '\t'])))
        })
    }

    /// Returns what has no counterpart here.
    fn left(&self) -> Vec<Change> {
        let mut seen = BTreeSet::new();
        let left = self.all().filter_map(|(key, value)| {
            let is_second = !seen.insert(key);
            match key {
                _ if is_second => Some(format!("a second {}", short(key))),
                "DISALLOW_REUSE" | "HOTP_COUNTER" | "STEP_SIZE" | "TIME_SKEW" | "TOTP_AUTH" => None,
                "WINDOW_SIZE" if value == "3" => None,
                _ => Some(short(key)),
            }
        });
        left.take(MAX_LEFT).map(Change::SettingLeft).collect()
    }
}

/// Decodes the seed as the module does: it takes 0, 1 and 8 for the letters that they look like,
/// and no padding.
fn seed(line: &str) -> SeedBytes {
    let letters = line.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '-'));
    let mut text = zeroize::Zeroizing::new(String::with_capacity(line.len()));
    text.extend(letters.map(|c| match c {
        '0' => 'O',
        '1' => 'L',
        '8' => 'B',
        other => other,
    }));
    if text.is_empty() {
        return Err(Reason::NoSeed);
    }
    if text.contains('=') {
        return Err(Reason::SeedUnreadable("it has =, which the module refuses".to_owned()));
    }
    base32::decode(&text).map_err(|error| Reason::SeedUnreadable(error.to_string()))
}

fn scratch_codes(text: &str) -> Vec<ScratchCode> {
    let lines = text.lines().skip(1).flat_map(|line| line.split('\r'));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('"'));
    lines.map_while(ScratchCode::parse).take(MAX_SCRATCH_CODES).collect()
}

fn in_range(text: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    number(text).filter(|value| range.contains(value))
}

fn malformed(option: &str) -> Reason {
    Reason::Malformed(format!("its {option} has no value that the module takes"))
}

/// The program makes at most 10; people add some by hand.
const MAX_SCRATCH_CODES: usize = 100;
const MAX_LEFT: usize = 20;

#[cfg(test)]
mod tests {
    use totpd_core::factor::Kind;

    use super::*;
    use crate::readers::tests::{factor_of, left_of};
    use crate::reading::Format;

    const NOW: u64 = 1_764_200_010;

    fn factor(text: &str) -> crate::reading::ImportedFactor {
        factor_of(Format::GoogleAuthenticator, text.as_bytes(), &Rules::at(NOW))
    }

    fn left(text: &str) -> Reason {
        left_of(Format::GoogleAuthenticator, text.as_bytes(), &Rules::at(NOW))
    }

    /// Made from the grammar that the source of the module has.
    const FULL: &str = "4WFFIA3MY7GZIRNRB2CCDC664M\n\
        \" RATE_LIMIT 3 30 1764200000\n\
        \" WINDOW_SIZE 17\n\
        \" DISALLOW_REUSE 58806666 58806667\n\
        \" TIME_SKEW -2\n\
        \" RESETTING_TIME_SKEW 58806660+3\n\
        \" LAST0 host.example 1764100000\n\
        \" TOTP_AUTH\n\
        93240982\n\
        77665544\n";

    #[test]
    fn a_file_with_everything_is_read() {
        let factor = factor(FULL);
        assert_eq!(factor.kind, Kind::Totp { period: 30 });
        assert_eq!(&*factor.seed.base32(), "4WFFIA3MY7GZIRNRB2CCDC664M");
        assert_eq!((factor.last_accepted, factor.drift, factor.ahead), (Some(58_806_667), -2, 8));
        let codes: Vec<_> = factor.scratch_codes.iter().map(ScratchCode::digits).collect();
        assert_eq!(codes, ["93240982", "77665544"]);
        let told: Vec<_> = factor.changes.iter().map(ToString::to_string).collect();
        for part in
            ["RATE_LIMIT", "WINDOW_SIZE", "RESETTING", "LAST0", "2 time steps behind", "2 scratch"]
        {
            assert!(told.iter().any(|told| told.contains(part)), "{part}: {told:?}");
        }
        assert_eq!(told.len(), 6);
    }

    #[test]
    fn a_counter_wins_over_the_clock() {
        let hotp = factor(
            "4WFFIA3MY7GZIRNRB2CCDC664M\n\" TOTP_AUTH\n\" HOTP_COUNTER 42\n\" WINDOW_SIZE 17\n",
        );
        assert_eq!((hotp.kind, hotp.last_accepted, hotp.ahead), (Kind::Hotp, Some(41), 16));
        let totp = factor("4WFFIA3MY7GZIRNRB2CCDC664M\n\" TOTP_AUTH\n\" HOTP_COUNTER 0\n");
        assert_eq!(totp.kind, Kind::Totp { period: 30 });
        assert_eq!(totp.changes, [Change::UsedCodesUnknown]);
    }

    #[test]
    fn the_module_s_own_leniency_is_kept() {
        for text in [
            "4wff-ia3m y7gz irnr\tb2cc dc664m\r\n\" TOTP_AUTH\r\n\" STEP_SIZE\t60\r\n\" STEP_SIZE 30\r\n",
            "\u{feff}4WFFIA3MY7GZ1RNRB2CCDC664M\n\" STEP_SIZE 60\nx \" TOTP_AUTH\n",
            "4WFF IA3MY7GZIRNR82CCDC664M\n\" STEP_SIZE 60\n\" TOTP_AUTH",
        ] {
            let factor = factor(text);
            assert_eq!(factor.kind, Kind::Totp { period: 60 }, "{text}");
            assert_eq!(factor.seed.bytes().len(), 16);
        }
    }

    #[test]
    fn scratch_codes_end_at_the_first_other_line() {
        let text = "4WFFIA3MY7GZIRNRB2CCDC664M\n\" TOTP_AUTH\n12345678\n\" LAST0 x 1\n\n23456789\n1234567\n34567890\n";
        let codes = factor(text).scratch_codes.len();
        assert_eq!(codes, 2);
    }

    #[test]
    fn a_step_of_years_to_come_is_left() {
        let text =
            "4WFFIA3MY7GZIRNRB2CCDC664M\n\" TOTP_AUTH\n\" DISALLOW_REUSE 58806667 99999999999\n";
        let factor = factor(text);
        assert_eq!(factor.last_accepted, Some(58_806_667));
        assert_eq!(factor.changes, [Change::FutureCodesLeft(1)]);
    }

    #[test]
    fn what_the_module_refuses_is_left() {
        let with = |option: &str| {
            left(&format!("4WFFIA3MY7GZIRNRB2CCDC664M\n\" TOTP_AUTH\n\" {option}\n"))
        };
        assert_eq!(left("4WFFIA3MY7GZIRNRB2CCDC664M\n12345678\n"), Reason::NoCodes);
        assert_eq!(left("\n\" TOTP_AUTH\n"), Reason::NoSeed);
        assert!(matches!(left("4WFFIA3MY7GZI===\n\" TOTP_AUTH\n"), Reason::SeedUnreadable(_)));
        assert!(matches!(left("4WFF!\n\" TOTP_AUTH\n"), Reason::SeedUnreadable(_)));
        assert_eq!(left("4WFFIA3MY7GZIRN\n\" TOTP_AUTH\n"), Reason::SeedTooShort(72));
        assert_eq!(with("STEP_SIZE 0"), Reason::Period("0".to_owned()));
        assert_eq!(with("STEP_SIZE 10"), Reason::Period("10".to_owned()));
        assert_eq!(with("HOTP_COUNTER 9223372036854775809"), Reason::CounterTooLarge);
        assert_eq!(with("HOTP_COUNTER 99999999999999999999"), Reason::CounterTooLarge);
        assert_eq!(with("TIME_SKEW 1400"), Reason::ClockTooFar(42_000));
        for option in
            ["WINDOW_SIZE 0", "WINDOW_SIZE x", "HOTP_COUNTER -1", "DISALLOW_REUSE x", "TIME_SKEW x"]
        {
            assert!(matches!(with(option), Reason::Malformed(_)), "{option}");
        }
    }
}
