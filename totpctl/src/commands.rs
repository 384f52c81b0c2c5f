//! Dispatches the commands. Each has a file.

use crate::cli::{Cli, Command, Disable, Enable, Enroll, RulesCommand, TrustCommand, Try};
use crate::client::authentication;
use crate::error::Error;
use crate::terminal::input::user_or_caller;
use crate::terminal::output;

mod backup;
mod completions;
mod confirm;
mod current_code;
mod damaged_records;
mod disable;
mod doctor;
mod enable;
mod enroll;
mod explain;
mod export;
mod import;
mod last_factor;
mod list;
mod named_factor;
mod next_step;
mod preflight;
mod recovery_codes;
mod rekey;
mod remove;
mod restore;
mod resync;
mod root_commands;
mod rules;
mod seal_key;
mod set;
mod show;
mod sshd_lines;
mod status;
mod trial;
mod trust;
mod unlock;
mod user_state;
mod verify;
mod verify_store;

/// Runs the command. A row for each of them.
pub(crate) fn run(cli: &Cli) -> Result<(), Error> {
    let json = cli.json;
    let Some(command) = &cli.command else {
        return output::data(&Cli::clap().render_help().to_string());
    };
    root_commands::check(command, nix::unistd::geteuid().is_root())?;
    if cli.no_ask_password || only_reads(command) {
        authentication::never_ask();
    }
    match command {
        Command::Backup { file, recipient } => backup::run(file, recipient, json),
        Command::Completions { shell } => completions::run(*shell),
        Command::Confirm { user, factor } => {
            confirm::run(&user_or_caller(user.as_deref())?, factor.as_deref(), json)
        }
        Command::Disable(Disable { service, dry_run, even_so }) => {
            disable::run(service, *dry_run, *even_so, json)
        }
        Command::Doctor(options) => doctor::run(options, json),
        Command::Enable(Enable { service, password: true, dry_run, .. }) => {
            enable::listen(service, *dry_run, json)
        }
        Command::Enable(Enable { service, options, dry_run, .. }) => {
            enable::enable(service, options, *dry_run, json)
        }
        Command::Enroll(options) => run_enroll(options, json),
        Command::Explain(options) => explain::run(options, json),
        Command::Export(options) => export::run(options, json),
        Command::Import(options) => import::run(options, json),
        Command::List => list::run(json),
        Command::RecoveryCodes { user, save } => {
            recovery_codes::run(&user_or_caller(user.as_deref())?, save.as_deref(), json)
        }
        Command::Rename { factor, words } => match words.as_slice() {
            [user, name] => set::rename(user, factor.as_deref(), name, json),
            [name] => set::rename(&user_or_caller(None)?, factor.as_deref(), name, json),
            _ => Err(Error::Usage("rename takes a name, or a user and a name".into())),
        },
        Command::Set(options) => set::run(&user_or_caller(options.user.as_deref())?, options, json),
        Command::Rekey => rekey::run(json),
        Command::Rules { command: RulesCommand::Reload } => rules::reload(json),
        Command::Rules { command: RulesCommand::Check { file } } => {
            rules::check(file.as_deref(), json)
        }
        Command::Remove { user, factor, yes } => {
            remove::run(&user_or_caller(user.as_deref())?, factor.as_deref(), *yes, json)
        }
        Command::Restore { file, identity, fingerprint, unsigned, replace, dry_run, yes } => {
            restore::run(
                file,
                &restore::Options {
                    identity: identity.as_deref(),
                    fingerprint: fingerprint.as_deref(),
                    unsigned: *unsigned,
                    replace: *replace,
                    dry_run: *dry_run,
                    yes: *yes,
                },
                json,
            )
        }
        Command::Resync { user, factor } => {
            resync::run(&user_or_caller(user.as_deref())?, factor.as_deref(), json)
        }
        Command::SealKey { undo: true, .. } => seal_key::undo(json),
        Command::SealKey { pcrs, .. } => seal_key::seal(pcrs, json),
        Command::Show { user } => show::run(&user_or_caller(user.as_deref())?, json),
        Command::Status => status::run(json),
        Command::Trust { command: TrustCommand::List(whose) } => trust::list(whose, json),
        Command::Trust { command: TrustCommand::Revoke(whose) } => trust::revoke(whose, json),
        Command::Try(options) => run_try(options, json),
        Command::Unlock { user } => unlock::run(user, json),
        Command::Verify { user } => verify::run(&user_or_caller(user.as_deref())?, json),
        Command::VerifyStore => verify_store::run(json),
    }
}

fn run_enroll(options: &Enroll, json: bool) -> Result<(), Error> {
    match &options.batch {
        Some(file) => enroll::batch::run(file, options),
        // The parser does not require an option that excludes one that is there.
        None if options.dry_run || options.sheet.is_some() => {
            Err(Error::Usage("--dry-run and --sheet need --batch; nothing is changed".into()))
        }
        None => enroll::run(&user_or_caller(options.user.as_deref())?, options, json),
    }
}

fn run_try(options: &Try, json: bool) -> Result<(), Error> {
    match options {
        Try { count_down: Some(seconds), of, .. } => trial::count_down(*seconds, of.as_deref()),
        Try { undo: true, of, .. } => trial::undo(of.as_deref(), json),
        Try { service: Some(service), minutes, options, dry_run, .. } => {
            trial::run(service, *minutes, options, *dry_run, json)
        }
        Try { .. } => trial::state(json),
    }
}

/// Reports whether a command only reads what the daemon has. Nobody is asked for a password for
/// that. `doctor accept` writes a file of root, and asks the daemon no more than `doctor`.
fn only_reads(command: &Command) -> bool {
    matches!(
        command,
        Command::Doctor(_)
            | Command::Explain(_)
            | Command::List
            | Command::Show { .. }
            | Command::Status
            | Command::Trust { command: TrustCommand::List(_) }
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn commands_that_only_read_never_ask_for_a_password() {
        for (line, expected) in [
            ("totpctl doctor", true),
            ("totpctl doctor accept --list", true),
            ("totpctl doctor accept clock-unknown --reason r", true),
            ("totpctl status", true),
            ("totpctl explain alice sshd", true),
            ("totpctl rules reload", false),
            ("totpctl trust list --all", true),
            ("totpctl trust revoke", false),
            ("totpctl enroll", false),
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.command.as_ref().map(only_reads), Some(expected), "{line}");
        }
    }
}
