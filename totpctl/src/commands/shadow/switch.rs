//! `totpctl shadow switch`: this module takes the place of the other one, if nobody loses by it.

use totpd_journal::escape::escape;

use super::planned::{print_json, show};
use super::report::{for_each_user, phrase};
use crate::cli::{ModuleOptions, Switch};
use crate::client::{Client, details};
use crate::commands::preflight::Preflight;
use crate::commands::trial::{self, Planned, Words};
use crate::error::Error;
use crate::pam::shadow::plan_switch;
use crate::pam::stale_plan::check_current;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn run(options: &Switch, json: bool) -> Result<(), Error> {
    let Switch { service, options: args, minutes, dry_run, even_so, yes } = options;
    let changes = plan_switch(service, args)?;
    let check = || check_current(&changes, &plan_switch(service, args)?);
    if changes.is_empty() {
        let _lock = lock::lock_exclusive()?;
        check()?;
        output::note(&format!("{service} is switched already; nothing is changed."));
        return if json { print_json(service, &changes) } else { Ok(()) };
    }
    let shut_out = shut_out(&Client::connect()?)?;
    if !shut_out.is_empty() {
        let told = format!(
            "got in within a week, and would not get in by totpd: {}",
            output::names(&shut_out)
        );
        if !even_so {
            return Err(Error::refused(format!(
                "not changed: {told}; see totpctl shadow report, and have them log in once more, or use --even-so"
            )));
        }
        output::note(&format!("These users {told} (--even-so)."));
    }
    let module_options = ModuleOptions::for_switch(args.clone(), *even_so, *yes);
    let preflight = Preflight::check(service, &module_options, &changes)?;
    if *dry_run {
        return show(service, &changes, json);
    }
    let words = Words { headline: "Switched", sentences: preflight.sentences() };
    trial::run_planned(
        &Planned { service, changes: &changes, minutes: *minutes, check: &check, words },
        json,
    )
}

/// Returns the users who got in lately, and would not get in here, each with the cause.
fn shut_out(client: &Client) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for_each_user(client, |user| {
        if details::flag(&user, "shut_out") {
            let name = details::text(&user, "user");
            names.push(format!(
                "{} ({})",
                escape(&name),
                phrase(&details::text(&user, "refused_by"))
            ));
        }
        Ok(())
    })?;
    Ok(names)
}
