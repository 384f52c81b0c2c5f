//! What a change of one service means for those who log in by it.

use crate::pam::change::{Change, read_after};
use crate::pam::files::{is_installed, read};
use crate::pam::unenrolled_users::{Outcome, Unenrolled};

/// What a change of one service means for users without a factor.
pub(super) struct Effect<'a> {
    pub(super) service: &'a str,
    before: Unenrolled,
    /// What it does after the change; `None` if libpam cannot read the stack.
    pub(super) outcome: Option<Outcome>,
}

impl<'a> Effect<'a> {
    pub(super) fn new(change: &'a Change, changes: &[Change]) -> Self {
        let service = change.service.as_str();
        let before =
            Outcome::from_service(service, &read, &is_installed).map(|outcome| outcome.unenrolled);
        let outcome =
            Outcome::from_service(service, &|file| read_after(changes, file), &is_installed);
        Self { service, before: before.unwrap_or(Unenrolled::NotAsked), outcome }
    }

    pub(super) fn skips_strangers(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.skips_strangers)
    }

    pub(super) fn after(&self) -> Unenrolled {
        self.outcome.as_ref().map_or(Unenrolled::Denied, |outcome| outcome.unenrolled)
    }

    pub(super) fn denies(&self) -> bool {
        self.before.can_log_in() && !self.after().can_log_in()
    }

    /// Reports whether the service asked nobody before the change, and asks after it.
    pub(super) fn asks_first(&self) -> bool {
        self.before == Unenrolled::NotAsked && self.after() != Unenrolled::NotAsked
    }

    /// Reports whether users could log in because of `nullok` or `enroll` alone.
    pub(super) fn drops_exception(&self) -> bool {
        self.before != Unenrolled::NotAsked && self.denies()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_nullok_or_enroll_denies_users_who_could_log_in() {
        use Unenrolled::{Denied, Enrolls, NotAsked, Skipped};
        for (before, after, denies, drops) in [
            (NotAsked, Denied, true, false),
            (Skipped, Denied, true, true),
            (Enrolls, Denied, true, true),
            (Skipped, Enrolls, false, false),
            (NotAsked, Skipped, false, false),
            (Denied, Denied, false, false),
        ] {
            let outcome = Outcome {
                unenrolled: after,
                nullok_is_useless: None,
                has_password: true,
                skips_strangers: false,
            };
            let effect = Effect { service: "sshd", before, outcome: Some(outcome) };
            let found = (effect.denies(), effect.drops_exception());
            assert_eq!(found, (denies, drops), "{before:?} {after:?}");
            assert_eq!(effect.asks_first(), before == NotAsked, "{before:?} {after:?}");
        }
    }
}
