//! The commands, one a file.

use crate::bus::Bus;
use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::input::user_or_caller;

mod completions;
mod confirm;
mod enroll;
mod list;
mod remove;
mod show;
mod unlock;
mod verify;

/// Runs the command that was asked for.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    let json = cli.json;
    match &cli.command {
        Command::Completions { shell } => completions::run(*shell),
        Command::Confirm { user, factor } => {
            confirm::run(&user_or_caller(user.as_deref())?, factor.as_deref(), json)
        }
        Command::Enroll(options) => {
            enroll::run(&user_or_caller(options.user.as_deref())?, options, json)
        }
        Command::List => list::run(json),
        Command::Remove { user, factor } => {
            remove::run(&user_or_caller(user.as_deref())?, factor.as_deref(), json)
        }
        Command::Show { user } => show::run(&user_or_caller(user.as_deref())?, json),
        Command::Unlock { user } => unlock::run(user, json),
        Command::Verify { user } => verify::run(&user_or_caller(user.as_deref())?, json),
    }
}

/// A current code of the user, asked for where one is needed: of everybody but root, where there
/// is a verified factor.
fn current_code(bus: &Bus, user: &str) -> Result<zeroize::Zeroizing<String>, Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(zeroize::Zeroizing::default());
    }
    let state = crate::json::object(&bus.manager(async |totpd| totpd.get_user(user).await)?);
    if crate::json::flag(&state, "enrolled") {
        return crate::input::code("Current code of your verified factor: ");
    }
    Ok(zeroize::Zeroizing::default())
}
