//! The locale of this machine.

use std::fs;

/// Reports whether the locale of the machine is one of UTF-8. The daemon knows nothing else of the
/// terminal at the other end of a login. Without a configured locale, the answer is no.
#[must_use]
pub(crate) fn system_locale_is_utf8() -> bool {
    LOCALE_FILES
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .is_some_and(|text| parse_locale(&text))
}

fn parse_locale(text: &str) -> bool {
    let set = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
        lines
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

/// The locale files of systemd and of Debian.
const LOCALE_FILES: [&str; 2] = ["/etc/locale.conf", "/etc/default/locale"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_that_says_so_is_utf_8() {
        for (text, expected) in [
            ("LANG=C.UTF-8\n", true),
            ("# a comment\nLANG=\"en_US.utf8\"\n", true),
            ("LANG=C\n", false),
            ("LANG=de_DE.UTF-8\nLC_ALL=C\n", false),
            ("LANG=C\nLC_CTYPE='de_DE.UTF-8'\n", true),
            ("", false),
        ] {
            assert_eq!(parse_locale(text), expected, "{text:?}");
        }
    }
}
