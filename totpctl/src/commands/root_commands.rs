//! The commands of root alone. All others are decided by totpd and polkit.

use crate::cli::{Command, Disable, DoctorCommand, Enable, Try};
use crate::error::Error;

/// Fails for all users but root if only root may run the command, before anything is read or asked.
pub(super) fn check(command: &Command, is_root: bool) -> Result<(), Error> {
    match what(command).filter(|_| !is_root) {
        Some(what) => {
            Err(Error::NotAuthorized(format!("not authorized: only root may {what}; use sudo")))
        }
        None => Ok(()),
    }
}

/// Returns what a command of root does.
fn what(command: &Command) -> Option<&'static str> {
    match command {
        Command::Backup { .. } => Some("back up the store"),
        Command::Disable(Disable { dry_run: false, .. })
        | Command::Enable(Enable { dry_run: false, .. }) => Some("change a PAM service"),
        Command::Enable(Enable { dry_run: true, .. }) => Some(
            "see what that would change; it depends on the users of the store and the configuration of sshd",
        ),
        Command::Doctor(options) => match &options.command {
            Some(DoctorCommand::Accept(accept)) if !accept.list => Some("accept findings"),
            _ => None,
        },
        Command::Enroll(options) if options.no_confirm && options.batch.is_none() => {
            Some("enroll without a first code")
        }
        Command::Export(_) => Some("write seeds to a file"),
        Command::Import(_) => Some("take over factors from another program"),
        Command::Rules { .. } => Some("put rules in force, or compare them"),
        Command::Rekey | Command::SealKey { .. } => Some("change the key of the store"),
        Command::Restore { .. } => Some("restore the store"),
        Command::Try(Try { service: Some(_), .. } | Try { undo: true, .. }) => {
            Some("change a PAM service")
        }
        Command::Try(_) => Some("see what is being tried"),
        Command::VerifyStore => Some("read the store"),
        Command::Completions { .. }
        | Command::Confirm { .. }
        | Command::Disable(Disable { dry_run: true, .. })
        | Command::Enroll(_)
        | Command::Explain(_)
        | Command::List
        | Command::RecoveryCodes { .. }
        | Command::Remove { .. }
        | Command::Rename { .. }
        | Command::Resync { .. }
        | Command::Set(_)
        | Command::Show { .. }
        | Command::Status
        | Command::Trust { .. }
        | Command::Unlock { .. }
        | Command::Verify { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    /// A line of each command, and whether root alone may run it.
    const LINES: &[(&str, bool)] = &[
        ("backup /b", true),
        ("completions bash", false),
        ("confirm", false),
        ("disable sshd", true),
        ("disable sshd --dry-run", false),
        ("doctor", false),
        ("doctor --explain clock-unknown", false),
        ("doctor accept --list", false),
        ("doctor accept clock-unknown --reason r", true),
        ("doctor accept --remove clock-unknown", true),
        ("enable sshd", true),
        ("enable sshd --dry-run", true),
        ("enroll", false),
        ("enroll --batch /b --no-confirm", false),
        ("enroll alice --no-confirm", true),
        ("explain alice sshd", false),
        ("export uri --output /e", true),
        ("import oath /o", true),
        ("import oath /o --dry-run", true),
        ("list", false),
        ("recovery-codes", false),
        ("rekey", true),
        ("remove alice", false),
        ("rename Pixel", false),
        ("restore /b", true),
        ("restore /b --dry-run", true),
        ("resync", false),
        ("rules check", true),
        ("rules reload", true),
        ("seal-key --tpm2", true),
        ("seal-key --undo", true),
        ("set --disable", false),
        ("show", false),
        ("status", false),
        ("trust list --all", false),
        ("trust revoke", false),
        ("try", true),
        ("try sshd", true),
        ("try sshd --dry-run", true),
        ("try --undo", true),
        ("unlock alice", false),
        ("verify", false),
        ("verify-store", true),
    ];

    #[test]
    fn other_users_are_told_at_once_that_a_command_is_of_root() {
        for (line, is_of_root) in LINES {
            let cli = Cli::try_parse_from(format!("totpctl {line}").split(' '));
            let command = cli.unwrap_or_else(|error| panic!("{line}: {error}")).command.unwrap();
            assert!(check(&command, true).is_ok(), "{line}");
            match check(&command, false) {
                Ok(()) => assert!(!is_of_root, "{line}"),
                Err(error @ Error::NotAuthorized(_)) => {
                    let told = error.to_string();
                    assert!(told.starts_with("not authorized: only root may "), "{line}: {told}");
                    assert!(is_of_root, "{line}");
                }
                Err(error) => panic!("{line}: {error}"),
            }
        }
    }

    #[test]
    fn a_dry_run_is_told_why_root_has_to_run_it() {
        for (line, expected) in [
            ("enable sshd --dry-run", "only root may see what that would change; it depends on"),
            ("enable sshd", "only root may change a PAM service; use sudo"),
        ] {
            let cli = Cli::try_parse_from(format!("totpctl {line}").split(' ')).unwrap();
            let told = check(&cli.command.unwrap(), false).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
            assert_eq!(told.contains("change a PAM service"), !line.contains("dry"), "{told}");
        }
    }

    #[test]
    fn every_command_has_a_line() {
        for command in Cli::clap().get_subcommands() {
            let name = command.get_name();
            let has = |line: &str| line.split(' ').next() == Some(name);
            assert!(LINES.iter().any(|(line, _)| has(line)), "{name}");
        }
    }
}
