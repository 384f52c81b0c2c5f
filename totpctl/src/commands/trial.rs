//! `totpctl try`: a service asks for a code for a limited time. The change stays if a user logs in
//! with a code. Otherwise it is reverted.

mod introduction;
mod outcome;
mod progress;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use totpd_journal::escape::escape;

use self::introduction::{Introduction, how_to_log_in};
use self::outcome::{object, outcome_and_danger, outcome_and_edits};
use self::progress::Progress;
use super::enable::{self, keeps};
use super::preflight::{Preflight, plan};
use super::sshd_lines;
use crate::cli::{DEFAULT_MINUTES, ModuleOptions};
use crate::client::{Client, details};
use crate::error::Error;
use crate::findings::rules::in_force::RulesInForce;
use crate::host::local_time;
use crate::pam::change::{Change, current_options};
use crate::pam::files::{self, cannot_enroll};
use crate::pam::stale_plan::check_current;
use crate::pam::unenrolled_users::{Outcome, Unenrolled};
use crate::sshd_drop_in::content::FILE;
use crate::terminal::output;
use crate::trial::lock::lock_exclusive;
use crate::trial::login_watch::Login;
use crate::trial::state::Trial;
use crate::trial::{Watched, commit_if_logged_in, count_down as wait, revert, start, watch};

/// Starts a trial, and waits for its end.
pub(super) fn run(
    service: &str,
    minutes: u16,
    options: &ModuleOptions,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let typed = options.typed(&command(minutes), service);
    let name = |error: Error| error.with_message(|text| sshd_lines::name_typed(&text, &typed));
    let changes = plan(service, options).map_err(name)?;
    let check_plan = || check_current(&changes, &plan(service, options).map_err(name)?);
    if changes.is_empty() {
        // A file that is being tried looks configured, but is reverted later: the lock refuses
        // that.
        let lock = lock_exclusive()?;
        check_plan()?;
        drop(lock);
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
    let offer = sshd_lines::offer(service, options, &changes, dry_run, &typed).map_err(name)?;
    let drop_in = offer.drop_in.as_ref();
    let preflight = Preflight::check(service, options, &changes).map_err(name)?;
    if dry_run {
        return enable::show_planned(service, &changes, drop_in, &preflight, json);
    }
    let time = Duration::from_secs(u64::from(minutes) * 60);
    let trial = start(&changes, drop_in, time, &|| {
        check_plan()?;
        offer.check_current(service, options, &changes)
    })?;
    if !json {
        let of_sshd = sshd_lines::diff(drop_in);
        let of_pam: String = changes.iter().map(Change::diff).collect();
        output::data(&format!("{of_sshd}{of_pam}"))?;
    }
    let introduction = Introduction {
        end: &local_time::display_local_with_seconds(trial.ends),
        sshd: trial.reload.as_ref().map(|reload| format!("{FILE} is written, and {reload}.")),
        login: &how_to_log_in(service),
        survives_reboot: is_reverted_at_boot(),
        users: preflight
            .sentences()
            .iter()
            .map(|sentence| sshd_lines::name_typed(sentence, &typed))
            .collect(),
    };
    output::note(&introduction.text());
    if !introduction.survives_reboot {
        output::note(NOT_REVERTED_AT_BOOT);
    }
    let report = |login: &Login| output::note(&not_asked_message(login, &Cause::of(login)));
    let report_error = |error: &Error| output::note(&not_kept_message(error));
    let trial = match watch(&trial.id, &report, &report_error)? {
        Watched::Ended(trial) => trial,
        Watched::Endless(trial) => return Err(Error::refused(endless_message(&trial.subject()))),
        Watched::Lost => return Err(Error::refused(LOST)),
    };
    if json {
        let mut object = object(&trial);
        object.insert("shut_out".into(), json!(preflight.shut_out()));
        object.insert("uncounted".into(), json!(preflight.uncounted_sources()));
        output::json(&object.into())?;
    }
    match trial.kept_by {
        Some(_) => {
            output::note(&outcome_and_edits(&trial));
            Ok(())
        }
        None => Err(Error::reported(outcome_and_danger(&trial))),
    }
}

/// Returns the command with its own options, as it was typed.
fn command(minutes: u16) -> String {
    match minutes {
        DEFAULT_MINUTES => "try".into(),
        minutes => format!("try --minutes {minutes}"),
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

/// Says that a login came in, that it does not keep the change, and why it may have needed no code.
fn not_asked_message(Login { service, user }: &Login, cause: &Cause) -> String {
    let (user, service) = (escape(user), escape(service));
    let by_key = "ssh -o PubkeyAuthentication=no asks for the code";
    let advice = match cause {
        Cause::Rule(rules) => {
            let rules = rules.join(", ");
            format!("; a rule may let it by ({rules}): see totpctl explain {user} {service}")
        }
        Cause::NoFactor => {
            format!("; it has no factor, and nullok lets it by: totpctl enroll {user}")
        }
        Cause::Unknown if service == "sshd" => format!("; a key is enough there: {by_key}"),
        Cause::Unknown => String::new(),
    };
    format!(
        "{user} logged in through {service} without the code of an app, which does not keep the change{advice}."
    )
}

/// Why a login may have needed no code.
enum Cause {
    /// Rules let somebody by at the service.
    Rule(Vec<String>),
    /// The user has no factor, and `nullok` lets such users by.
    NoFactor,
    Unknown,
}

impl Cause {
    /// Asks the daemon.
    fn of(Login { service, user }: &Login) -> Self {
        let Ok(client) = Client::connect() else { return Self::Unknown };
        let rules = RulesInForce::read(&client, &[service.as_str()]).unwrap_or_default();
        let lets_by = rules.at(service).lets_by;
        if !lets_by.is_empty() {
            return Self::Rule(lets_by);
        }
        let outcome = Outcome::from_service(service, &files::read, &files::is_installed);
        let is_skipped = outcome.is_some_and(|outcome| outcome.unenrolled == Unenrolled::Skipped);
        match client.manager(async |totpd| totpd.get_user(user).await) {
            Ok(state) if is_skipped && !details::flag(&details::object(&state), "enrolled") => {
                Self::NoFactor
            }
            _ => Self::Unknown,
        }
    }
}

/// Says that nothing will end a trial. `subject`: its services and a verb.
fn endless_message(subject: &str) -> String {
    format!(
        "{subject} still being tried, and nothing will revert it: its countdown has ended. A login no longer keeps          it. To revert it: totpctl try --undo"
    )
}

/// Says that a login should keep the change, and that it is not kept yet.
fn not_kept_message(error: &Error) -> String {
    format!(
        "A login does not keep the change yet: {error}. totpctl tries it again until the trial ends."
    )
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
        output::json(&json!({ "reverted": reverted }))?;
    }
    match trial {
        Some(trial) if trial.warning.is_some() => Err(Error::reported(outcome_and_danger(&trial))),
        _ if json => Ok(()),
        Some(trial) => {
            output::note(&outcome_and_danger(&trial));
            Ok(())
        }
        None => {
            output::note("Nothing is being tried.");
            Ok(())
        }
    }
}

/// Waits, and ends the trial: keeps the change if a user logged in with a code, and reverts it
/// otherwise.
pub(super) fn count_down(seconds: u64, id: Option<&str>) -> Result<(), Error> {
    wait(Duration::from_secs(seconds), id);
    match id.map_or(Ok(false), commit_if_logged_in) {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        // The files are restored all the same.
        Err(error) => output::note(&format!("A login does not keep the change: {error}.")),
    }
    undo(id, false)
}

/// Prints what is being tried, or was.
pub(super) fn state(json: bool) -> Result<(), Error> {
    let (pending, last) = (Trial::pending()?, Trial::last()?);
    if json {
        let pending =
            pending.map_or(Value::Null, |trial| Progress::new(&trial).json(&trial).into());
        let last = last.map_or(Value::Null, |trial| object(&trial).into());
        return output::json(&json!({ "pending": pending, "last": last }));
    }
    let text = match (&pending, &last) {
        (Some(trial), _) => Progress::new(trial).text(),
        (None, Some(trial)) => format!("Nothing is being tried. {}\n", outcome_and_edits(trial)),
        (None, None) => "Nothing is being tried, and nothing was tried before.\n".into(),
    };
    output::lines(&text)
}

const LOST: &str = "cannot tell how the trial ended: its record is gone; run totpctl doctor";
const NOT_REVERTED_AT_BOOT: &str = "This machine does not revert the change if it reboots before that. Have it run \"totpctl try \
                                    --undo\" at boot (totpctl(1)), or do not reboot it before the trial ends.";

#[cfg(test)]
mod tests {
    use pam_stack::setcred_programs::never_sets_credentials;

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
    fn a_login_by_a_key_is_told_with_the_way_to_be_asked() {
        let told = |service: &str, cause: &Cause| {
            let login = Login { service: service.into(), user: "al\u{1b}ice".into() };
            not_asked_message(&login, cause)
        };
        let of_key = told("sshd", &Cause::Unknown);
        assert!(of_key.contains("PubkeyAuthentication=no"), "{of_key}");
        let of_su = told("su", &Cause::Unknown);
        assert!(of_su.starts_with("al\\u{1b}ice logged in through su without"), "{of_su}");
        // A key is not blamed for what a rule does, or a missing factor.
        let of_rule = told("sshd", &Cause::Rule(vec!["office".into()]));
        assert!(of_rule.contains("let it by (office)") && !of_rule.contains("key"), "{of_rule}");
        let of_user = told("sshd", &Cause::NoFactor);
        assert!(of_user.contains("no factor") && !of_user.contains("key"), "{of_user}");
    }
}
