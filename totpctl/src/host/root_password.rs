//! Whether root has a password at the console of this host.

use std::fs;

/// Whether root has a password at the console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RootPassword {
    /// It can be typed.
    Usable,
    /// It can never match.
    Locked,
    /// This process may not read it, or there is none to read.
    NotSeen,
}

impl RootPassword {
    /// Returns that of this host.
    pub(crate) fn of_host() -> Self {
        Self::from_shadow(fs::read_to_string("/etc/shadow").ok().as_deref())
    }

    /// Reads the text of shadow.
    fn from_shadow(shadow: Option<&str>) -> Self {
        let mut lines = shadow.unwrap_or_default().lines();
        match lines.find_map(|line| line.strip_prefix("root:")) {
            Some(rest) if rest.starts_with(['!', '*']) => Self::Locked,
            Some(_) => Self::Usable,
            None => Self::NotSeen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_password_that_never_matches_is_locked() {
        for (shadow, expected) in [
            (Some("root:*:19000:0:99999:7:::\n"), RootPassword::Locked),
            (Some("bin:*:1::::::\nroot:!$y$j9T$x:19000:0:99999:7:::\n"), RootPassword::Locked),
            (Some("root:$y$j9T$x$y:19000:0:99999:7:::\n"), RootPassword::Usable),
            (Some("root::19000:0:99999:7:::\n"), RootPassword::Usable),
            (Some("toroot:*:1::::::\n"), RootPassword::NotSeen),
            (Some(""), RootPassword::NotSeen),
            (None, RootPassword::NotSeen),
        ] {
            assert_eq!(RootPassword::from_shadow(shadow), expected, "{shadow:?}");
        }
    }
}
