//! The log of logins during `totpctl try`: pam_totp writes it, and totpctl reads it.

/// The file of the log, in a folder that only root may enter. totpctl creates it.
pub const TRIAL_LOG: &str = "/run/totpctl/entered";

/// A line of the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrialEvent<'a> {
    /// The code of an app was right. Later lines of the stack may still refuse the login.
    Approved {
        /// The mark that this login carries from now on. It is random.
        mark: &'a str,
        /// The PAM service.
        service: &'a str,
        /// The owner of the code.
        user: &'a str,
    },
    /// The whole stack let a login in.
    Entered {
        /// The mark of the login, or nothing.
        mark: &'a str,
        /// The PAM service.
        service: &'a str,
        /// The user; for sudo root or the target.
        user: &'a str,
        /// Who asked for the login of another (sudo), or nothing.
        ruser: &'a str,
    },
}

impl<'a> TrialEvent<'a> {
    /// Returns the line, without its end. There is none if a text has a control character, which
    /// could forge a line.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let words = match *self {
            Self::Approved { mark, service, user } => [APPROVED, mark, service, user, ""],
            Self::Entered { mark, service, user, ruser } => [ENTERED, mark, service, user, ruser],
        };
        let is_plain = |text: &&str| !text.contains(char::is_control);
        words.iter().all(is_plain).then(|| words.join("\t"))
    }

    /// Reads a line.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split('\t');
        let mut next = || words.next();
        match (next()?, next()?, next()?, next()?, next()?) {
            (APPROVED, mark, service, user, _) => Some(Self::Approved { mark, service, user }),
            (ENTERED, mark, service, user, ruser) => {
                Some(Self::Entered { mark, service, user, ruser })
            }
            _ => None,
        }
    }
}

const APPROVED: &str = "approved";
const ENTERED: &str = "entered";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for event in [
            TrialEvent::Approved { mark: "1f", service: "sshd", user: "alice" },
            TrialEvent::Entered { mark: "1f", service: "sshd", user: "alice", ruser: "" },
            TrialEvent::Entered { mark: "", service: "sudo", user: "root", ruser: "carol" },
            TrialEvent::Entered { mark: "", service: "login", user: "al ice", ruser: "" },
        ] {
            let line = event.line().unwrap();
            assert_eq!(TrialEvent::parse(&line), Some(event), "{line}");
        }
        for (service, user, ruser) in
            [("a\nsshd", "b", ""), ("sshd", "a\tb", ""), ("sshd", "a", "\u{1b}"), ("", "\0", "")]
        {
            let event = TrialEvent::Entered { mark: "", service, user, ruser };
            assert_eq!(event.line(), None, "{service:?} {user:?}");
        }
        for line in ["", "sshd", "sshd\talice\t", "left\t\tsshd\talice\t"] {
            assert_eq!(TrialEvent::parse(line), None, "{line:?}");
        }
    }
}
