//! Options of the commands that change a stack.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::{candidates, service};

#[derive(Args, Debug)]
pub(crate) struct ModuleOptions {
    /// An option of pam_totp.so, for example nullok (may be repeated)
    ///
    /// Without this, an existing line keeps its options.
    #[arg(long = "option", value_name = "OPTION", conflicts_with = "no_options")]
    options: Vec<String>,
    /// Drop all options of pam_totp.so
    #[arg(long)]
    no_options: bool,
    /// Also refuse a login without a code that comes by a key alone (for sshd, cockpit and login)
    ///
    /// Adds the line "account required pam_totp.so guard". Without --guard, a line that is there
    /// stays. "totpctl disable" removes it.
    #[arg(long)]
    pub(crate) guard: bool,
    /// Make the change although it denies users, or a program that reads the same stack
    #[arg(long)]
    pub(crate) even_so: bool,
    /// Write what sshd needs to ask for a code, and reload sshd (for sshd)
    ///
    /// The file is /etc/ssh/sshd_config.d/10-totp.conf. Without this, a terminal is asked. Without
    /// a terminal, the command is refused if sshd cannot ask.
    #[arg(long)]
    pub(crate) write_sshd: bool,
    /// Do not ask about users that cannot be listed, nor whether a code alone may let users in by
    /// ssh
    #[arg(long)]
    pub(crate) yes: bool,
}

impl ModuleOptions {
    /// Returns the options that the line gets; none if an existing line keeps its own.
    pub(crate) fn options(&self) -> Option<Vec<String>> {
        let all = self.options.iter().filter(|option| !option.is_empty()).cloned().collect();
        (self.no_options || !self.options.is_empty()).then_some(all)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Try {
    /// The PAM service: sshd, sudo (and sudo -i), su (and su -), login
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: Option<String>,
    /// How long the trial lasts
    #[arg(long, value_name = "MINUTES", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub(crate) minutes: u16,
    #[command(flatten)]
    pub(crate) options: ModuleOptions,
    /// Revert the current trial at once
    #[arg(long, conflicts_with = "service")]
    pub(crate) undo: bool,
    /// Only the trial with this id
    #[arg(long, hide = true)]
    pub(crate) of: Option<String>,
    /// Wait this many seconds, and then end the trial
    #[arg(long, hide = true, requires = "of", conflicts_with = "service")]
    pub(crate) count_down: Option<u64>,
}
