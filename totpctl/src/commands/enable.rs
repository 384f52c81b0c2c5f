//! `totpctl enable` and `disable`: a service asks for a code, or no longer does.

use serde_json::json;

use super::preflight::Preflight;
use crate::error::Error;
use crate::pam::change::{Change, plan_disable, plan_enable};
use crate::terminal::output;
use crate::trial::exclusive;

pub(super) fn enable(
    service: &str,
    options: Option<&[String]>,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let changes = plan_enable(service, options)?;
    let preflight = match changes.is_empty() {
        true => None,
        false => Some(Preflight::check(service, options.unwrap_or_default(), &changes)?),
    };
    let done =
        format!("{service} asks for a code now. Test a new login before you leave this session.");
    apply(service, &changes, dry_run, json, &done)?;
    if let Some(preflight) = preflight.filter(|_| !json) {
        output::note(&preflight.message());
    }
    Ok(())
}

pub(super) fn disable(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let done = format!("{service} asks for no code any more.");
    apply(service, &plan_disable(service)?, dry_run, json, &done)
}

/// Applies changes, and says `done` afterwards.
fn apply(
    service: &str,
    changes: &[Change],
    dry_run: bool,
    json: bool,
    done: &str,
) -> Result<(), Error> {
    // During a trial the files look as wanted, but are reverted later: the lock refuses that.
    if !dry_run && (nix::unistd::geteuid().is_root() || !changes.is_empty()) {
        let _lock = exclusive::lock_exclusive()?;
        changes.iter().try_for_each(Change::check_unchanged)?;
        for change in changes {
            change.apply()?;
        }
    }
    let diff: String = changes.iter().map(Change::diff).collect();
    if json {
        let changed = !changes.is_empty();
        return output::json(&json!({ "service": service, "changed": changed, "diff": diff }));
    }
    output::data(&diff)?;
    output::note(&match (changes.is_empty(), dry_run) {
        (true, _) => format!("{service} is already configured; nothing is changed."),
        (false, true) => "Nothing is changed yet.".to_owned(),
        (false, false) => done.to_owned(),
    });
    Ok(())
}
