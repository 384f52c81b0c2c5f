//! The commands on remembered logins.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// List the remembered logins: from where, at which service, and until when
    List(Whose),
    /// End the remembered logins: the next one of each kind needs a code
    Revoke(Whose),
}

/// The users whose logins are meant.
#[derive(Args, Debug)]
pub(crate) struct Whose {
    /// The user; by default the caller
    #[arg(conflicts_with = "all", add = ArgValueCandidates::new(candidates::users))]
    pub(crate) user: Option<String>,
    /// All users (administrators)
    #[arg(long)]
    pub(crate) all: bool,
}
