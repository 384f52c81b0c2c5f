//! What may be wrong with rules, and keeps none from being in force.

/// What may be wrong with rules.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    /// A word for programs: `deadline-over`, `denies-root`, `group-not-looked-up`, `group-unknown`,
    /// `never-decides`, `never-remembers`, `outage-hidden`, `service-unknown`,
    /// `user-not-looked-up` or `user-unknown`.
    pub(crate) kind: &'static str,
    /// `FILE:LINE`.
    pub(crate) place: String,
    /// What may be wrong, and what to do.
    pub(crate) message: String,
}

impl Doubt {
    /// Returns the line for people.
    pub(super) fn line(&self) -> String {
        format!("{}: {}", self.place, self.message)
    }
}
