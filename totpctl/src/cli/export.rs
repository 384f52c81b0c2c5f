//! Options of `totpctl export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;

use super::{candidates, file};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The format
    #[arg(value_enum)]
    pub(crate) format: ExportFormat,
    /// The users; by default all who are enrolled
    #[arg(value_name = "USER", add = ArgValueCandidates::new(candidates::users))]
    pub(crate) users: Vec<String>,
    /// The file to create; for google-authenticator and several users, a folder
    #[arg(long, value_name = "FILE", value_parser = file::path)]
    pub(crate) output: PathBuf,
}

/// A format that is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The state file of pam_google_authenticator, one a user
    GoogleAuthenticator,
    /// The usersfile of pam_oath
    Oath,
    /// Links of the form otpauth://, one a line
    Uri,
    /// Portable Symmetric Key Container (RFC 6030)
    Pskc,
}
