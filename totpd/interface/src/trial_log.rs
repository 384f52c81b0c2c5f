//! The log of logins during `totpctl try`: pam_totp writes it, and totpctl reads it.

/// The file of the log, in a folder that only root may enter. totpctl creates it.
pub const TRIAL_LOG: &str = "/run/totpctl/entered";

/// Returns the line for a login, without its end. There is none if a name has a control character,
/// which could forge a line.
#[must_use]
pub fn format_trial_login(service: &str, user: &str, ruser: &str) -> Option<String> {
    let is_plain = |text: &&str| !text.contains(char::is_control);
    let line = || [service, "\t", user, "\t", ruser].concat();
    [service, user, ruser].iter().all(is_plain).then(line)
}

/// Returns the service and the users of a line. For sudo, these are root or the target, and the
/// caller.
#[must_use]
pub fn parse_trial_login(line: &str) -> (&str, Vec<&str>) {
    let mut words = line.split('\t');
    let service = words.next().unwrap_or_default();
    (service, words.filter(|user| !user.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (service, user, ruser, users) in [
            ("sshd", "alice", "", &["alice"][..]),
            ("sudo", "root", "carol", &["root", "carol"]),
            ("login", "al ice", "", &["al ice"]),
        ] {
            let line = format_trial_login(service, user, ruser).unwrap();
            assert_eq!(parse_trial_login(&line), (service, users.to_vec()));
        }
        for (service, user, ruser) in
            [("a\nsshd", "b", ""), ("sshd", "a\tb", ""), ("sshd", "a", "\u{1b}"), ("", "\0", "")]
        {
            assert_eq!(format_trial_login(service, user, ruser), None, "{service:?} {user:?}");
        }
        assert_eq!(parse_trial_login("sshd"), ("sshd", Vec::new()));
    }
}
