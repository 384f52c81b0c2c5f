//! `totpctl disable`: a service no longer asks for a code.

use pam_stack::Place;

use super::enable::{NOTHING_CHANGED, object, print_diff, subject};
use super::preflight::Reach;
use super::sshd_lines;
use crate::error::Error;
use crate::findings::sshd;
use crate::host::people::people_with_locked_password;
use crate::host::sshd::lists_with_pam;
use crate::host::sshd::question::suppose;
use crate::host::sshd::reload::{Reload, Reloaded};
use crate::pam::change::{Change, asking_place, plan_disable, read_after};
use crate::pam::change_set::apply_all;
use crate::pam::files::{display, removal_advice};
use crate::pam::stale_plan::check_current;
use crate::sshd_drop_in::change::{DropIn, Seen, lines_of_edited};
use crate::sshd_drop_in::content::FILE;
use crate::sshd_drop_in::line::Line;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn run(service: &str, dry_run: bool, json: bool) -> Result<(), Error> {
    let seen = Seen::now();
    let changes = plan_disable(service)?;
    let reach = Reach::from_changes(&changes);
    let left = asking_place(&changes, service)
        .or_else(|| changes.iter().find_map(|change| asking_place(&changes, &change.service)));
    let edited = match service == "sshd" && left.is_none() {
        true => lines_of_edited(),
        false => None,
    };
    let planned = match service == "sshd" && left.is_none() && edited.is_none() {
        true => plan_removal(),
        false => None,
    };
    let check = || {
        check_current(&changes, &plan_disable(service)?)?;
        if service == "sshd" { seen.check_unchanged() } else { Ok(()) }
    };
    let (removed, reloaded) = remove(&changes, planned, &check, dry_run)?;
    if json {
        let mut object = object(service, &changes);
        sshd_lines::add_to(&mut object, removed.as_ref(), reloaded);
        return output::json(&object.into());
    }
    print_diff(&changes, removed.as_ref(), reloaded)?;
    if dry_run && let Some(removed) = &removed {
        suppose(removed.settings_without());
    }
    output::note(&match (changes.as_slice(), dry_run) {
        (changes, _) if let Some(place) = &left => still_asks(changes, place, dry_run),
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
    if let Some(lines) = &edited {
        output::note(&stays_edited(lines, &Reload::of_host()));
    }
    if !changes.iter().any(|change| change.service == "sshd") {
        return Ok(());
    }
    let leftover = leftover(&lists_with_pam(), &people_with_locked_password());
    // The lines that stay are the cause, and the text about them has the change to make.
    let alone = match edited.is_none_or(|lines| lines.is_empty()) {
        true => sshd::password_alone(&|file| read_after(&changes, file)),
        false => None,
    };
    for warning in leftover.into_iter().chain(alone) {
        output::note(&match dry_run {
            true => format!("After the change: {warning}"),
            false => warning,
        });
    }
    Ok(())
}

/// Says that a drop-in with these lines stays, because it was changed since totpctl wrote it.
fn stays_edited(lines: &[Line], reload: &Reload) -> String {
    let texts: Vec<_> = lines.iter().map(|line| format!("\"{}\"", line.text(' '))).collect();
    match texts.as_slice() {
        [] => format!("{FILE} was changed since totpctl wrote it, and stays."),
        texts => format!(
            "{FILE} was changed since totpctl wrote it, and stays. sshd still obeys {} in it: delete that, and reload \
             sshd ({reload}).",
            texts.join(" and ")
        ),
    }
}

/// Plans the removal of the drop-in of totpctl. Says why it stays, otherwise.
fn plan_removal() -> Option<DropIn> {
    DropIn::plan_removal().unwrap_or_else(|error| {
        output::note(&format!("{FILE} stays: {error}."));
        None
    })
}

/// Changes the stacks, then removes the drop-in. Returns it if it is removed, or would be. `check`
/// refuses a plan that no longer fits.
fn remove(
    changes: &[Change],
    drop_in: Option<DropIn>,
    check: &dyn Fn() -> Result<(), Error>,
    dry_run: bool,
) -> Result<(Option<DropIn>, Option<Reloaded>), Error> {
    if dry_run {
        return Ok((drop_in, None));
    }
    let _lock = lock::lock_exclusive()?;
    check()?;
    apply_all(changes)?;
    match drop_in.as_ref().map(DropIn::put_in_force).transpose() {
        Ok(reloaded) => Ok((drop_in, reloaded)),
        Err(error) => {
            output::note(&format!("{FILE} stays: {error}."));
            Ok((None, None))
        }
    }
}

/// `place`: the line of another file, such as that of a profile.
fn still_asks(changes: &[Change], place: &Place, dry_run: bool) -> String {
    let services: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
    let removed = match (services.as_slice(), dry_run) {
        ([], _) => String::new(),
        (services, false) => format!("The line of {} is removed. ", services.join(" and ")),
        (services, true) => format!("The line of {} would be removed. ", services.join(" and ")),
    };
    format!(
        "{removed}{} still asks for the code. To remove that line, {}.",
        display(place),
        removal_advice(place)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_drop_in_names_one_change() {
        let reload = Reload::Unit("ssh");
        let told = stays_edited(&[Line::Ask, Line::NoPasswords], &reload);
        let expected = "sshd still obeys \"KbdInteractiveAuthentication yes\" and \"PasswordAuthentication no\" in \
                        it: delete that, and reload sshd (systemctl try-restart ssh).";
        assert!(told.ends_with(expected) && !told.contains("rm "), "{told}");
        assert!(stays_edited(&[], &reload).ends_with("and stays."));
    }

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
