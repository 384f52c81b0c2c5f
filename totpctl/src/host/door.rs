//! The ways to become a user or root on this host.

pub(crate) mod automatic_login;
pub(crate) mod doas;
pub(crate) mod known_doors;
pub(crate) mod never_asking;
pub(crate) mod skipped;

/// A way to become a user or root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Door {
    /// What a person calls it: `ssh, password`, `sudo -i`, `pkexec and run0`.
    pub(crate) name: String,
    /// The PAM service that the program asks, if it uses PAM.
    pub(crate) service: Option<String>,
    /// The users it holds for (`Match User git`), if not for all.
    pub(crate) who: Option<String>,
    /// Whether it asks for a code.
    pub(crate) code: CodeNeed,
    /// Who or what is not asked, each as a phrase: `members of wheel (NOPASSWD, /etc/sudoers:20)`.
    pub(crate) exceptions: Vec<String>,
}

/// Whether a door asks for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CodeNeed {
    /// A login needs a code.
    Asked,
    /// A login needs no code.
    NotAsked,
    /// A code is asked for, and nobody can answer: why.
    Unanswerable(String),
    /// Nobody can use this door: why.
    Closed(String),
    /// It is not known: why.
    Unknown(String),
}

impl CodeNeed {
    /// Returns the token in the JSON, and the reason if there is one.
    pub(crate) fn token(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Asked => ("asked", None),
            Self::NotAsked => ("not-asked", None),
            Self::Unanswerable(reason) => ("unanswerable", Some(reason)),
            Self::Closed(reason) => ("closed", Some(reason)),
            Self::Unknown(reason) => ("unknown", Some(reason)),
        }
    }
}
