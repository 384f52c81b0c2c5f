//! What is said of a running trial.

use serde_json::{Map, Value};

use super::outcome::object;
use crate::host::local_time;
use crate::trial::denials;
use crate::trial::state::Trial;
use crate::trial::will_end;

/// What is known of a running trial.
pub(super) struct Progress {
    /// The services with a verb.
    subject: String,
    /// The local time of its end.
    end: String,
    /// True if something will revert it.
    will_end: bool,
    /// The attempts to log in that were denied, if the journal tells.
    denied: Option<u64>,
    /// The command that shows them, if this host has a journal.
    command: Option<String>,
}

impl Progress {
    pub(super) fn new(trial: &Trial) -> Self {
        Self {
            subject: trial.subject(),
            end: local_time::display_local_with_seconds(trial.ends),
            will_end: will_end(trial),
            denied: denials::count(trial),
            command: denials::command(trial),
        }
    }

    /// Returns lines of text.
    pub(super) fn text(&self) -> String {
        let Self { subject, end, denied, command, .. } = self;
        let state = match self.will_end {
            true => format!("{subject} being tried until {end}."),
            false => format!(
                "{subject} being tried, and nothing will revert it: its countdown has ended.\nTo revert it: totpctl \
                 try --undo"
            ),
        };
        let denied = match denied {
            Some(0) => "No attempt to log in was denied since it began.\n",
            Some(1) => "1 attempt to log in was denied since it began.\n",
            Some(denials::MOST) => &format!(
                "{} attempts to log in or more were denied since it began.\n",
                denials::MOST
            ),
            Some(count) => &format!("{count} attempts to log in were denied since it began.\n"),
            None => "",
        };
        let log = match command {
            _ if self.denied == Some(0) => String::new(),
            Some(command) => format!("To see denied logins: {command}\n"),
            None => "Denied logins are in the log of syslog, such as /var/log/auth.log.\n".into(),
        };
        format!("{state}\n{denied}{log}")
    }

    /// Adds what is known to the object of the trial.
    pub(super) fn json(&self, trial: &Trial) -> Map<String, Value> {
        let mut object = object(trial);
        object.insert("will_end".into(), self.will_end.into());
        object.insert("denied".into(), self.denied.into());
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_nothing_ends_says_how_to_end_it() {
        let progress = |will_end, denied| Progress {
            subject: "sshd is".into(),
            end: "2026-11-27 17:05:00".into(),
            will_end,
            denied,
            command: Some("journalctl -t totpd --since=@5".into()),
        };
        let text = progress(true, Some(0)).text();
        let expected = "sshd is being tried until 2026-11-27 17:05:00.\n\
                        No attempt to log in was denied since it began.\n";
        assert_eq!(text, expected);
        let text = progress(false, Some(3)).text();
        let expected = "sshd is being tried, and nothing will revert it: its countdown has ended.\n\
                        To revert it: totpctl try --undo\n\
                        3 attempts to log in were denied since it began.\n\
                        To see denied logins: journalctl -t totpd --since=@5\n";
        assert_eq!(text, expected);
        let most = progress(true, Some(denials::MOST)).text();
        assert!(most.contains("\n1000 attempts to log in or more were denied"), "{most}");
        let unknown = progress(true, None).text();
        assert!(unknown.ends_with(".\nTo see denied logins: journalctl -t totpd --since=@5\n"));
    }
}
