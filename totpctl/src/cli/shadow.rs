//! Options of `totpctl shadow`.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::{DEFAULT_MINUTES, candidates, service};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Shadow {
    /// The PAM service that pam_google_authenticator or pam_oath protects, for example sshd
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: Option<String>,
    /// Restore the line of the other module, also after a switch
    #[arg(long, requires = "service")]
    pub(crate) off: bool,
    /// How long the trial lasts
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES,
          value_parser = clap::value_parser!(u16).range(1..=60), conflicts_with = "off")]
    pub(crate) minutes: u16,
    /// Only show the change
    #[arg(long, requires = "service")]
    pub(crate) dry_run: bool,
    #[command(subcommand)]
    pub(crate) command: Option<ShadowCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShadowCommand {
    /// Show for each user whether totpd agrees with the other module, and why not (root)
    ///
    /// AGREE and DIFFER count logins. STATE is about the last login that the other module let in. A
    /// login without one within ten minutes counts as refused. With --json, one object a line.
    Report,
    /// Try pam_totp.so in the place of the other module; keep it after a login with a code (root)
    ///
    /// Refused while a user who got in within a week would not get in by totpd. Otherwise like
    /// "totpctl try". "totpctl shadow SERVICE --off" restores the line of the other module.
    Switch(Switch),
}

#[derive(Args, Debug)]
pub(crate) struct Switch {
    /// The PAM service, which is in shadow mode
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: String,
    /// An option of pam_totp.so, for example nullok (may be repeated)
    #[arg(long = "option", value_name = "OPTION")]
    pub(crate) options: Vec<String>,
    /// How long the trial lasts
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub(crate) minutes: u16,
    /// Only show the change
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Make the change although it denies users
    #[arg(long)]
    pub(crate) even_so: bool,
    /// Do not ask about users that cannot be listed, nor whether a code alone is enough for ssh
    #[arg(long)]
    pub(crate) yes: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_command_line_is_of_a_service_or_of_a_command() {
        let parse = |line: &str| Cli::try_parse_from(format!("totpctl shadow {line}").split(' '));
        let shadow = |line: &str| match parse(line).unwrap().command {
            Some(Command::Shadow(shadow)) => shadow,
            other => panic!("{other:?}"),
        };
        assert!(shadow("sshd").command.is_none() && shadow("sshd --off").off);
        assert!(matches!(shadow("report").command, Some(ShadowCommand::Report)));
        assert!(matches!(shadow("switch sshd").command, Some(ShadowCommand::Switch(_))));
        for line in ["--off", "sshd --off --minutes 3", "switch", "report sshd"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
