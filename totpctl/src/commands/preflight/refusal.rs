//! Why a service is not changed, with the change to make first.

use crate::error::Error;
use crate::findings::users::admission::Admission;
use crate::findings::users::without_factor::because;
use crate::pam::unenrolled_users::UselessFor;
use crate::terminal::output;

/// nullok would let nobody in. `is_proved`: a password or a key proves who the user is. Without
/// that, the line that accepts would let strangers in.
pub(super) fn nullok_is_useless(service: &str, useless_for: UselessFor, is_proved: bool) -> Error {
    let user = match useless_for {
        UselessFor::Everybody => "a user",
        UselessFor::Root => "root",
    };
    let change = match is_proved {
        true => "add \"auth required pam_permit.so\" below the line of pam_totp.so",
        false => "first have a line above that of pam_totp.so ask for the password",
    };
    Error::refused(format!(
        "not changed: nullok would have no effect in {service}, because no other line accepts {user} without a \
         factor; {change}"
    ))
}

/// Nobody could log in by `service`. `unusable`: those whose factors are not valid for it now.
pub(super) fn nobody_could_log_in(
    service: &str,
    unusable: &[String],
    forwards_password: bool,
) -> Error {
    // nullok with forward_pass would tell strangers which users have no factor.
    let alternative = match forwards_password {
        true => "",
        false => ", or allow users without a factor (--option nullok)",
    };
    if !unusable.is_empty() {
        return Error::refused(format!(
            "not changed: no user has a factor that is valid for {service} now, so nobody could log in: {}; \
             totpctl show USER says why",
            output::names(unusable)
        ));
    }
    Error::refused(format!(
        "not changed: no user is enrolled, so nobody could log in; enroll a user first (totpctl enroll \
         USER){alternative}"
    ))
}

/// Nobody with a factor gets in by `service`, and nobody else does.
pub(super) fn nobody_gets_in(service: &str, admission: &Admission) -> Error {
    Error::refused(format!(
        "not changed: nobody could log in by {service}: {}; {}; or use --even-so",
        because(admission),
        admission.advice()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_accepts_everybody_is_named_only_behind_a_proof() {
        for (is_proved, expected) in [(true, "pam_permit.so"), (false, "ask for the password")] {
            let message = nullok_is_useless("sshd", UselessFor::Everybody, is_proved).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn users_whose_factors_are_not_valid_are_named() {
        let nobody = nobody_could_log_in("sshd", &["alice".to_owned()], false).to_string();
        assert!(
            nobody.contains("valid for sshd now, so nobody could log in: alice (1);"),
            "{nobody}"
        );
        let nobody = nobody_could_log_in("sshd", &[], false).to_string();
        assert!(nobody.contains("no user is enrolled"), "{nobody}");
    }
}
