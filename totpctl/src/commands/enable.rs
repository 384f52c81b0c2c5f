//! `totpctl enable`: a service asks for a code.

use serde_json::{Map, Value, json};

use super::preflight::host::sshd_problems;
use super::preflight::{Preflight, opening, plan};
use super::sshd_lines;
use crate::cli::ModuleOptions;
use crate::error::Error;
use crate::host::sshd::reload::Reloaded;
use crate::pam::change::{Change, current_options, differing_options, how_to_drop_options};
use crate::pam::change_set::apply_all;
use crate::pam::files::read;
use crate::pam::stale_plan::check_current;
use crate::pam::{guard, listener};
use crate::sshd_drop_in::change::DropIn;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn enable(
    service: &str,
    options: &ModuleOptions,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let typed = options.typed("enable", service);
    let name = |error: Error| error.with_message(|text| sshd_lines::name_typed(&text, &typed));
    let changes = plan(service, options).map_err(name)?;
    let offer = sshd_lines::offer(service, options, &changes, dry_run, &typed).map_err(name)?;
    let drop_in = offer.drop_in.as_ref();
    let check = || {
        check_current(&changes, &plan(service, options).map_err(name)?)?;
        offer.check_current(service, options, &changes)
    };
    let apply = || match dry_run {
        true => Ok(None),
        false => apply(&changes, drop_in, &check),
    };
    if changes.is_empty() {
        let Some(drop_in) = drop_in else {
            apply()?;
            return print_already_enabled(service, json);
        };
        return write_lines_alone(service, drop_in, options, &apply, json);
    }
    let preflight = Preflight::check(service, options, &changes).map_err(name)?;
    if dry_run {
        return show_planned(service, &changes, drop_in, &preflight, json);
    }
    let reloaded = apply()?;
    if json {
        return print_json(service, &changes, (drop_in, reloaded), &preflight);
    }
    print_diff(&changes, drop_in, reloaded)?;
    output::note(&format!(
        "{} now. Test a new login before you leave this session.",
        subject(service, &changes, ("asks for a code", "ask for a code"))
    ));
    if guard::holds(service, &read) {
        output::note(&guard_sentence(service));
    }
    output::note(&preflight.message());
    Ok(())
}

/// Has a service tell totpd of changed passwords. It asks for no code because of that.
pub(super) fn listen(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let changes = listener::plan(service)?;
    if !dry_run && !changes.is_empty() {
        let _lock = lock::lock_exclusive()?;
        check_current(&changes, &listener::plan(service)?)?;
        apply_all(&changes)?;
    }
    if json {
        return output::json(&object(service, &changes).into());
    }
    print_diff(&changes, None, None)?;
    output::note(&match (changes.is_empty(), dry_run) {
        (true, _) => format!("{service} tells totpd of changed passwords already."),
        (false, true) => NOTHING_CHANGED.to_owned(),
        (false, false) => format!("{service} tells totpd of changed passwords now."),
    });
    Ok(())
}

/// Shows what would be changed, and who could log in then.
pub(super) fn show_planned(
    service: &str,
    changes: &[Change],
    drop_in: Option<&DropIn>,
    preflight: &Preflight,
    json: bool,
) -> Result<(), Error> {
    if json {
        return print_json(service, changes, (drop_in, None), preflight);
    }
    print_diff(changes, drop_in, None)?;
    output::note(NOTHING_CHANGED);
    output::note(&preflight.message());
    Ok(())
}

fn print_json(
    service: &str,
    changes: &[Change],
    (drop_in, reloaded): (Option<&DropIn>, Option<Reloaded>),
    preflight: &Preflight,
) -> Result<(), Error> {
    let mut object = object(service, changes);
    sshd_lines::add_to(&mut object, drop_in, reloaded);
    object.insert("shut_out".into(), json!(preflight.shut_out()));
    object.insert("uncounted".into(), json!(preflight.uncounted_sources()));
    output::json(&object.into())
}

/// Writes the lines of sshd, whose stack asks already, perhaps by a profile.
fn write_lines_alone(
    service: &str,
    drop_in: &DropIn,
    options: &ModuleOptions,
    apply: &dyn Fn() -> Result<Option<Reloaded>, Error>,
    json: bool,
) -> Result<(), Error> {
    if let Some(problems) = sshd_problems(&[]) {
        return Err(Error::refused(format!("not changed: {problems}")));
    }
    opening::check_alone(service, options)?;
    let reloaded = apply()?;
    if json {
        let mut object = object(service, &[]);
        sshd_lines::add_to(&mut object, Some(drop_in), reloaded);
        return output::json(&object.into());
    }
    print_diff(&[], Some(drop_in), reloaded)?;
    output::note(match reloaded {
        None => NOTHING_CHANGED,
        Some(_) => "sshd can ask for the code now. Test a new login before you leave this session.",
    });
    Ok(())
}

/// Prints the changed lines, and what becomes of sshd. `reloaded`: nothing if nothing was changed.
pub(super) fn print_diff(
    changes: &[Change],
    drop_in: Option<&DropIn>,
    reloaded: Option<Reloaded>,
) -> Result<(), Error> {
    let of_sshd = sshd_lines::diff(drop_in);
    output::data(&format!("{of_sshd}{}", diff(changes)))?;
    if let Some(drop_in) = drop_in {
        output::note(&match reloaded {
            None => sshd_lines::would_be_written(drop_in),
            Some(reloaded) => sshd_lines::written(drop_in, reloaded),
        });
    }
    Ok(())
}

/// Says that the service asks already, and with which options.
fn print_already_enabled(service: &str, json: bool) -> Result<(), Error> {
    let kept = current_options(service);
    if json {
        let mut object = object(service, &[]);
        object.insert("options".into(), json!(kept));
        return output::json(&object.into());
    }
    let keeps = keeps(service, &kept);
    output::note(&format!("{service} is already configured; nothing is changed.{keeps}"));
    if guard::holds(service, &read) {
        output::note(&guard_sentence(service));
    }
    Ok(())
}

/// Says what the guard of a service does.
fn guard_sentence(service: &str) -> String {
    format!(
        "The guard of {service} refuses a login without a code, unless a rule or nullok lets the user by."
    )
}

/// Returns which options the lines of a program keep, as sentences with a space before each.
pub(super) fn keeps(service: &str, options: &[String]) -> String {
    let differing = differing_options(service);
    if !differing.is_empty() {
        let each = differing.iter().map(|(name, options)| match options.as_slice() {
            [] => format!("{name} has no options"),
            options => format!("{name} keeps {}", options.join(" ")),
        });
        let each: Vec<_> = each.collect();
        return format!(
            " But {}. To give all of them the same, use --option or --no-options.",
            each.join(", and ")
        );
    }
    match options {
        [] => String::new(),
        options => {
            format!(" It keeps: {} ({}).", options.join(" "), how_to_drop_options(service))
        }
    }
}

/// Returns the changed services and a verb; those of one program change together.
pub(super) fn subject(service: &str, changes: &[Change], (one, several): (&str, &str)) -> String {
    let services: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
    match services.as_slice() {
        [] => format!("{service} {one}"),
        [service] => format!("{service} {one}"),
        services => format!("{} {several}", services.join(" and ")),
    }
}

/// Has sshd be able to ask, then changes the stacks: nobody is asked before sshd can. If one of
/// them cannot be changed, all is as before. `check` refuses a plan that no longer fits.
fn apply(
    changes: &[Change],
    drop_in: Option<&DropIn>,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Option<Reloaded>, Error> {
    // During a trial the files look as wanted, but are reverted later: the lock refuses that.
    let _lock = lock::lock_exclusive()?;
    // The plan was made without the lock, and a person may have thought it over since.
    check()?;
    let reloaded = drop_in.map(DropIn::put_in_force).transpose()?;
    apply_all(changes).map_err(|error| match drop_in {
        Some(drop_in) => drop_in.take_back(error),
        None => error,
    })?;
    Ok(reloaded)
}

fn diff(changes: &[Change]) -> String {
    changes.iter().map(Change::diff).collect()
}

pub(super) fn object(service: &str, changes: &[Change]) -> Map<String, Value> {
    Map::from_iter([
        ("service".to_owned(), service.into()),
        ("changed".to_owned(), (!changes.is_empty()).into()),
        ("diff".to_owned(), diff(changes).into()),
    ])
}

pub(super) const NOTHING_CHANGED: &str = "Nothing is changed yet.";
