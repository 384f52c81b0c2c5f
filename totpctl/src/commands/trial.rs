//! `totpctl try`: a service asks for a code for some minutes, and goes on to if somebody logs in by it.
//! Else all is as it was before.

use std::fs;
use std::path::Path;
use std::process::id;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use self::record::{Alone, Trial, Tried};
use super::enable::must_be_able_to_ask;
use crate::failure::Failure;
use crate::output;
use crate::pam_change::{Change, beside, cannot, enabling, sync_folder, write_like};

mod countdown;
mod ending;
mod entered;
mod record;

/// Tries it.
pub(super) fn run(
    service: &str,
    minutes: u16,
    options: Option<&[String]>,
    json: bool,
) -> Result<(), Failure> {
    let changes = enabling(service, options)?;
    if changes.is_empty() {
        // What is being tried is no change that stays.
        alone()?;
        output::note(&format!("{service} is as it was asked to be: there is nothing to try."));
        return match json {
            true => output::json(&json!({ "service": service, "changed": false })),
            false => Ok(()),
        };
    }
    must_be_able_to_ask(service, options.unwrap_or_default(), &changes)?;
    let time = Duration::from_secs(u64::from(minutes) * 60);
    let trial = start(&changes, time)?;
    if !json {
        output::data(&changes.iter().map(Change::diff).collect::<String>())?;
    }
    output::note(&format!(
        "This holds now. Log in anew through {service}, from another terminal and with a code, and it \
         stays.\nOtherwise all is as before at {}, whatever becomes of this terminal.\n\
         Ctrl-C ends no more than this display; \"totpctl try --undo\" puts it back at once.",
        output::time(trial.ends)
    ));
    if !is_put_back_at_a_start() {
        output::note(AT_A_START);
    }
    watch(&trial.id, json)
}

/// Whether something of this machine puts back what a reboot cuts short: systemd by our unit, or another init by our
/// script.
fn is_put_back_at_a_start() -> bool {
    ["/run/systemd/system", "/etc/init.d/totpctl-try"].iter().any(|path| Path::new(path).exists())
}

/// Puts back what is being tried, or what `of` names; nothing if it is over.
pub(super) fn undo(of: Option<&str>) -> Result<(), Failure> {
    let _alone = Alone::wait()?;
    let Some(trial) = Trial::pending()?.filter(|trial| of.is_none_or(|of| of == trial.id)) else {
        output::note("Nothing is being tried.");
        return Ok(());
    };
    ending::end(&trial)?;
    countdown::stop(&trial);
    output::note(&outcome(&trial));
    Ok(())
}

/// Waits, and ends what is being tried: it is kept if somebody logged in by it, and put back if not.
pub(super) fn count_down(seconds: u64, of: Option<&str>) -> Result<(), Failure> {
    countdown::wait(Duration::from_secs(seconds));
    if of.is_some_and(kept) {
        return Ok(());
    }
    undo(of)
}

/// Keeps what is being tried, if somebody has logged in by it. Whatever cannot be found out keeps nothing.
fn kept(id: &str) -> bool {
    let keep = || -> Result<bool, Failure> {
        let is_it = |trial: &Trial| trial.id == id && trial.kept_by.is_none();
        let Some(trial) = Trial::pending()?.filter(is_it) else { return Ok(false) };
        let Some(user) = entered::by_a_code(&trial) else { return Ok(false) };
        let _alone = Alone::wait()?;
        let Some(mut trial) = Trial::pending()?.filter(is_it) else { return Ok(false) };
        trial.kept_by = Some(user);
        trial.save()?;
        ending::end(&trial)?;
        countdown::stop(&trial);
        Ok(true)
    };
    keep().unwrap_or(false)
}

/// Says what is being tried, or was.
pub(super) fn state(json: bool) -> Result<(), Failure> {
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

/// A change that is being tried.
pub(super) struct Pending {
    /// The services, in a sentence.
    pub(super) services: String,
    /// When it ends or should have ended.
    pub(super) ends: String,
    /// Whether it should have ended.
    pub(super) is_stale: bool,
}

/// What is being tried; nothing if that cannot be found out.
pub(super) fn pending() -> Option<Pending> {
    let trial = Trial::pending().ok()??;
    Some(Pending {
        services: trial.services.join(", "),
        ends: output::time(trial.ends),
        is_stale: trial.is_stale(&boot(), now()),
    })
}

/// Nobody else changes a stack meanwhile, and nothing is being tried.
pub(super) fn alone() -> Result<Alone, Failure> {
    let alone = Alone::now()?;
    match Trial::pending()? {
        None => Ok(alone),
        Some(trial) => Err(Failure::refused(format!(
            "{} is being tried until {}: log in by it, or put it back with totpctl try --undo",
            trial.services.join(", "),
            output::time(trial.ends)
        ))),
    }
}

/// From what is written down to what holds: whenever this is cut short, [`ending::end`] finds its way back.
fn start(changes: &[Change], time: Duration) -> Result<Trial, Failure> {
    let _alone = alone()?;
    changes.iter().try_for_each(Change::still_fits)?;
    let mut files = Vec::with_capacity(changes.len());
    for change in changes {
        let existed = fs::exists(&change.path).map_err(|error| cannot(&change.path, &error))?;
        files.push(Tried { path: change.path.clone(), existed, text: change.after.clone() });
    }
    let started = now();
    let mut trial = Trial {
        id: format!("{started}-{}", id()),
        services: changes.iter().map(|change| change.service.clone()).collect(),
        files,
        started,
        ends: started.saturating_add(time.as_secs()),
        boot: boot(),
        kept_by: None,
        failed: None,
    };
    trial.save()?;
    let held = make(&trial)
        .and_then(|()| entered::watch().map_err(|error| cannot(entered::file(), &error)))
        .and_then(|()| countdown::start(&trial, time))
        .and_then(|()| hold(&trial));
    if let Err(failure) = held {
        trial.failed = Some(failure.to_string());
        // The disk may be what failed: then the reason is not kept, and all is put back nevertheless.
        let _ = trial.save();
        ending::end(&trial)?;
        countdown::stop(&trial);
        return Err(failure);
    }
    Ok(trial)
}

/// Makes the files that will hold, and holds on to those that do.
fn make(trial: &Trial) -> Result<(), Failure> {
    for file in &trial.files {
        let made = (|| {
            let like = file.existed.then_some(&*file.path);
            write_like(&beside(&file.path, "new"), &file.text, like)?;
            if file.existed {
                fs::hard_link(&file.path, beside(&file.path, "before"))?;
            }
            sync_folder(&file.path)
        })();
        made.map_err(|error| cannot(&file.path, &error))?;
    }
    Ok(())
}

fn hold(trial: &Trial) -> Result<(), Failure> {
    for file in &trial.files {
        let held = fs::rename(beside(&file.path, "new"), &file.path);
        held.and_then(|()| sync_folder(&file.path)).map_err(|error| cannot(&file.path, &error))?;
    }
    Ok(())
}

/// Waits until it is over, and says how it ended.
fn watch(id: &str, json: bool) -> Result<(), Failure> {
    let mut seen = 0;
    while Trial::pending()?.is_some_and(|trial| trial.id == id) {
        let noted = entered::length();
        if noted != seen {
            seen = noted;
            kept(id);
        }
        thread::sleep(LOOK_EVERY);
    }
    let over = Trial::last()?.filter(|trial| trial.id == id);
    let trial = over.ok_or_else(|| Failure::refused("how it ended is not known"))?;
    if json {
        output::json(&object(&trial))?;
    }
    match trial.kept_by {
        Some(_) => {
            output::note(&outcome(&trial));
            Ok(())
        }
        None => Err(Failure::refused(outcome(&trial))),
    }
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

fn now() -> u64 {
    jiff::Timestamp::now().as_second().try_into().unwrap_or_default()
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

const AT_A_START: &str = "Nothing here puts it back if the machine is started anew before that: have it run \"totpctl try --undo\" \
                          when it starts (totpctl(1)), or do not restart it meanwhile.";
const LOOK_EVERY: Duration = Duration::from_millis(200);
