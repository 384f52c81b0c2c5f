//! Options of `totpctl set`.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::candidates;

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The user; by default the caller
    #[arg(add = ArgValueCandidates::new(candidates::users))]
    pub(crate) user: Option<String>,
    /// The factor, by id or name; by default the only one
    #[arg(long, value_name = "FACTOR", add = ArgValueCandidates::new(candidates::factors))]
    pub(crate) factor: Option<String>,
    /// Its purpose, as text for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// The PAM services for which it is valid, as in sshd,sudo,sudo-i; "" for all
    ///
    /// `sudo -i` asks as sudo-i and `su -` as su-l on most distributions: the answer names what is
    /// missing. It also names services that this host does not have. A terminal is asked about
    /// those.
    #[arg(long, value_name = "NAMES")]
    pub(crate) services: Option<String>,
    /// Not valid before: 2027-01-15, or "2027-01-15 12:00", local time; "" for no limit
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// Not valid from then on
    #[arg(long, value_name = "TIME")]
    pub(crate) not_after: Option<String>,
    /// Disable the factor
    #[arg(long, conflicts_with = "enable")]
    pub(crate) disable: bool,
    /// Enable the factor again
    #[arg(long)]
    pub(crate) enable: bool,
    /// Do not ask about services that this host lacks, nor before the user loses one that asks for
    /// a code
    #[arg(long)]
    pub(crate) yes: bool,
}
