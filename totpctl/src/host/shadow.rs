//! The passwords of the accounts of this host, as `/etc/shadow` has them.

use std::fs;

/// The text of `/etc/shadow`; empty for a process that may not read it.
pub(crate) struct Shadow(String);

/// What can be done with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    /// It can be typed.
    Set,
    /// It is empty, which sshd may accept (`PermitEmptyPasswords`).
    Empty,
    /// It never matches.
    Locked,
}

/// A user without a password: it never matches, or is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) name: String,
    pub(crate) is_empty: bool,
}

impl Shadow {
    /// Reads that of this host.
    pub(crate) fn of_host() -> Self {
        let text = fs::read("/etc/shadow").unwrap_or_default();
        Self(String::from_utf8_lossy(&text).into_owned())
    }

    /// Returns what can be done with the password of an account; `None` if it is not known.
    pub(crate) fn password_of(&self, name: &str) -> Option<Password> {
        self.entries().find(|(other, _)| *other == name).map(|(_, password)| password)
    }

    /// Returns the accounts whose password never matches.
    pub(crate) fn locked(&self) -> Vec<String> {
        let locked = self.entries().filter(|(_, password)| *password == Password::Locked);
        locked.map(|(name, _)| name.to_owned()).collect()
    }

    /// Returns this user, if it has no password. A user that is not known is not known to lack one.
    pub(crate) fn lacking(&self, name: &str) -> Option<Lacking> {
        let is_empty = match self.password_of(name)? {
            Password::Set => return None,
            password => password == Password::Empty,
        };
        Some(Lacking { name: name.to_owned(), is_empty })
    }

    fn entries(&self) -> impl Iterator<Item = (&str, Password)> {
        self.0.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, hash) = (fields.next()?, fields.next()?);
            let password = match hash {
                "" => Password::Empty,
                hash if hash.starts_with(['!', '*']) => Password::Locked,
                _ => Password::Set,
            };
            Some((name, password))
        })
    }
}

#[cfg(test)]
impl From<&str> for Shadow {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_never_matches_is_locked() {
        let shadow = Shadow::from(
            "toroot:*:1\nroot:!:1:0:9:7:::\nalice:$y$j9T$x:1::::::\nbob:*:1\ncarol::1\n\
             dave:!$y$x:1\nbroken\n",
        );
        for (name, expected) in [
            ("root", Some(Password::Locked)),
            ("alice", Some(Password::Set)),
            ("bob", Some(Password::Locked)),
            ("carol", Some(Password::Empty)),
            ("dave", Some(Password::Locked)),
            ("broken", None),
            ("nobody", None),
        ] {
            assert_eq!(shadow.password_of(name), expected, "{name}");
            let lacking = shadow.lacking(name).map(|found| found.is_empty);
            let is_lacking = expected.is_some_and(|password| password != Password::Set);
            assert_eq!(lacking, is_lacking.then_some(name == "carol"), "{name}");
        }
        assert_eq!(shadow.locked(), ["toroot", "root", "bob", "dave"]);
        assert_eq!(Shadow::from("").password_of("root"), None);
    }
}
