//! Who gets in by a service that asks for a code, and what keeps the others out. Pure.

#[cfg(test)]
mod tests;

use super::asking::Asking;
use super::factor_holder::Holder;
use crate::pam::unenrolled_users::Unenrolled;

/// What keeps a user who has factors out of a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Obstacle {
    /// The factors belong to another uid.
    AnotherUid,
    /// Each factor is disabled, expired or out of step.
    NoValidFactor,
    /// Each valid factor is for other services.
    OtherServices,
    /// The service takes a password, and that of the user never matches.
    LockedPassword,
}

impl Obstacle {
    fn phrase(self) -> &'static str {
        match self {
            Self::AnotherUid => "factors of another uid",
            Self::NoValidFactor => "no factor is valid now",
            Self::OtherServices => "factors for other services only",
            Self::LockedPassword => "password locked",
        }
    }
}

/// Who gets in by a service that asks for a code.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Admission {
    /// Those who log in with a code.
    pub(crate) admitted: Vec<String>,
    /// The others who have factors, each with all that keeps them out.
    pub(crate) kept_out: Vec<(String, Vec<Obstacle>)>,
    /// Those without a factor, if the service denies them for that alone.
    pub(crate) denied: Vec<String>,
    /// True if the service lets users in who have no factor.
    lets_in_others: bool,
    /// True if there are users of a directory, which no file lists.
    has_uncounted: bool,
}

impl Admission {
    /// `without`: the users who have no factor. `has_uncounted`: others may exist. `now`: seconds
    /// since 1970.
    pub(crate) fn new(
        asking: &Asking,
        holders: &[Holder],
        without: &[String],
        has_uncounted: bool,
        now: u64,
    ) -> Self {
        let (mut admitted, mut kept_out) = (Vec::new(), Vec::new());
        for holder in holders {
            match obstacles(asking, holder, now) {
                found if found.is_empty() => admitted.push(holder.name.clone()),
                found => kept_out.push((holder.name.clone(), found)),
            }
        }
        let able = asking.without(without);
        let is_denied = asking.unenrolled == Unenrolled::Denied;
        Self {
            admitted,
            kept_out,
            lets_in_others: !is_denied && (!able.is_empty() || has_uncounted),
            denied: if is_denied { able } else { Vec::new() },
            has_uncounted,
        }
    }

    /// Reports whether the code keeps everybody out, although somebody could log in without it.
    /// `has_other_way`: a key alone or the like lets users in without a code.
    pub(crate) fn lets_nobody_in(&self, has_other_way: &dyn Fn() -> bool) -> bool {
        let is_kept_by_code =
            |(_, found): &(String, Vec<Obstacle>)| !found.contains(&Obstacle::LockedPassword);
        let loses_somebody = !self.denied.is_empty()
            || self.has_uncounted
            || self.kept_out.iter().any(is_kept_by_code);
        self.admitted.is_empty() && !self.lets_in_others && loses_somebody && !has_other_way()
    }

    /// Returns the names of those who have factors and are kept out, each with the reasons.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let phrase = |(name, found): &(String, Vec<Obstacle>)| {
            let found: Vec<_> = found.iter().map(|obstacle| obstacle.phrase()).collect();
            format!("{name} ({})", found.join(", "))
        };
        self.kept_out.iter().map(phrase).collect()
    }

    /// Returns the change to make, as an imperative.
    pub(crate) fn advice(&self) -> String {
        let has = |is_one: &dyn Fn(&Obstacle) -> bool| {
            self.kept_out.iter().any(|(_, found)| found.iter().any(is_one))
        };
        let mut advice = Vec::new();
        if has(&|obstacle| *obstacle == Obstacle::LockedPassword) {
            advice.push("set a password (passwd USER)");
        }
        if has(&|obstacle| *obstacle != Obstacle::LockedPassword) {
            advice.push("repair a factor (totpctl show USER says why)");
        }
        advice.push("enroll a user who can log in: totpctl enroll USER");
        advice.join(", or ")
    }
}

/// Returns how many users can log in with a code by one of these services; by any, if none asks.
pub(crate) fn usable_count(asking: &[Asking], holders: &[Holder], now: u64) -> u64 {
    let is_usable = |holder: &&Holder| match asking {
        [] => holder.is_valid(None, now),
        asking => asking.iter().any(|asking| obstacles(asking, holder, now).is_empty()),
    };
    holders.iter().filter(is_usable).count() as u64
}

/// Returns all that keeps a user with factors out of a service.
fn obstacles(asking: &Asking, holder: &Holder, now: u64) -> Vec<Obstacle> {
    let mut services = [&asking.service].into_iter().chain(&asking.siblings);
    let of_factor = match holder.differing {
        Some(_) => Some(Obstacle::AnotherUid),
        None if !holder.is_valid(None, now) => Some(Obstacle::NoValidFactor),
        None if !services.any(|name| holder.is_valid(Some(name), now)) => {
            Some(Obstacle::OtherServices)
        }
        None => None,
    };
    let is_locked = asking.shut.contains(&holder.name);
    of_factor.into_iter().chain(is_locked.then_some(Obstacle::LockedPassword)).collect()
}
