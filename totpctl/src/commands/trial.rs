//! `totpctl try`: a service asks for a code for a limited time. The change stays if a user logs in
//! with a code. Otherwise it is reverted.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use totpd_journal::escape::escape;

use super::enable::{keeps, password_alone};
use super::preflight::{Preflight, plan};
use super::sshd_lines;
use crate::cli::ModuleOptions;
use crate::error::Error;
use crate::host::local_time;
use crate::host::sshd;
use crate::host::sshd::question::supposes;
use crate::pam::change::{Change, current_options};
use crate::pam::files::cannot_enroll;
use crate::sshd_drop_in::change::DropIn;
use crate::sshd_drop_in::content::FILE;
use crate::terminal::output;
use crate::trial::lock::lock_exclusive;
use crate::trial::login_watch::Login;
use crate::trial::state::Trial;
use crate::trial::{commit_if_logged_in, count_down as wait, revert, start, watch};

/// Starts a trial, and waits for its end.
pub(super) fn run(
    service: &str,
    minutes: u16,
    options: &ModuleOptions,
    json: bool,
) -> Result<(), Error> {
    let changes = plan(service, options)?;
    if changes.is_empty() {
        // A file that is being tried looks configured, but is reverted later: the lock refuses
        // that.
        lock_exclusive()?;
        sshd_lines::refuse_alone(service, options)?;
        let kept = current_options(service);
        let keeps = keeps(service, &kept);
        output::note(&format!(
            "{service} is already configured; there is nothing to try, because a trial reverts only what totpctl \
             changes.{keeps} To test a line of your own, keep this session open and log in with a code {}. \
             docs/admin/install.md has a timer that reverts it.",
            how_to_log_in(service)
        ));
        return match json {
            true => {
                output::json(&json!({ "services": [service], "changed": false, "options": kept }))
            }
            false => Ok(()),
        };
    }
    check_seen(service, cannot_enroll(service))?;
    let drop_in = sshd_lines::offer(service, options, &changes, false)?;
    let preflight = Preflight::check(service, options, &changes)?;
    let time = Duration::from_secs(u64::from(minutes) * 60);
    let trial = start(&changes, drop_in.as_ref(), time)?;
    if !json {
        let of_sshd = drop_in.as_ref().map(DropIn::diff).unwrap_or_default();
        let of_pam: String = changes.iter().map(Change::diff).collect();
        output::data(&format!("{of_sshd}{of_pam}"))?;
    }
    let introduction = Introduction {
        end: &local_time::display_local(trial.ends).to_string(),
        sshd: trial.reload.as_ref().map(|reload| format!("{FILE} is written, and {reload}.")),
        login: &how_to_log_in(service),
        survives_reboot: is_reverted_at_boot(),
        users: preflight.sentences(),
    };
    output::note(&introduction.text());
    if !introduction.survives_reboot {
        output::note(NOT_REVERTED_AT_BOOT);
    }
    let trial =
        watch(&trial.id, &|login| output::note(&not_asked_message(login)))?.ok_or_else(|| {
            Error::refused(
                "cannot tell how the trial ended: its record is gone; run totpctl doctor",
            )
        })?;
    if json {
        let mut object = object(&trial);
        object.insert("shut_out".into(), json!(preflight.shut_out()));
        object.insert("uncounted".into(), json!(preflight.uncounted_sources()));
        output::json(&object.into())?;
    }
    match trial.kept_by {
        Some(_) => {
            output::note(&outcome(&trial));
            Ok(())
        }
        None => Err(Error::reported(outcome_and_danger(&trial))),
    }
}

/// What is said when a trial begins.
struct Introduction<'a> {
    /// The local time of its end.
    end: &'a str,
    /// What became of sshd, as a sentence.
    sshd: Option<String>,
    /// How to log in with a code.
    login: &'a str,
    /// True if the host reverts it at boot.
    survives_reboot: bool,
    /// Who can log in, as sentences.
    users: Vec<String>,
}

impl Introduction<'_> {
    /// Returns a list of short lines: what holds now, what to do next, and when it is reverted.
    fn text(&self) -> String {
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

/// Refuses a trial that no login could keep. `reason`: why the program never calls `pam_setcred`,
/// by which the module sees that the login succeeded.
fn check_seen(service: &str, reason: Option<&str>) -> Result<(), Error> {
    match reason {
        Some(reason) => Err(Error::refused(format!(
            "not changed: totpctl could not see a login through {service}, and would revert the change: {reason}; \
             run totpctl enable {service}, and test it before you leave this session"
        ))),
        None => Ok(()),
    }
}

/// Says that a login came in, and that it does not keep the change.
fn not_asked_message(Login { service, user }: &Login) -> String {
    let advice = match service.as_str() {
        "sshd" => "; a key is enough there: ssh -o PubkeyAuthentication=no asks for the code",
        _ => "",
    };
    format!(
        "{} logged in through {} without the code of an app, which does not keep the change{advice}.",
        escape(user),
        escape(service)
    )
}

/// Returns what to type for a login through a service.
fn how_to_log_in(service: &str) -> String {
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

/// Reports whether this machine reverts an interrupted trial at boot. The unit for systemd does it,
/// or the script for another init.
fn is_reverted_at_boot() -> bool {
    ["/run/systemd/system", "/etc/init.d/totpctl-try"].iter().any(|path| Path::new(path).exists())
}

/// Reverts the current trial, or only the trial with this id.
pub(super) fn undo(id: Option<&str>, json: bool) -> Result<(), Error> {
    let trial = revert(id)?;
    if json {
        let reverted = trial.as_ref().map_or(Value::Null, |trial| object(trial).into());
        return output::json(&json!({ "reverted": reverted }));
    }
    output::note(&match trial {
        Some(trial) => outcome_and_danger(&trial),
        None => "Nothing is being tried.".into(),
    });
    Ok(())
}

/// Waits, and ends the trial: keeps the change if a user logged in with a code, and reverts it
/// otherwise.
pub(super) fn count_down(seconds: u64, id: Option<&str>) -> Result<(), Error> {
    wait(Duration::from_secs(seconds), id);
    if id.is_some_and(commit_if_logged_in) {
        return Ok(());
    }
    undo(id, false)
}

/// Prints what is being tried, or was.
pub(super) fn state(json: bool) -> Result<(), Error> {
    let (pending, last) = (Trial::pending()?, Trial::last()?);
    if json {
        let json = |trial: Option<Trial>| {
            trial.as_ref().map_or(Value::Null, |trial| Value::from(object(trial)))
        };
        return output::json(&json!({ "pending": json(pending), "last": json(last) }));
    }
    let text = match (&pending, &last) {
        (Some(trial), _) => {
            format!(
                "{} being tried until {}.\n",
                trial.subject(),
                local_time::display_local(trial.ends)
            )
        }
        (None, Some(trial)) => format!("Nothing is being tried. {}\n", outcome(trial)),
        (None, None) => "Nothing is being tried, and nothing was tried before.\n".into(),
    };
    output::data(&text)
}

/// Says how a trial ended, and whether passwords alone now let users in by ssh.
fn outcome_and_danger(trial: &Trial) -> String {
    let is_reverted = trial.kept_by.is_none() && trial.services.iter().any(|name| name == "sshd");
    // What was supposed of sshd holds no more.
    match if is_reverted && !supposes() { password_alone() } else { None } {
        Some(sentence) => format!("{} {sentence}", outcome(trial)),
        None => outcome(trial),
    }
}

fn outcome(trial: &Trial) -> String {
    let services = trial.services.join(", ");
    let of_sshd = match (trial.reloads_sshd, &trial.reload) {
        (true, Some(reload)) => format!(" {FILE} is as before, and {reload}."),
        (true, None) => format!(" {FILE} is as before."),
        (false, _) => String::new(),
    };
    match (&trial.kept_by, &trial.failed) {
        (Some(user), _) => format!("{services}: the change is kept, {user} logged in with a code."),
        (None, Some(reason)) => {
            format!("{services}: reverted, the trial could not start: {reason}")
        }
        (None, None) => format!("{services}: reverted, nobody logged in with a code.{of_sshd}"),
    }
}

fn object(trial: &Trial) -> Map<String, Value> {
    Map::from_iter([
        ("services".to_owned(), json!(trial.services)),
        ("changed".to_owned(), trial.kept_by.is_some().into()),
        ("kept_by".to_owned(), json!(trial.kept_by)),
        ("failed".to_owned(), json!(trial.failed)),
        ("started".to_owned(), trial.started.into()),
        ("ends".to_owned(), trial.ends.into()),
    ])
}

const NOT_REVERTED_AT_BOOT: &str = "This machine does not revert the change if it reboots before that. Have it run \"totpctl try \
                                    --undo\" at boot (totpctl(1)), or do not reboot it before the trial ends.";

#[cfg(test)]
mod tests {
    use pam_stack::setcred_programs::never_sets_credentials;

    use crate::terminal::wrap::fit;

    use super::*;

    #[test]
    fn a_trial_that_no_login_could_keep_is_refused() {
        for (service, is_seen) in
            [("sshd", true), ("sudo", true), ("polkit-1", false), ("vlock", false)]
        {
            let checked = check_seen(service, never_sets_credentials(service));
            assert_eq!(checked.is_ok(), is_seen, "{service}");
            if let Err(error) = checked {
                assert!(error.to_string().ends_with("before you leave this session"), "{error}");
            }
        }
    }

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

    #[test]
    fn a_login_by_a_key_is_told_with_the_way_to_be_asked() {
        let told = |service: &str| {
            not_asked_message(&Login { service: service.into(), user: "al\u{1b}ice".into() })
        };
        assert!(told("sshd").contains("PubkeyAuthentication=no"), "{}", told("sshd"));
        assert!(
            told("su").starts_with("al\\u{1b}ice logged in through su without"),
            "{}",
            told("su")
        );
    }
}
