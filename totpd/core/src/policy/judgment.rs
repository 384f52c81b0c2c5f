//! Whether one rule fits one login, and why not.

use crate::policy::fit::Fit;
use crate::policy::question::{Person, Question};
use crate::policy::rule_list::Entry;

/// Whether a rule fits a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Judgment {
    /// It fits.
    Fits,
    /// This condition does not hold.
    Misfits(Condition),
    /// Nobody knows whether this condition holds, and the others hold or are unknown too.
    Unknown(Condition),
}

/// A condition of a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// `services`
    Services,
    /// `from`
    From,
    /// `users` and `groups`
    People,
}

impl Condition {
    /// Returns the key of a rule that has the condition. That of people may be `groups` too.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::From => "from",
            Self::People => "users",
        }
    }
}

impl Entry {
    /// Judges the rule. It looks at groups last, because they may have to be asked for.
    pub(super) fn judge(&self, question: &Question<'_>) -> Judgment {
        let mut judgment = Judgment::Fits;
        for (condition, fit) in [
            (Condition::Services, Self::services as fn(&Self, &Question<'_>) -> Fit),
            (Condition::From, Self::from),
            (Condition::People, Self::people),
        ] {
            match fit(self, question) {
                Fit::No => return Judgment::Misfits(condition),
                Fit::Unknown => judgment = Judgment::Unknown(condition),
                Fit::Yes => {}
            }
        }
        judgment
    }

    fn services(&self, question: &Question<'_>) -> Fit {
        match (&self.rule.services, question.service) {
            (None, _) => Fit::Yes,
            (Some(_), None) => Fit::Unknown,
            (Some(services), Some(service)) => {
                services.best_fit(|pattern| pattern.fits(service).into())
            }
        }
    }

    fn from(&self, question: &Question<'_>) -> Fit {
        let places = self.rule.from.as_ref();
        places.map_or(Fit::Yes, |places| places.best_fit(|pattern| pattern.fit(question.place)))
    }

    /// Judges the users and groups. A name that is no account is no listed user, and in no group.
    fn people(&self, question: &Question<'_>) -> Fit {
        let rule = &self.rule;
        if rule.users.is_none() && rule.groups.is_none() {
            return Fit::Yes;
        }
        let user = match question.user {
            Person::Account(user) => user,
            Person::Nobody => return Fit::No,
            Person::Unknown => return Fit::Unknown,
        };
        let users = rule.users.as_ref();
        let named = users.map_or(Fit::No, |users| users.best_fit(|one| one.fits(user).into()));
        if named == Fit::Yes {
            return named;
        }
        self.groups.iter().fold(named, |best, index| best.max(question.groups.fit(*index)))
    }
}
