//! `totpctl disable`: a service no longer asks for a code.

use pam_stack::Place;
use serde_json::json;

use super::enable::{NOTHING_CHANGED, object, print_diff, subject};
use super::preflight::Reach;
use super::sshd_lines;
use crate::error::Error;
use crate::findings::sshd;
use crate::findings::sshd::missing_password::Missing;
use crate::findings::users::factors::Enrolled;
use crate::host::people::people_with_locked_password;
use crate::host::sshd::question::suppose;
use crate::host::sshd::reload::{Reload, Reloaded};
use crate::host::sshd::{host_survey, lists_with_pam};
use crate::pam::change::{Change, asking_place, plan_disable, read_after};
use crate::pam::change_set::apply_all;
use crate::pam::files::{display, read, removal_advice};
use crate::pam::stale_plan::check_current;
use crate::sshd_drop_in::change::{DropIn, Seen, lines_of_edited};
use crate::sshd_drop_in::content::{FILE, opens};
use crate::sshd_drop_in::line::Line;
use crate::terminal::output;
use crate::trial::lock;

pub(super) fn run(service: &str, dry_run: bool, even_so: bool, json: bool) -> Result<(), Error> {
    let seen = Seen::now();
    let changes = plan_disable(service)?;
    if !even_so && changes.iter().any(|change| change.service == "sshd") {
        check_passwords(&changes)?;
    }
    let reach = Reach::from_changes(&changes);
    let left = asking_place(&changes, service)
        .or_else(|| changes.iter().find_map(|change| asking_place(&changes, &change.service)));
    let edited = match service == "sshd" && left.is_none() {
        true => lines_of_edited(),
        false => None,
    };
    let (planned, stays) = match service == "sshd" && left.is_none() && edited.is_none() {
        true => plan_removal(),
        false => (None, None),
    };
    let check = || {
        check_current(&changes, &plan_disable(service)?)?;
        if service == "sshd" { seen.check_unchanged() } else { Ok(()) }
    };
    let (removed, reloaded) = remove(&changes, planned, &check, dry_run)?;
    if dry_run && let Some(removed) = &removed {
        suppose(removed.settings_without());
    }
    let warnings = warnings(&changes, stays, edited.as_deref());
    if json {
        let mut object = object(service, &changes);
        sshd_lines::add_to(&mut object, removed.as_ref(), reloaded);
        object.insert("warnings".into(), json!(warnings));
        return output::json(&object.into());
    }
    print_diff(&changes, removed.as_ref(), reloaded)?;
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
    for warning in warnings {
        output::note(&match dry_run {
            true => format!("After the change: {warning}"),
            false => warning,
        });
    }
    Ok(())
}

/// Refuses to shut users out: without the line, sshd may require a password that they do not have,
/// after their key. If the daemon does not answer, the code lets nobody in anyway.
fn check_passwords(changes: &[Change]) -> Result<(), Error> {
    let names = |read: &dyn Fn(&str) -> Option<String>| {
        Missing::find(read, &|_| true).map(|missing| missing.names).unwrap_or_default()
    };
    let after = names(&|file| read_after(changes, file));
    if after.is_empty() {
        return Ok(());
    }
    let (before, enrolled) = (names(&read), Enrolled::list());
    let had_a_way = |name: &String| {
        !before.contains(name) && enrolled.as_ref().is_some_and(|enrolled| enrolled.contains(name))
    };
    refuse_shut(&after.into_iter().filter(had_a_way).collect::<Vec<_>>())
}

fn refuse_shut(names: &[String]) -> Result<(), Error> {
    match names {
        [] => Ok(()),
        names => Err(Error::refused(format!(
            "not changed: sshd would require a password after the key, so users without one could no longer log in: \
             {}; give them a password (passwd USER), take keyboard-interactive out of AuthenticationMethods first, or \
             use --even-so",
            output::names(names)
        ))),
    }
}

/// Returns what is left to do, as sentences. `stays`: why the drop-in stays. `edited`: the lines of
/// one that somebody changed.
fn warnings(changes: &[Change], stays: Option<String>, edited: Option<&[Line]>) -> Vec<String> {
    let mut told: Vec<_> = stays.into_iter().collect();
    let alone = sshd::password_alone(&|file| read_after(changes, file));
    if let Some(lines) = edited {
        let may_open = host_survey().is_none() && opens(lines);
        let opened = match (&alone, may_open) {
            (Some(_), _) => Some("let"),
            (None, true) => Some("may let"),
            (None, false) => None,
        };
        told.push(stays_edited(lines, &Reload::of_host(), opened));
    }
    if changes.iter().any(|change| change.service == "sshd") {
        told.extend(leftover(&lists_with_pam(), &people_with_locked_password()));
        // The lines that stay are the cause, and the text about them has the change to make.
        told.extend(alone.filter(|_| edited.is_none_or(<[_]>::is_empty)));
    }
    told
}

/// Says that a drop-in with these lines stays, because it was changed since totpctl wrote it.
/// `opened`: the verb, if passwords alone let users in, or may.
fn stays_edited(lines: &[Line], reload: &Reload, opened: Option<&str>) -> String {
    let opened = opened.map(|verb| format!(" Until then, passwords alone {verb} users in by ssh."));
    let texts: Vec<_> = lines.iter().map(|line| format!("\"{}\"", line.text(' '))).collect();
    match texts.as_slice() {
        [] => format!("{FILE} was changed since totpctl wrote it, and stays."),
        texts => format!(
            "{FILE} was changed since totpctl wrote it, and stays. sshd still obeys {} in it: delete that, and reload \
             sshd ({reload}).{}",
            texts.join(" and "),
            opened.unwrap_or_default()
        ),
    }
}

/// Plans the removal of the drop-in of totpctl. Returns why it stays, otherwise.
fn plan_removal() -> (Option<DropIn>, Option<String>) {
    match DropIn::plan_removal() {
        Ok(planned) => (planned, None),
        Err(error) => (None, Some(format!("{FILE} stays: {error}."))),
    }
}

/// Removes the drop-in, then changes the stacks: with the drop-in in force and a stack that does
/// not ask, passwords alone may let users in. Returns the drop-in if it is removed, or would be.
///
/// `check` refuses a plan that no longer fits.
///
/// # Errors
/// One of them cannot be done. Then all is as before.
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
    let reloaded =
        drop_in.as_ref().map(DropIn::put_in_force).transpose().map_err(stays_in_force)?;
    apply_all(changes).map_err(|error| match &drop_in {
        Some(drop_in) => drop_in.take_back(error),
        None => error,
    })?;
    Ok((drop_in, reloaded))
}

/// Says why nothing is changed: sshd would still obey the drop-in.
fn stays_in_force(error: Error) -> Error {
    error.with_message(|text| {
        let reason = text.strip_prefix("not changed: ").unwrap_or(&text);
        let remedy = match reason.ends_with("and then this again") {
            true => "",
            false => "; correct that, and run this again",
        };
        format!(
            "not changed: {FILE} has to go first, or passwords alone may let users in by ssh: {reason}{remedy}"
        )
    })
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
        let told = stays_edited(&[Line::Ask, Line::NoPasswords], &reload, None);
        let expected = "sshd still obeys \"KbdInteractiveAuthentication yes\" and \"PasswordAuthentication no\" in \
                        it: delete that, and reload sshd (systemctl try-restart ssh).";
        assert!(told.ends_with(expected) && !told.contains("rm "), "{told}");
        assert!(stays_edited(&[], &reload, None).ends_with("and stays."));
        let told = stays_edited(&[Line::Ask], &reload, Some("let"));
        assert!(told.ends_with(" Until then, passwords alone let users in by ssh."), "{told}");
    }

    #[test]
    fn a_drop_in_that_stays_in_force_is_told_with_the_change_to_make() {
        for (reason, remedy) in [
            ("cannot change it", "cannot change it; correct that, and run this again"),
            ("not changed: run kill, and then this again", ": run kill, and then this again"),
        ] {
            let told = stays_in_force(Error::refused(reason)).to_string();
            assert!(told.starts_with("not changed: /etc/ssh/") && told.ends_with(remedy), "{told}");
        }
    }

    #[test]
    fn users_that_the_change_would_shut_out_are_named_with_what_helps() {
        assert!(refuse_shut(&[]).is_ok());
        let told = refuse_shut(&["root".into(), "dana".into()]).unwrap_err().to_string();
        assert!(told.starts_with("not changed: ") && told.contains("root, dana (2)"), "{told}");
        assert!(told.ends_with("or use --even-so") && told.contains("passwd USER"), "{told}");
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
