//! The values of the keys of a rule.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de};
use totpd_core::policy::{
    Burst, Deadline, GroupName, OneOf, PlacePattern, Remember, RuleName, ServicePattern,
    UserPattern,
};
use totpd_core::verification::{Method, Methods};
use totpd_interface::login::Method as MethodWord;

use crate::config::duration::Duration;

/// The value of `then`, without the limits of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Require,
    Skip,
    Deny,
    EnrollBy(Deadline),
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match (text.as_str(), text.strip_prefix("enroll-by ")) {
            ("require", _) => Ok(Self::Require),
            ("skip", _) => Ok(Self::Skip),
            ("deny", _) => Ok(Self::Deny),
            (_, Some(date)) => {
                let date = deadline(date, &TimeZone::system());
                date.map(Self::EnrollBy)
                    .map_err(|fault| de::Error::custom(format!("{text:?}: {fault}")))
            }
            _ => Err(de::Error::custom(format!(
                "{text:?} is no outcome; write \"require\", \"skip\", \"deny\" or \"enroll-by 2027-01-15\""
            ))),
        }
    }
}

/// Reads a day, which begins at midnight in the time zone of this machine, or a time of RFC 3339.
fn deadline(text: &str, zone: &TimeZone) -> Result<Deadline, &'static str> {
    let expected = "write a day (2027-01-15) or a time with its offset (2027-01-15T18:00:00+01:00)";
    let is_day = text.len() == DAY_BYTES;
    let time = match is_day {
        true => {
            let day: Date = text.parse().map_err(|_| expected)?;
            day.to_zoned(zone.clone()).map_err(|_| expected)?.timestamp()
        }
        // jiff also reads names of zones in brackets, which are not in RFC 3339.
        false if text.contains('[') => return Err(expected),
        false => text.parse::<Timestamp>().map_err(|_| expected)?,
    };
    u64::try_from(time.as_second()).map(Deadline).map_err(|_| "it is before 1970")
}

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RuleName, D::Error> {
    let text = String::deserialize(deserializer)?;
    RuleName::parse(&text).ok_or_else(|| {
        let fault = "it is no name: write 1 to 64 characters, without control characters";
        de::Error::custom(format!("{text:?}: {fault}"))
    })
}

pub(super) fn group<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GroupName, D::Error> {
    let text = String::deserialize(deserializer)?;
    GroupName::parse(&text)
        .ok_or_else(|| de::Error::custom(format!("{text:?}: no group can have that name")))
}

pub(super) fn users<'de, D>(deserializer: D) -> Result<Option<OneOf<UserPattern>>, D::Error>
where
    D: Deserializer<'de>,
{
    list(deserializer, |text| UserPattern::parse(text).map_err(|fault| fault.to_string()))
}

pub(super) fn services<'de, D>(deserializer: D) -> Result<Option<OneOf<ServicePattern>>, D::Error>
where
    D: Deserializer<'de>,
{
    list(deserializer, |text| ServicePattern::parse(text).map_err(|fault| fault.to_string()))
}

pub(super) fn places<'de, D>(deserializer: D) -> Result<Option<OneOf<PlacePattern>>, D::Error>
where
    D: Deserializer<'de>,
{
    list(deserializer, |text| match PlacePattern::parse(text) {
        Ok(PlacePattern::Seat) => Err("\"seat\" is not in this version; remove it".into()),
        parsed => parsed.map_err(|fault| too_long_prefix(text).unwrap_or(fault.to_string())),
    })
}

/// Returns what is wrong with a network whose prefix has more bits than its address.
fn too_long_prefix(text: &str) -> Option<String> {
    let (address, prefix) = text.split_once('/')?;
    let most = if address.parse::<IpAddr>().ok()?.is_ipv4() { 32 } else { 128 };
    let prefix: u32 = prefix.parse().ok()?;
    (prefix > most).then(|| format!("the prefix is at most {most}; write \"{address}/{most}\""))
}

pub(super) fn methods<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Methods>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| match MethodWord::parse(text) {
        Some(MethodWord::Hotp) => Ok(Method::Hotp),
        Some(MethodWord::Recovery) => Ok(Method::Recovery),
        Some(MethodWord::Totp) => Ok(Method::Totp),
        None => Err(de::Error::custom(format!(
            "{text:?} is no method; write \"totp\", \"hotp\" or \"recovery\""
        ))),
    };
    let methods = texts.iter().map(parse).collect::<Result<Vec<_>, D::Error>>()?;
    Methods::of(&methods).map(Some).ok_or_else(|| de::Error::custom(EMPTY))
}

pub(super) fn remember<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Remember>, D::Error> {
    length(deserializer, Remember::new, "a login is remembered for \"1m\" to \"90d\"")
}

pub(super) fn burst<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Burst>, D::Error> {
    length(deserializer, Burst::new, "a burst lasts \"1s\" to \"5m\"")
}

/// Reads a length of time. `range` says which ones there are.
fn length<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    new: impl Fn(u64) -> Option<T>,
    range: &str,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let length = Duration::parse(&text).and_then(|length| new(length.seconds()));
    length.map(Some).ok_or_else(|| {
        de::Error::custom(format!("{text:?}: {range}; write another length, or remove the key"))
    })
}

fn list<'de, D, T>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<OneOf<T>>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| {
        parse(text).map_err(|fault| de::Error::custom(format!("{text:?}: {fault}")))
    };
    let entries = texts.iter().map(parse).collect::<Result<Vec<_>, D::Error>>()?;
    OneOf::new(entries).map(Some).ok_or_else(|| de::Error::custom(EMPTY))
}

const EMPTY: &str = "the list is empty; remove the key, or name something";
/// The bytes of a day such as `2027-01-15`.
const DAY_BYTES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight_and_a_time_has_an_offset() {
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        for (text, seconds) in [
            ("2027-01-15", Some(1_799_967_600)),
            ("2027-01-15T00:00:00Z", Some(1_799_971_200)),
            ("2027-01-15T01:00:00+01:00", Some(1_799_971_200)),
            ("1999-01-01", Some(915_145_200)),
            ("2027-01-15T00:00:00", None),
            ("2027-02-29", None),
            ("2027-1-15", None),
            ("15.01.2027", None),
            ("tomorrow", None),
            ("", None),
            ("1969-01-01", None),
            ("2027-01-15T00:00:00+01:00[Europe/Berlin]", None),
        ] {
            let read = deadline(text, &berlin).ok().map(|deadline| deadline.0);
            assert_eq!(read, seconds, "{text:?}");
        }
    }
}
