//! Checks before a service asks for a code: it can ask, and users can log in.

use super::doctor::{selinux, sshd, users};
use crate::client::Client;
use crate::error::Error;
use crate::pam::change::{Change, check_enroll_after_password, read_after};
use crate::terminal::output;
use crate::unit;

/// The users that can log in after the change.
pub(super) struct Preflight {
    enrolled: u64,
    /// The fate of users without a factor.
    unenrolled: &'static str,
}

impl Preflight {
    /// Checks that a user can log in through `service` after these changes.
    ///
    /// # Errors [`Error::NotAuthorized`] for all users but root, [`Error::Refused`] if nobody could
    /// log in.
    pub(super) fn check(
        service: &str,
        options: &[String],
        changes: &[Change],
    ) -> Result<Self, Error> {
        if !nix::unistd::geteuid().is_root() {
            return Err(Error::NotAuthorized("only root may change a PAM service".into()));
        }
        if service == "sshd"
            && let Some(problems) = sshd::problems(&|file| read_after(changes, file))
        {
            return Err(Error::refused(format!("not changed: {problems}")));
        }
        let has = |option: &str| options.iter().any(|other| other == option);
        if has("enroll") && !(service == "sshd" && sshd::requires_other_method()) {
            check_enroll_after_password(changes)?;
        }
        // A daemon that cannot start, or cannot be reached, would deny everybody.
        if let Some(failure) = unit::start_failure() {
            return Err(Error::Unreachable(format!(
                "not changed: systemd cannot start totpd: {}; {}",
                failure.message, failure.fix
            )));
        }
        if let Some(problem) = selinux::problem() {
            return Err(Error::refused(format!("not changed: {problem}")));
        }
        let enrolled = users::enrolled(&Client::connect()?)?.len() as u64;
        let unenrolled = match (has("enroll"), has("nullok")) {
            (true, _) => "create one at their next login (option enroll)",
            (false, true) => "log in without a code (option nullok)",
            (false, false) if enrolled > 0 => "are denied",
            (false, false) => return Err(nobody_could_log_in(has("forward_pass"))),
        };
        Ok(Self { enrolled, unenrolled })
    }

    /// Says who can log in after the change.
    pub(super) fn message(&self) -> String {
        let verb = if self.enrolled == 1 { "is" } else { "are" };
        format!(
            "{} {verb} enrolled. Users without a factor {}.",
            output::count(self.enrolled, "user"),
            self.unenrolled
        )
    }
}

fn nobody_could_log_in(forwards_password: bool) -> Error {
    // nullok with forward_pass would tell strangers which users have no factor.
    let alternative = match forwards_password {
        true => "",
        false => ", or allow users without a factor (--option nullok)",
    };
    Error::refused(format!(
        "not changed: no user is enrolled, so nobody could log in; enroll a user first (totpctl enroll \
         USER){alternative}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_counts_the_enrolled_users() {
        for (enrolled, expected) in [
            (1, "1 user is enrolled. Users without a factor are denied."),
            (2, "2 users are enrolled. Users without a factor are denied."),
        ] {
            assert_eq!(Preflight { enrolled, unenrolled: "are denied" }.message(), expected);
        }
    }
}
