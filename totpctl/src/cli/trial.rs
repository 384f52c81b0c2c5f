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
    /// Do not ask about users that cannot be listed, nor whether a code or password alone is
    /// enough for ssh
    #[arg(long)]
    pub(crate) yes: bool,
}

impl ModuleOptions {
    /// Returns the options that the line gets; none if an existing line keeps its own.
    pub(crate) fn options(&self) -> Option<Vec<String>> {
        let all = self.options.iter().filter(|option| !option.is_empty()).cloned().collect();
        (self.no_options || !self.options.is_empty()).then_some(all)
    }

    /// Returns the command line with these options, without `--write-sshd`. `command`: "enable", or
    /// "try" with its own options.
    pub(crate) fn typed(&self, command: &str, service: &str) -> String {
        let mut line = format!("totpctl {command} {service}");
        for option in &self.options {
            let is_plain = !option.is_empty()
                && option
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-=.:".contains(&byte));
            let quoted = || format!("'{}'", option.replace('\'', r"'\''"));
            line.push_str(" --option ");
            line.push_str(&if is_plain { option.clone() } else { quoted() });
        }
        let flags = [
            (self.no_options, " --no-options"),
            (self.even_so, " --even-so"),
            (self.yes, " --yes"),
        ];
        line.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag));
        line
    }
}

/// How long a trial lasts, in minutes.
pub(crate) const DEFAULT_MINUTES: u16 = 5;

#[derive(Args, Debug)]
pub(crate) struct Try {
    /// The PAM service: sshd, sudo (and sudo -i), su (and su -), login
    #[arg(value_parser = service::name, add = ArgValueCandidates::new(candidates::services))]
    pub(crate) service: Option<String>,
    /// How long the trial lasts
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES,
          value_parser = clap::value_parser!(u16).range(1..=60))]
    pub(crate) minutes: u16,
    #[command(flatten)]
    pub(crate) options: ModuleOptions,
    /// Only show the change
    #[arg(long, requires = "service", conflicts_with = "undo")]
    pub(crate) dry_run: bool,
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command};

    #[test]
    fn a_command_line_is_given_back_as_it_was_typed() {
        for (typed, expected) in [
            (&["sshd"][..], "totpctl try sshd"),
            (&["sshd", "--option", "nullok", "--yes"], "totpctl try sshd --option nullok --yes"),
            (
                &["sshd", "--option", "prompt=It's: "],
                r"totpctl try sshd --option 'prompt=It'\''s: '",
            ),
            (&["sshd", "--no-options", "--write-sshd"], "totpctl try sshd --no-options"),
        ] {
            let words = ["totpctl", "try"].iter().chain(typed);
            let Some(Command::Try(options)) = Cli::try_parse_from(words).unwrap().command else {
                panic!("{typed:?}");
            };
            let service = options.service.unwrap();
            assert_eq!(options.options.typed("try", &service), expected);
        }
    }

    #[test]
    fn a_dry_run_is_of_a_service() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let Command::Try(options) = parse("totpctl try sshd --dry-run").unwrap().command.unwrap()
        else {
            panic!("another command");
        };
        assert!(options.dry_run);
        assert!(parse("totpctl try --dry-run").is_err());
        assert!(parse("totpctl try --undo --dry-run").is_err());
    }
}
