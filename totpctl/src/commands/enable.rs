//! `totpctl enable` and `disable`: a service asks for a code, or no longer does.

use serde_json::{Map, Value, json};

use super::preflight::host::sshd_problems;
use super::preflight::{Preflight, Reach, plan};
use super::sshd_lines;
use crate::cli::ModuleOptions;
use crate::error::Error;
use crate::findings::sshd;
use crate::host::people::people_with_locked_password;
use crate::host::sshd::lists_with_pam;
use crate::host::sshd::reload::Reloaded;
use crate::pam::change::{
    Change, asking_line, current_options, differing_options, how_to_drop_options, plan_disable,
};
use crate::pam::change_set::apply_all;
use crate::pam::files::read;
use crate::sshd_drop_in::change::{self as drop_in, DropIn};
use crate::sshd_drop_in::content::FILE;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn enable(
    service: &str,
    options: &ModuleOptions,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    let changes = plan(service, options)?;
    let drop_in = sshd_lines::offer(service, options, &changes, dry_run)?;
    if changes.is_empty() {
        let Some(drop_in) = drop_in else {
            apply(&changes, None, dry_run)?;
            return print_already_enabled(service, json);
        };
        return write_lines_alone(service, &drop_in, dry_run, json);
    }
    let preflight = Preflight::check(service, options, &changes)?;
    let reloaded = apply(&changes, drop_in.as_ref(), dry_run)?;
    if json {
        let mut object = object(service, &changes);
        sshd_lines::add_to(&mut object, drop_in.as_ref(), reloaded);
        object.insert("shut_out".into(), json!(preflight.shut_out()));
        object.insert("uncounted".into(), json!(preflight.uncounted_sources()));
        return output::json(&object.into());
    }
    print_diff(&changes, drop_in.as_ref(), reloaded)?;
    output::note(&match dry_run {
        true => NOTHING_CHANGED.to_owned(),
        false => format!(
            "{} now. Test a new login before you leave this session.",
            subject(service, &changes, ("asks for a code", "ask for a code"))
        ),
    });
    output::note(&preflight.message());
    Ok(())
}

/// Writes the lines of sshd, whose stack asks already, perhaps by a profile.
fn write_lines_alone(
    service: &str,
    drop_in: &DropIn,
    dry_run: bool,
    json: bool,
) -> Result<(), Error> {
    if let Some(problems) = sshd_problems(&[]) {
        return Err(Error::refused(format!("not changed: {problems}")));
    }
    let reloaded = apply(&[], Some(drop_in), dry_run)?;
    if json {
        let mut object = object(service, &[]);
        sshd_lines::add_to(&mut object, Some(drop_in), reloaded);
        return output::json(&object.into());
    }
    print_diff(&[], Some(drop_in), reloaded)?;
    output::note(match dry_run {
        true => NOTHING_CHANGED,
        false => "sshd can ask for the code now. Test a new login before you leave this session.",
    });
    Ok(())
}

/// Prints the changed lines, and what becomes of sshd. `reloaded`: nothing if nothing was changed.
fn print_diff(
    changes: &[Change],
    drop_in: Option<&DropIn>,
    reloaded: Option<Reloaded>,
) -> Result<(), Error> {
    let of_sshd = drop_in.map(DropIn::diff).unwrap_or_default();
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
    Ok(())
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
fn subject(service: &str, changes: &[Change], (one, several): (&str, &str)) -> String {
    let services: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
    match services.as_slice() {
        [] => format!("{service} {one}"),
        [service] => format!("{service} {one}"),
        services => format!("{} {several}", services.join(" and ")),
    }
}

pub(super) fn disable(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let changes = plan_disable(service)?;
    let reach = Reach::from_changes(&changes);
    let left = changes.iter().find_map(|change| asking_line(&changes, &change.service));
    let planned = match service == "sshd" && left.is_none() {
        true => plan_removal(&changes),
        false => None,
    };
    let (removed, reloaded) = remove(&changes, planned, dry_run)?;
    if json {
        let mut object = object(service, &changes);
        sshd_lines::add_to(&mut object, removed.as_ref(), reloaded);
        return output::json(&object.into());
    }
    print_diff(&changes, removed.as_ref(), reloaded)?;
    output::note(&match (changes.as_slice(), dry_run) {
        (changes, false) if left.is_some() => still_asks(changes, &left.unwrap_or_default()),
        ([], _) if removed.is_some() => format!("{service} asks for no code already."),
        ([], _) => format!("{service} asks for no code already; nothing is changed."),
        (_, true) => NOTHING_CHANGED.to_owned(),
        (changes, false) => {
            let subject = subject(service, changes, ("asks for no code", "ask for no code"));
            format!("{subject} now.")
        }
    });
    if let Some(told) = reach.after_disable() {
        output::note(&told);
    }
    if dry_run || !changes.iter().any(|change| change.service == "sshd") {
        return Ok(());
    }
    let leftover = leftover(&lists_with_pam(), &people_with_locked_password());
    for warning in leftover.into_iter().chain(password_alone()) {
        output::note(&warning);
    }
    Ok(())
}

/// Plans the removal of the drop-in of totpctl, if sshd asks for no code after these changes. Says
/// why it stays, otherwise.
fn plan_removal(changes: &[Change]) -> Option<DropIn> {
    if asking_line(changes, "sshd").is_some() {
        return None;
    }
    if drop_in::is_edited() {
        output::note(&format!(
            "{FILE} was changed since totpctl wrote it, and stays. To remove it: rm {FILE}, then reload sshd."
        ));
        return None;
    }
    DropIn::plan_removal().unwrap_or_else(|error| {
        output::note(&format!("{FILE} stays: {error}."));
        None
    })
}

/// Changes the stacks, then removes the drop-in. Returns it if it is removed, or would be.
fn remove(
    changes: &[Change],
    drop_in: Option<DropIn>,
    dry_run: bool,
) -> Result<(Option<DropIn>, Option<Reloaded>), Error> {
    if dry_run {
        return Ok((drop_in, None));
    }
    let _lock = lock::lock_exclusive()?;
    changes.iter().try_for_each(Change::check_unchanged)?;
    drop_in.as_ref().map_or(Ok(()), DropIn::check_unchanged)?;
    apply_all(changes)?;
    match drop_in.as_ref().map(DropIn::put_in_force).transpose() {
        Ok(reloaded) => Ok((drop_in, reloaded)),
        Err(error) => {
            output::note(&format!("{FILE} stays: {error}."));
            Ok((None, None))
        }
    }
}

/// Returns a sentence if passwords alone let users in by ssh now, although `PasswordAuthentication`
/// is no.
pub(super) fn password_alone() -> Option<String> {
    sshd::password_alone(&read)
}

/// `line` is that of a profile.
fn still_asks(changes: &[Change], line: &str) -> String {
    let services: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
    format!(
        "The line of {} is removed, and {line} still asks for the code. To remove that too, turn off the \
         profile: pam-auth-update --disable totp, or authselect disable-feature with-totp (and \
         with-totp-required).",
        services.join(" and ")
    )
}

/// Says that sshd still requires PAM, which then asks for a password that not all users have.
/// `lists`: those of `AuthenticationMethods` that use PAM. `locked`: the people without a password.
fn leftover(lists: &[String], locked: &[String]) -> Option<String> {
    if lists.is_empty() {
        return None;
    }
    let locked = match locked {
        [] => String::new(),
        names => format!(", and those without a password cannot log in: {}", output::names(names)),
    };
    Some(format!(
        "sshd still requires PAM (AuthenticationMethods {}): it asks for the password alone{locked}. Remove that \
         line, reload sshd, and test a new login before you leave this session.",
        lists.join(" ")
    ))
}

/// Has sshd be able to ask, then changes the stacks: nobody is asked before sshd can. If one of
/// them cannot be changed, all is as before.
fn apply(
    changes: &[Change],
    drop_in: Option<&DropIn>,
    dry_run: bool,
) -> Result<Option<Reloaded>, Error> {
    // During a trial the files look as wanted, but are reverted later: the lock refuses that.
    if dry_run {
        return Ok(None);
    }
    let _lock = lock::lock_exclusive()?;
    changes.iter().try_for_each(Change::check_unchanged)?;
    drop_in.map_or(Ok(()), DropIn::check_unchanged)?;
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

fn object(service: &str, changes: &[Change]) -> Map<String, Value> {
    Map::from_iter([
        ("service".to_owned(), service.into()),
        ("changed".to_owned(), (!changes.is_empty()).into()),
        ("diff".to_owned(), diff(changes).into()),
    ])
}

const NOTHING_CHANGED: &str = "Nothing is changed yet.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_left_is_named_with_those_it_denies() {
        assert_eq!(leftover(&[], &["root".into()]), None);
        let lists = ["publickey,keyboard-interactive".to_owned()];
        let told = leftover(&lists, &["root".into(), "dana".into()]).unwrap();
        assert!(told.contains("AuthenticationMethods publickey,keyboard-interactive"), "{told}");
        assert!(told.contains("cannot log in: root, dana (2). Remove that line"), "{told}");
        assert!(leftover(&lists, &[]).unwrap().contains("the password alone. Remove"));
    }
}
