//! Plans the line that refuses a login without a code (`totpctl enable --guard`).

use pam_stack::parse::Kind;
use pam_stack::{GUARD, Guard, Stack, add_guard, guard};
use totpd_interface::ModuleOption;

use super::change::{Change, current_options, not_changed_error, read_after, read_service};
use super::families::family_of;
use super::files::{about_shared, is_shared};
use crate::error::Error;

/// The services whose programs may ask for `account` without `auth`, and that a person enters.
const SERVICES: [&str; 3] = ["cockpit", "login", "sshd"];

/// Reports whether totpctl writes a guard for the service.
pub(crate) fn is_for_guard(service: &str) -> bool {
    SERVICES.contains(&service)
}

/// Reports whether a guard holds in the stack of a service that totpctl writes one for, also one
/// that somebody wrote by hand. `read` returns the files of PAM.
pub(crate) fn holds(service: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    let account = Stack::parse(service, Kind::Account, read);
    let holds = |rules: &[_]| matches!(guard(rules), Guard::Holds(_));
    is_for_guard(service) && matches!(account, Stack::Rules(rules) if holds(&rules))
}

/// Refuses a service that gets no guard, with the reason.
///
/// # Errors
/// [`Error::Refused`]
pub(crate) fn check_service(service: &str) -> Result<(), Error> {
    if is_for_guard(service) {
        return Ok(());
    }
    let reason = if is_shared(service) {
        about_shared(service)
    } else if family_of(service).is_some_and(|family| family.contains(&"sudo")) {
        "while its ticket is valid, sudo asks for account without auth, so a guard would refuse each second call"
            .to_owned()
    } else {
        "its program asks for account only after auth, or for somebody who does not sit there"
            .to_owned()
    };
    Err(Error::refused(format!(
        "{service} gets no guard: {reason}; --guard is for {}",
        SERVICES.join(", ")
    )))
}

/// Refuses the option `guard` of a line under `auth`.
///
/// # Errors
/// [`Error::Usage`]
pub(crate) fn check_options(args: &[String]) -> Result<(), Error> {
    match args.iter().any(|arg| arg == GUARD) {
        true => {
            Err(Error::Usage("guard is no option of a line under auth; use --guard".to_owned()))
        }
        false => Ok(()),
    }
}

/// Adds the guard of `service` to the changes. It has the options `args`, as far as a guard has
/// them, or else those of the line under `auth`.
///
/// # Errors
/// [`Error::Refused`] if the service gets none, or its stack does not allow one.
pub(crate) fn plan(
    service: &str,
    args: Option<Vec<String>>,
    changes: &mut Vec<Change>,
) -> Result<(), Error> {
    check_service(service)?;
    let args = args.unwrap_or_else(|| current_options(service));
    let args: Vec<_> = args.into_iter().filter(|arg| is_option_of_guard(arg)).collect();
    let after = add_guard(service, &args, &|file| read_after(changes, file))
        .map_err(|refusal| not_changed_error(service, &refusal))?;
    let Some(after) = after else { return Ok(()) };
    match changes.iter_mut().find(|change| change.service == service) {
        Some(change) => change.after = after,
        None => changes.push(read_service(service)?.change_to(service, after)),
    }
    Ok(())
}

/// Reports whether the option may stand beside `guard`.
fn is_option_of_guard(arg: &str) -> bool {
    arg != GUARD && ModuleOption::parse_line(&[GUARD, arg]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_that_a_key_may_enter_get_a_guard() {
        for service in SERVICES {
            assert!(check_service(service).is_ok(), "{service}");
        }
        for (service, reason) in [
            ("sudo", "while its ticket is valid"),
            ("sudo-i", "while its ticket is valid"),
            ("common-account", "common-account"),
            ("su", "asks for account only after auth"),
        ] {
            let told = check_service(service).unwrap_err().to_string();
            assert!(told.contains(reason) && told.contains("cockpit, login, sshd"), "{told}");
        }
    }

    #[test]
    fn a_guard_keeps_the_options_that_it_has() {
        let kept = ["nullok", "echo", "timeout=7", "prompt=x", "quiet", "enroll", "guard"]
            .into_iter()
            .filter(|arg| is_option_of_guard(arg))
            .collect::<Vec<_>>();
        assert_eq!(kept, ["nullok", "timeout=7", "quiet"]);
    }
}
