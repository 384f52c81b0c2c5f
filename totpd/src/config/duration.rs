//! Lengths of time as people write them: `30s`, `10m`, `8h`, `30d`.

use serde::{Deserialize, Deserializer, de};

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Duration(u64);

impl Duration {
    pub(crate) fn seconds(self) -> u64 {
        self.0
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self(0));
        }
        let unit = match text.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number = text.get(..text.len() - 1)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
        (seconds <= MAX_SECONDS).then_some(Self(seconds))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no length of time: write a number and a unit (\"30s\", \
                 \"10m\", \"8h\", \"30d\"), ten years at most"
            ))
        })
    }
}

/// Returns a length of time as people write it, in its greatest whole unit.
pub(crate) fn display_length(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    let unit = units.iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    let (unit, letter) = unit.copied().unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

const MAX_SECONDS: u64 = 10 * 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_shown_as_it_is_written() {
        for text in ["0s", "59s", "90s", "1m", "90m", "1h", "8h", "25h", "1d", "90d"] {
            let length = Duration::parse(text).map(Duration::seconds);
            assert_eq!(length.map(display_length).as_deref(), Some(text));
        }
    }

    #[test]
    fn only_a_number_and_a_unit_is_a_length_of_time() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30s", Some(30)),
            ("10m", Some(600)),
            ("8h", Some(28_800)),
            ("30d", Some(2_592_000)),
            ("", None),
            ("s", None),
            ("30", None),
            ("-30s", None),
            ("+30s", None),
            ("1.5h", None),
            ("30 s", None),
            ("30w", None),
            ("30€", None),
            ("99999999999999999999d", None),
            ("3661d", None),
        ] {
            assert_eq!(Duration::parse(text).map(Duration::seconds), seconds, "{text:?}");
        }
    }
}
