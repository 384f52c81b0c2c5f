//! Who gets in by a service that asks for a code, and what keeps the others out. Pure.

#[cfg(test)]
mod tests;

use super::asking::Asking;
use super::factor_holder::Holder;
use crate::findings::rules::refusals::Refusal;
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
    /// A rule refuses the user.
    RefusedByRule,
    /// A rule allows other methods than those of the factors.
    OtherMethods,
    /// The program itself refuses root.
    RootRefused,
}

impl Obstacle {
    fn phrase(self) -> &'static str {
        match self {
            Self::AnotherUid => "factors of another uid",
            Self::NoValidFactor => "no factor is valid now",
            Self::OtherServices => "factors for other services only",
            Self::LockedPassword => "password locked",
            Self::RefusedByRule => "refused by a rule",
            Self::OtherMethods => "no factor of a method that the rule allows",
            Self::RootRefused => "refused by sshd",
        }
    }

    /// Reports whether it keeps the user out with and without a code.
    fn is_of_others(self) -> bool {
        matches!(self, Self::LockedPassword | Self::RootRefused)
    }

    /// Reports whether a rule is in the way.
    fn is_of_rule(self) -> bool {
        matches!(self, Self::RefusedByRule | Self::OtherMethods)
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
        let ruled = &asking.ruled;
        let is_denied = asking.unenrolled == Unenrolled::Denied;
        let is_let_in = |name: &String| {
            !is_denied && !ruled.refuses_everybody && asking.refusal(name).is_none()
        };
        let (let_in, denied): (Vec<_>, Vec<_>) = able.into_iter().partition(is_let_in);
        let lets_in_uncounted = !is_denied && !ruled.refuses_everybody && has_uncounted;
        Self {
            admitted,
            kept_out,
            lets_in_others: !let_in.is_empty() || lets_in_uncounted || ruled.lets_some_by,
            denied,
            has_uncounted,
        }
    }

    /// Reports whether the code keeps everybody out, although somebody could log in without it.
    /// `has_other_way`: a key alone or the like lets users in without a code.
    pub(crate) fn lets_nobody_in(&self, has_other_way: &dyn Fn() -> bool) -> bool {
        let is_kept_by_code =
            |(_, found): &(String, Vec<Obstacle>)| !found.iter().any(|one| one.is_of_others());
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
        if has(&|obstacle| !obstacle.is_of_others() && !obstacle.is_of_rule()) {
            advice.push("repair a factor (totpctl show USER says why)");
        }
        if has(&|obstacle| obstacle.is_of_rule()) {
            advice.push("change the rule (totpctl explain USER SERVICE names it)");
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
    let of_rule = match asking.refusal(&holder.name) {
        Some(Refusal::Refused) => Some(Obstacle::RefusedByRule),
        // The daemon tells no factor that is not valid from one of another method.
        Some(Refusal::OtherMethods) if of_factor.is_none() => Some(Obstacle::OtherMethods),
        _ if asking.ruled.refuses_everybody => Some(Obstacle::RefusedByRule),
        _ => None,
    };
    let is_locked = asking.shut.contains(&holder.name);
    let is_refused = asking.refuses_root && holder.name == "root";
    let of_login = [
        of_rule,
        is_locked.then_some(Obstacle::LockedPassword),
        is_refused.then_some(Obstacle::RootRefused),
    ];
    of_factor.into_iter().chain(of_login.into_iter().flatten()).collect()
}
