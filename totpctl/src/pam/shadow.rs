//! Plans the changes of shadow mode: its lines around another module, without them, and the line of
//! this module in the place of the other one.

use pam_stack::{Refusal, shadow, switch, unshadow};

use super::change::{Change, not_changed_error, read_service};
use super::files::{about_shared, cannot_enroll, is_installed, is_shared, read_lossless};
use super::guard;
use super::module_options::{faults, sentence};
use crate::error::Error;

/// Plans the lines of shadow mode.
///
/// # Errors
/// [`Error::Refused`] if the stack does not allow them.
pub(crate) fn plan_on(service: &str) -> Result<Vec<Change>, Error> {
    if let Some(reason) = cannot_enroll(service) {
        return Err(Error::refused(format!(
            "not changed: totpd could not tell which login of {service} succeeded: {reason}"
        )));
    }
    plan(service, shadow(service, &read_lossless))
}

/// Plans the stack as it was before shadow mode.
///
/// # Errors
/// [`Error::Refused`] if the lines were changed by hand.
pub(crate) fn plan_off(service: &str) -> Result<Vec<Change>, Error> {
    plan(service, unshadow(service, &read_lossless))
}

/// Plans the line of this module, with these options, in the place of the other one.
///
/// # Errors
/// [`Error::Usage`] about an option. [`Error::Refused`] if the stack does not allow it.
pub(crate) fn plan_switch(service: &str, args: &[String]) -> Result<Vec<Change>, Error> {
    guard::check_options(args)?;
    if let Some(fault) = faults(args).first() {
        return Err(Error::Usage(sentence(fault)));
    }
    if let Some(arg) = args.iter().find(|arg| arg.contains(['[', ']', '\n', '#', '\\'])) {
        return Err(Error::Usage(format!("the option {arg:?} cannot stand in a file of PAM")));
    }
    plan(service, switch(service, args, &read_lossless, &is_installed))
}

fn plan(service: &str, after: Result<Option<String>, Refusal>) -> Result<Vec<Change>, Error> {
    if is_shared(service) {
        return Err(Error::refused(about_shared(service)));
    }
    let file = read_service(service)?;
    let after = after.map_err(|refusal| not_changed_error(service, &refusal))?;
    Ok(after.map(|after| file.change_to(service, after)).into_iter().collect())
}
