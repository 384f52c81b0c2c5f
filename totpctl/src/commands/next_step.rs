//! The command that an administrator runs next on a host where no service asks for a code yet.

use crate::pam::change::plan_enable;
use crate::pam::files::path_of;

/// Returns the next command, with what it does if it only gives advice on this host.
pub(super) fn next_step() -> &'static str {
    step(path_of("sshd").is_some(), || plan_enable("sshd", None).is_ok())
}

fn step(has_sshd: bool, can_change: impl FnOnce() -> bool) -> &'static str {
    match has_sshd {
        false => "totpctl try SERVICE",
        true if can_change() => "totpctl try sshd",
        // A profile writes the stack there, for example that of authselect.
        true => "\"totpctl try sshd\" names what to change first on this host",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_would_refuse_is_no_next_step() {
        assert_eq!(step(true, || true), "totpctl try sshd");
        assert!(step(true, || false).contains("what to change first"));
        assert_eq!(step(false, || panic!("there is no sshd")), "totpctl try SERVICE");
    }
}
