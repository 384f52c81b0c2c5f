//! Logins that nobody sits behind, so that nobody could give a code. The guard lets them in without
//! a question: cron continues while the daemon does not run.

/// The PAM services of programs that start something for a user at a time or an event.
pub const UNATTENDED_SERVICES: [&str; 4] = ["atd", "cron", "crond", "systemd-user"];
/// The PAM services of su and runuser. Root becomes another user through them without a password.
pub const SERVICES_OF_SU: [&str; 4] = ["runuser", "runuser-l", "su", "su-l"];

/// Reports whether nobody sits behind a login through `service`, or root became another user.
/// `is_roots` says that the real user of the process is root. A program that is setuid has the user
/// who started it there.
#[must_use]
pub fn is_unattended(service: &str, is_roots: bool) -> bool {
    UNATTENDED_SERVICES.contains(&service) || (is_roots && SERVICES_OF_SU.contains(&service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sits_behind_cron_and_root_may_become_anybody() {
        for (service, for_users, for_root) in [
            ("cron", true, true),
            ("systemd-user", true, true),
            ("su", false, true),
            ("su-l", false, true),
            ("runuser", false, true),
            ("sshd", false, false),
            ("sudo", false, false),
            ("crontab", false, false),
            ("", false, false),
        ] {
            let found = [false, true].map(|is_roots| is_unattended(service, is_roots));
            assert_eq!(found, [for_users, for_root], "{service}");
        }
    }
}
