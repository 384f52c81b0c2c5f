//! The arguments of `totpctl enable` and `totpctl disable`.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::{ModuleOptions, candidates, service};

#[derive(Debug, Args)]
pub(crate) struct Enable {
    /// The PAM service: sshd, sudo (and sudo -i), su (and su -), login
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) options: ModuleOptions,
    /// Instead have it tell totpd of changed passwords, for passwd: remembered logins then end
    #[arg(long, conflicts_with_all = ["options", "no_options", "guard", "write_sshd"])]
    pub(crate) password: bool,
    /// Only show the change
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// The PAM service
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: String,
    /// Only show the change
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also if users without a password could then not log in by ssh
    #[arg(long)]
    pub(crate) even_so: bool,
}
