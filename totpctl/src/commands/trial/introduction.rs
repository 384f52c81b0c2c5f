//! What is said when a trial begins.

use crate::host::sshd;

/// What is said when a trial begins.
pub(super) struct Introduction<'a> {
    /// The local time of its end.
    pub(super) end: &'a str,
    /// What became of sshd, as a sentence.
    pub(super) sshd: Option<String>,
    /// How to log in with a code.
    pub(super) login: &'a str,
    /// True if the host reverts it at boot.
    pub(super) survives_reboot: bool,
    /// Who can log in, as sentences.
    pub(super) users: Vec<String>,
}

impl Introduction<'_> {
    /// Returns a list of short lines: what holds now, what to do next, and when it is reverted.
    pub(super) fn text(&self) -> String {
        let Self { end, login, .. } = self;
        let whatever_ends = match self.survives_reboot {
            true => "this terminal closes or the host reboots",
            false => "this terminal closes",
        };
        let next = [
            format!("To keep it, log in with a code {login}"),
            format!("Otherwise it is reverted at {end}, even if {whatever_ends}."),
            "To revert it at once: totpctl try --undo".to_owned(),
            "Ctrl-C ends only this display.".to_owned(),
        ];
        let sshd = self.sshd.as_ref().map(|sshd| format!(" {sshd}")).unwrap_or_default();
        let item = |line: &String| format!("  * {line}\n");
        let next: String = next.iter().map(item).collect();
        let users: String = self.users.iter().map(item).collect();
        format!("\nEnabled until {end}.{sshd}\n{next}\nWho can log in:\n{users}")
    }
}

/// Returns what to type for a login through a service.
pub(super) fn how_to_log_in(service: &str) -> String {
    match service {
        "sshd" => how_to_log_in_by_ssh(
            sshd::requires_other_method(service) == Some(true),
            sshd::unusual_port().as_deref(),
        ),
        "sudo" => "in another terminal: sudo -k true".into(),
        "su" => "in another terminal, not as root: su - USER".into(),
        "login" => "at another console".into(),
        other => format!("through {other} from another terminal"),
    }
}

fn how_to_log_in_by_ssh(requires_key: bool, port: Option<&str>) -> String {
    // A login by a key alone asks for no code.
    let (key, option) = match requires_key {
        true => ("with your key", ""),
        false => ("without a key", "-o PubkeyAuthentication=no "),
    };
    let port = port.map(|port| format!("-p {port} ")).unwrap_or_default();
    format!("from another terminal, {key}: ssh {option}{port}USER@localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::wrap::fit;

    #[test]
    fn a_trial_begins_with_short_lines_that_fit_the_terminal() {
        let introduction = |survives_reboot| Introduction {
            end: "2026-11-27 17:05:00",
            sshd: Some("The file is written.".into()),
            login: "in another terminal: sudo -k true",
            survives_reboot,
            users: vec!["1 user is enrolled.".into(), "Note: root cannot log in.".into()],
        };
        let expected = "
Enabled until 2026-11-27 17:05:00. The file is
written.
  * To keep it, log in with a code in another
    terminal: sudo -k true
  * Otherwise it is reverted at 2026-11-27
    17:05:00, even if this terminal closes or the
    host reboots.
  * To revert it at once: totpctl try --undo
  * Ctrl-C ends only this display.

Who can log in:
  * 1 user is enrolled.
  * Note: root cannot log in.
";
        assert_eq!(fit(&introduction(true).text(), 50), expected);
        assert!(!introduction(false).text().contains("reboots"));
    }

    #[test]
    fn the_command_for_a_login_has_the_port() {
        for (requires_key, port, expected) in [
            (false, None, "without a key: ssh -o PubkeyAuthentication=no USER@localhost"),
            (false, Some("2222"), "a key: ssh -o PubkeyAuthentication=no -p 2222 USER@localhost"),
            (true, Some("2222"), "with your key: ssh -p 2222 USER@localhost"),
            (true, None, "with your key: ssh USER@localhost"),
        ] {
            let told = how_to_log_in_by_ssh(requires_key, port);
            assert!(told.ends_with(expected), "{told}");
        }
    }
}
