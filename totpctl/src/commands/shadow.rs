//! `totpctl shadow`: another module decides, and totpd notes what it would have said.

mod planned;
mod report;
mod switch;

use self::planned::print_json;
use super::enable::print_diff;
use super::preflight::host::check_totpd;
use super::trial::{self, Planned, Words};
use crate::cli::{Shadow, ShadowCommand};
use crate::error::Error;
use crate::pam::change_set::apply_all;
use crate::pam::shadow::{plan_off, plan_on};
use crate::pam::stale_plan::check_current;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn run(options: &Shadow, json: bool) -> Result<(), Error> {
    let Shadow { service, off, minutes, dry_run, command } = options;
    match (command, service) {
        (Some(ShadowCommand::Report), _) => report::run(json),
        (Some(ShadowCommand::Switch(options)), _) => switch::run(options, json),
        (None, Some(service)) if *off => turn_off(service, *dry_run, json),
        (None, Some(service)) => turn_on(service, *minutes, *dry_run, json),
        (None, None) => Err(Error::Usage("name a service, or run totpctl shadow report".into())),
    }
}

fn turn_on(service: &str, minutes: u16, dry_run: bool, json: bool) -> Result<(), Error> {
    let changes = plan_on(service)?;
    let check = || check_current(&changes, &plan_on(service)?);
    if changes.is_empty() {
        // What is being tried looks as wanted, and is reverted later: the lock refuses that.
        let _lock = lock::lock_exclusive()?;
        check()?;
        output::note(&format!("{service} is in shadow mode already; nothing is changed."));
        return if json { print_json(service, &changes) } else { Ok(()) };
    }
    check_totpd(service)?;
    if dry_run {
        return planned::show(service, &changes, json);
    }
    let words = Words {
        headline: "In shadow mode",
        sentences: vec![
            "As before: the other module decides.".to_owned(),
            "Everybody is asked, also users that the other module does not ask (nullok)."
                .to_owned(),
        ],
    };
    trial::run_planned(&Planned { service, changes: &changes, minutes, check: &check, words }, json)
}

fn turn_off(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let changes = plan_off(service)?;
    if dry_run {
        return planned::show(service, &changes, json);
    }
    {
        let _lock = lock::lock_exclusive()?;
        check_current(&changes, &plan_off(service)?)?;
        apply_all(&changes)?;
    }
    if json {
        return print_json(service, &changes);
    }
    print_diff(&changes, None, None)?;
    output::note(&match changes.as_slice() {
        [] => format!("{service} is not in shadow mode; nothing is changed."),
        _ => format!(
            "{service} is as it was before. Test a new login before you leave this session."
        ),
    });
    Ok(())
}
