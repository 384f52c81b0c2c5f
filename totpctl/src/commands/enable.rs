//! `totpctl enable` and `disable`: a service asks for a code, or no longer does.

use serde_json::{Map, Value, json};

use super::doctor::sshd;
use super::preflight::{Preflight, plan};
use crate::cli::ModuleOptions;
use crate::error::Error;
use crate::pam::change::{Change, asking_line, current_options, plan_disable};
use crate::pam::files::read;
use crate::terminal::output;
use crate::trial::exclusive;

pub(super) fn enable(
    service: &str,
    options: &ModuleOptions,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let changes = plan(service, options)?;
    if changes.is_empty() {
        apply(&changes, dry_run)?;
        return already_enabled(service, json);
    }
    let preflight = Preflight::check(service, options, &changes)?;
    apply(&changes, dry_run)?;
    if json {
        let mut object = object(service, &changes);
        object.insert("shut_out".into(), json!(preflight.shut_out()));
        object.insert("uncounted".into(), json!(preflight.uncounted()));
        return output::json(&object.into());
    }
    output::data(&diff(&changes))?;
    output::note(&match dry_run {
        true => NOTHING_CHANGED.to_owned(),
        false => {
            format!(
                "{service} asks for a code now. Test a new login before you leave this session."
            )
        }
    });
    output::note(&preflight.message());
    Ok(())
}

/// Says that the service asks already, and with which options.
fn already_enabled(service: &str, json: bool) -> Result<(), Error> {
    let kept = current_options(service);
    if json {
        let mut object = object(service, &[]);
        object.insert("options".into(), json!(kept));
        return output::json(&object.into());
    }
    output::note(&format!("{service} is already configured; nothing is changed.{}", keeps(&kept)));
    Ok(())
}

/// Returns which options a line keeps, as a sentence with a space before it.
pub(super) fn keeps(options: &[String]) -> String {
    match options {
        [] => String::new(),
        options => format!(" It keeps: {} (--no-options drops them).", options.join(" ")),
    }
}

pub(super) fn disable(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let changes = plan_disable(service)?;
    apply(&changes, dry_run)?;
    if json {
        return output::json(&object(service, &changes).into());
    }
    output::data(&diff(&changes))?;
    let services: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
    let left = changes.iter().find_map(|change| asking_line(&changes, &change.service));
    output::note(&match (services.as_slice(), dry_run) {
        (_, false) if left.is_some() => still_asks(&services, &left.unwrap_or_default()),
        ([], _) => format!("{service} asks for no code already; nothing is changed."),
        (_, true) => NOTHING_CHANGED.to_owned(),
        ([one], false) => format!("{one} asks for no code now."),
        (several, false) => format!("{} ask for no code now.", several.join(" and ")),
    });
    if services.contains(&"sshd") && !dry_run {
        password_alone().iter().for_each(|sentence| output::note(sentence));
    }
    Ok(())
}

/// Returns a sentence if passwords alone let users in by ssh now, although `PasswordAuthentication`
/// is no.
pub(super) fn password_alone() -> Option<String> {
    sshd::password_alone(&read)
}

/// `line` is that of a profile.
fn still_asks(services: &[&str], line: &str) -> String {
    format!(
        "The line of {} is removed, and {line} still asks for the code. To remove that too, turn off the \
         profile: pam-auth-update --disable totp, or authselect disable-feature with-totp (and \
         with-totp-required).",
        services.join(" and ")
    )
}

fn apply(changes: &[Change], dry_run: bool) -> Result<(), Error> {
    // During a trial the files look as wanted, but are reverted later: the lock refuses that.
    if !dry_run {
        let _lock = exclusive::lock_exclusive()?;
        changes.iter().try_for_each(Change::check_unchanged)?;
        for change in changes {
            change.apply()?;
        }
    }
    Ok(())
}

fn diff(changes: &[Change]) -> String {
    changes.iter().map(Change::diff).collect()
}

fn object(service: &str, changes: &[Change]) -> Map<String, Value> {
    Map::from_iter([
        ("service".to_owned(), service.into()),
        ("changed".to_owned(), (!changes.is_empty()).into()),
        ("diff".to_owned(), diff(changes).into()),
    ])
}

const NOTHING_CHANGED: &str = "Nothing is changed yet.";
