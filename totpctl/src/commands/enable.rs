//! `totpctl enable` and `disable`: a service asks for a code, or for none.

use serde_json::json;

use crate::error::Error;
use crate::pam::change::{Change, plan_disable, plan_enable};
use crate::terminal::output;

use super::preflight::check_before_asking;
use crate::trial::exclusive;

pub(super) fn enable(
    service: &str,
    options: Option<&[String]>,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let changes = plan_enable(service, options)?;
    if !changes.is_empty() {
        check_before_asking(service, options.unwrap_or_default(), &changes)?;
    }
    finish(service, &changes, dry_run, json)
}

pub(super) fn disable(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    finish(service, &plan_disable(service)?, dry_run, json)
}

fn finish(service: &str, changes: &[Change], dry_run: bool, json: bool) -> Result<(), Error> {
    // What is only being tried looks as it should be, and would be put back later.
    if !dry_run && (nix::unistd::geteuid().is_root() || !changes.is_empty()) {
        let _lock = exclusive::lock_exclusive()?;
        changes.iter().try_for_each(Change::still_fits)?;
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
        (true, _) => format!("{service} is as it was asked to be: nothing is changed."),
        (false, true) => "Nothing is changed yet.".to_owned(),
        (false, false) => {
            format!("{service} is changed. Log in anew before you leave this session.")
        }
    });
    Ok(())
}
