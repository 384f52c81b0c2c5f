//! `totpctl try`: a service asks for a code for some minutes, and goes on to if somebody logs in by it.
//! Else all is as it was before.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::preflight::check_before_asking;
use crate::error::Error;
use crate::pam::change::{Change, plan_enable};
use crate::terminal::output;
use crate::trial::exclusive::lock_exclusive;
use crate::trial::state::Trial;
use crate::trial::{commit_if_logged_in, count_down as wait, start, undo as put_back, watch};

/// Tries it.
pub(super) fn run(
    service: &str,
    minutes: u16,
    options: Option<&[String]>,
    json: bool,
) -> Result<(), Error> {
    let changes = plan_enable(service, options)?;
    if changes.is_empty() {
        // What is being tried is no change that stays.
        lock_exclusive()?;
        output::note(&format!("{service} is as it was asked to be: there is nothing to try."));
        return match json {
            true => output::json(&json!({ "service": service, "changed": false })),
            false => Ok(()),
        };
    }
    check_before_asking(service, options.unwrap_or_default(), &changes)?;
    let trial = start(&changes, Duration::from_secs(u64::from(minutes) * 60))?;
    if !json {
        output::data(&changes.iter().map(Change::diff).collect::<String>())?;
    }
    output::note(&format!(
        "This holds now. Log in anew through {service}, from another terminal and with a code, and it \
         stays.\nOtherwise all is as before at {}, whatever becomes of this terminal.\n\
         Ctrl-C ends no more than this display; \"totpctl try --undo\" puts it back at once.",
        output::time(trial.ends)
    ));
    if !is_reverted_at_boot() {
        output::note(NOT_REVERTED_AT_BOOT);
    }
    let trial = watch(&trial.id)?.ok_or_else(|| Error::refused("how it ended is not known"))?;
    if json {
        output::json(&object(&trial))?;
    }
    match trial.kept_by {
        Some(_) => {
            output::note(&outcome(&trial));
            Ok(())
        }
        None => Err(Error::refused(outcome(&trial))),
    }
}

/// Whether something of this machine puts back what a reboot cuts short: systemd by our unit, or another init by our
/// script.
fn is_reverted_at_boot() -> bool {
    ["/run/systemd/system", "/etc/init.d/totpctl-try"].iter().any(|path| Path::new(path).exists())
}

/// Puts back what is being tried, or what `of` names; nothing if it is over.
pub(super) fn undo(of: Option<&str>) -> Result<(), Error> {
    output::note(&match put_back(of)? {
        Some(trial) => outcome(&trial),
        None => "Nothing is being tried.".into(),
    });
    Ok(())
}

/// Waits, and ends what is being tried: it is kept if somebody logged in by it, and put back if not.
pub(super) fn count_down(seconds: u64, of: Option<&str>) -> Result<(), Error> {
    wait(Duration::from_secs(seconds));
    if of.is_some_and(commit_if_logged_in) {
        return Ok(());
    }
    undo(of)
}

/// Says what is being tried, or was.
pub(super) fn state(json: bool) -> Result<(), Error> {
    let (pending, last) = (Trial::pending()?, Trial::last()?);
    if json {
        let told = |trial: Option<Trial>| trial.as_ref().map_or(Value::Null, object);
        return output::json(&json!({ "pending": told(pending), "last": told(last) }));
    }
    let text = match (&pending, &last) {
        (Some(trial), _) => format!(
            "{} is being tried until {}.\n",
            trial.services.join(", "),
            output::time(trial.ends)
        ),
        (None, Some(trial)) => format!("Nothing is being tried. {}\n", outcome(trial)),
        (None, None) => "Nothing is being tried, and nothing was.\n".into(),
    };
    output::data(&text)
}

fn outcome(trial: &Trial) -> String {
    let services = trial.services.join(", ");
    match (&trial.kept_by, &trial.failed) {
        (Some(user), _) => format!("{services}: the change is kept, since {user} logged in by it."),
        (None, Some(why)) => {
            format!("{services}: all is as before, since it was never tried: {why}")
        }
        (None, None) => {
            format!("{services}: all is as before, since nobody logged in with a code.")
        }
    }
}

fn object(trial: &Trial) -> Value {
    json!({
        "services": trial.services, "changed": trial.kept_by.is_some(), "kept_by": trial.kept_by,
        "failed": trial.failed, "started": trial.started, "ends": trial.ends,
    })
}

const NOT_REVERTED_AT_BOOT: &str = "Nothing here puts it back if the machine is started anew before that: have it run \"totpctl try --undo\" \
                          when it starts (totpctl(1)), or do not restart it meanwhile.";
