//! Passwords at an sshd that took none: the drop-in that lets sshd ask for a code opens this way.

use crate::cli::ModuleOptions;
use crate::client::Client;
use crate::error::Error;
use crate::findings::users::asking::LockedPasswords;
use crate::findings::users::without_factor::WithoutFactor;
use crate::host::sshd::config::effective::{Effective, Pam};
use crate::host::sshd::config::method::Method;
use crate::host::sshd::question::{ask_files, supposes};
use crate::pam::files::{is_installed, read};
use crate::pam::unenrolled_users::{Outcome, Unenrolled};
use crate::terminal::{input, output};

/// Does the same as [`check`] for a stack that asks already, and is not changed.
pub(in crate::commands) fn check_alone(
    service: &str,
    options: &ModuleOptions,
) -> Result<(), Error> {
    if !opens() {
        return Ok(());
    }
    let outcome = Outcome::from_service(service, &read, &is_installed);
    let unenrolled = outcome.map_or(Unenrolled::Denied, |outcome| outcome.unenrolled);
    let mut users = WithoutFactor::read(&Client::connect()?, Some(service))?;
    let shut = LockedPasswords::of_host().shut_out_of(&[service]);
    let _ = users.set_aside(|name| shut.iter().any(|other| other == name));
    check(unenrolled, &users, options)
}

/// Says that the change opens passwords, if so, and asks whether users without a factor may log in
/// by a password alone. `unenrolled`: what sshd does with them after the change.
pub(super) fn check(
    unenrolled: Unenrolled,
    users: &WithoutFactor,
    options: &ModuleOptions,
) -> Result<(), Error> {
    if !opens() {
        return Ok(());
    }
    let without_code = match users.names.is_empty() && users.uncounted.is_empty() {
        true => None,
        false => exception(unenrolled),
    };
    let told = sentence(without_code, &users.description());
    if without_code.is_none() || options.even_so || options.yes {
        output::note(&told);
        return Ok(());
    }
    if !input::is_terminal() {
        return Err(Error::refused(format!("not changed: {told} If that is intended, use --yes")));
    }
    output::note(&told);
    match input::confirm("Continue? [y/N] ")? {
        true => Ok(()),
        false => Err(Error::refused("nothing is changed")),
    }
}

/// Reports whether the drop-in that is to be written opens passwords.
fn opens() -> bool {
    supposes() && ask_files().is_ok_and(|answer| takes_no_password(&answer.config))
}

/// Reports whether no login by a password is possible, and will be once sshd asks PAM.
fn takes_no_password(config: &Effective) -> bool {
    let asks_pam =
        config.is_enabled(Method::KeyboardInteractive) && matches!(config.pam, Pam::Service(_));
    let has_key =
        |list: &String| list.split(',').any(|name| Method::parse(name) == Some(Method::PublicKey));
    let needs_key = config.lists.as_ref().is_some_and(|lists| lists.iter().all(has_key));
    !asks_pam && !config.is_enabled(Method::Password) && !needs_key
}

/// Returns how a password alone is enough for users without a factor.
fn exception(unenrolled: Unenrolled) -> Option<&'static str> {
    match unenrolled {
        Unenrolled::Skipped => Some("nullok"),
        Unenrolled::Enrolls => Some("enroll: it creates their factor"),
        Unenrolled::NotAsked | Unenrolled::Denied => None,
    }
}

fn sentence(without_code: Option<&str>, names: &str) -> String {
    let without = match without_code {
        Some(reason) => format!(", without one for {names} ({reason})"),
        None => String::new(),
    };
    format!(
        "ssh takes no passwords now. This opens passwords: with a code for enrolled users{without}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sshd_of_keys_alone_takes_no_password() {
        let keys = "usepam yes\npubkeyauthentication yes\npasswordauthentication no\n";
        for (lines, expected) in [
            ("kbdinteractiveauthentication no\n", true),
            ("kbdinteractiveauthentication no\nauthenticationmethods publickey any\n", true),
            ("kbdinteractiveauthentication yes\n", false),
            // A key is needed before the password.
            (
                "kbdinteractiveauthentication no\nauthenticationmethods publickey,keyboard-interactive\n",
                false,
            ),
        ] {
            let config = Effective::parse(&format!("{keys}{lines}"));
            assert_eq!(takes_no_password(&config), expected, "{lines}");
        }
        let both = "usepam yes\npasswordauthentication yes\nkbdinteractiveauthentication no\n";
        assert!(!takes_no_password(&Effective::parse(both)));
    }

    #[test]
    fn who_gets_in_by_a_password_alone_is_named() {
        assert_eq!(
            sentence(exception(Unenrolled::Skipped), "bob, carol (2)"),
            "ssh takes no passwords now. This opens passwords: with a code for enrolled users, without one for bob, \
             carol (2) (nullok)."
        );
        assert!(
            sentence(exception(Unenrolled::Denied), "bob (1)").ends_with("for enrolled users.")
        );
    }
}
