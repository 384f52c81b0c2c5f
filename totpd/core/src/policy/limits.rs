//! What a code has to be, and how long it counts.

use core::ops::RangeInclusive;

use crate::verification::Methods;

/// What a code has to be, and how long it counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The methods that count.
    pub methods: Methods,
    /// How long the same user is not asked again.
    pub remember: Option<Remember>,
    /// How long the code opens further connections.
    pub burst: Option<Burst>,
    /// Whose factor counts.
    pub subject: Subject,
    /// The flag that each use of sudo needs a code.
    pub fresh: bool,
    /// The flag that the option `nullok` lets nobody by, because a deadline passed.
    pub ends_nullok: bool,
}

/// The seconds for which the same user, source and service are not asked again.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Remember(u64);

/// The seconds for which one code also opens further connections.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Burst(u64);

/// Whose factor counts, if a user becomes another one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Subject {
    /// The user whose account is entered.
    #[default]
    Target,
    /// The user who asks.
    Caller,
    /// Either of them.
    Either,
}

impl Limits {
    /// The limits of a login that no rule fits.
    pub const NONE: Self = Self {
        methods: Methods::ALL,
        remember: None,
        burst: None,
        subject: Subject::Target,
        fresh: false,
        ends_nullok: false,
    };

    /// Returns limits that allow only what both allow.
    ///
    /// A rule without the other would ask for the factor of the target. That is taken if the two
    /// rules want factors of different users.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            methods: self.methods.and(other.methods),
            // Nothing is less than any time.
            remember: self.remember.min(other.remember),
            burst: self.burst.min(other.burst),
            subject: match (self.subject, other.subject) {
                (one, Subject::Either) | (Subject::Either, one) => one,
                (one, other) if one == other => one,
                _ => Subject::Target,
            },
            fresh: self.fresh || other.fresh,
            ends_nullok: self.ends_nullok || other.ends_nullok,
        }
    }
}

impl Remember {
    /// Returns that time, if a login may be remembered so long ([`REMEMBER`]).
    #[must_use]
    pub fn new(seconds: u64) -> Option<Self> {
        REMEMBER.contains(&seconds).then_some(Self(seconds))
    }

    /// Returns the seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }
}

impl Burst {
    /// Returns that time, if a burst may last so long ([`BURST`]).
    #[must_use]
    pub fn new(seconds: u64) -> Option<Self> {
        BURST.contains(&seconds).then_some(Self(seconds))
    }

    /// Returns the seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// A minute to 90 days.
pub const REMEMBER: RangeInclusive<u64> = 60..=90 * 86_400;
/// A second to five minutes.
pub const BURST: RangeInclusive<u64> = 1..=300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::Method;

    #[test]
    fn times_have_bounds() {
        let hundred_years = 100 * 366 * 86_400;
        for (seconds, remembers, bursts) in [
            (0, false, false),
            (1, false, true),
            (60, true, true),
            (301, true, false),
            (90 * 86_400, true, false),
            (hundred_years, false, false),
            (u64::MAX, false, false),
        ] {
            let remembered = remembers.then_some(seconds);
            assert_eq!(Remember::new(seconds).map(Remember::seconds), remembered, "{seconds}");
            assert_eq!(Burst::new(seconds).map(Burst::seconds), bursts.then_some(seconds));
        }
    }

    #[test]
    fn both_limits_allow_less_than_each() {
        let app = Methods::of(&[Method::Totp]).unwrap();
        let paper = Methods::of(&[Method::Recovery, Method::Totp]).unwrap();
        let wide =
            Limits { remember: Remember::new(3600), burst: Burst::new(20), ..Limits::default() };
        let narrow = Limits {
            methods: app,
            remember: Remember::new(60),
            subject: Subject::Caller,
            fresh: true,
            ..wide
        };
        let expected = Limits { subject: Subject::Target, ..narrow };
        assert_eq!((wide.and(narrow), narrow.and(wide)), (expected, expected));
        assert_eq!(Limits::default().and(wide), Limits::default());
        let either = Limits { subject: Subject::Either, methods: paper, ..narrow };
        assert_eq!((narrow.and(either), either.and(narrow)), (narrow, narrow));
        let caller = Limits { subject: Subject::Caller, ..wide };
        assert_eq!((caller.and(caller), caller.and(wide)), (caller, wide));
        assert!(!app.include(Method::Recovery) && paper.include(Method::Recovery));
        assert!(Methods::default().include(Method::Hotp) && Methods::of(&[]).is_none());
    }
}
