//! Whether `nullok` and `enroll` do what they are for, and let in no strangers.

use super::effect::Effect;
use super::refusal::nullok_is_useless;
use crate::error::Error;
use crate::findings::sudo::sudo_keeps_no_factor;
use crate::host::sshd::requires_other_method;
use crate::pam::change::{Change, check_enroll_after_password};

/// Checks that a factor of a first login is created after a proof, and that it stays.
pub(super) fn check_enroll(service: &str, changes: &[Change]) -> Result<(), Error> {
    // What is not known cannot be relied on.
    if requires_other_method(service) != Some(true) {
        check_enroll_after_password(changes)?;
    }
    if is_sudo(changes)
        && let Some(problem) = sudo_keeps_no_factor()
    {
        return Err(Error::refused(format!("not changed: {problem}")));
    }
    Ok(())
}

/// Checks that `nullok` lets users in who have no factor, and only those who proved who they are.
pub(super) fn check_nullok(effects: &[Effect<'_>]) -> Result<(), Error> {
    for Effect { service, outcome, .. } in effects {
        if let Some(outcome) = outcome
            && let Some(useless_for) = outcome.nullok_is_useless
        {
            let is_proved = outcome.is_proved(requires_other_method(service));
            return Err(nullok_is_useless(service, useless_for, is_proved == Some(true)));
        }
    }
    if let Some(effect) = effects.iter().find(|effect| effect.skips_strangers())
        && requires_other_method(effect.service) != Some(true)
    {
        return Err(Error::refused(format!(
            "not changed: nullok would let in users without a factor by {}, and nothing else there proves \
             who they are; first have a line above that of pam_totp.so ask for the password",
            effect.service
        )));
    }
    Ok(())
}

/// Reports whether a change is about sudo.
pub(super) fn is_sudo(changes: &[Change]) -> bool {
    changes.iter().any(|change| ["sudo", "sudo-i"].contains(&change.service.as_str()))
}
