//! totpctl: enrolls, inspects and unlocks users of totpd.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;
use crate::error::Error;
use crate::terminal::output;

mod cli;
mod client;
mod commands;
mod daemon_log;
mod error;
mod findings;
mod host;
mod installed;
mod pam;
mod program;
mod sshd_drop_in;
mod terminal;
mod trial;
mod unit;

/// Wipes memory when it is freed, because it may hold keys and passphrases.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return report_not_parsed(&error),
    };
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error, cli.json);
            error.into()
        }
    }
}

/// Prints the help that was asked for, or what is wrong with the command line.
fn report_not_parsed(parse_error: &clap::Error) -> ExitCode {
    if !parse_error.use_stderr() {
        // A reader that closed the pipe has read enough of the help.
        let _ = parse_error.print();
        return ExitCode::SUCCESS;
    }
    let text = parse_error.to_string();
    let reason = text.split("\n\nUsage:").next().unwrap_or_default().trim_start_matches("error: ");
    let error = Error::Usage(reason.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some(object) = error.json().filter(|_| std::env::args_os().any(|arg| arg == "--json")) {
        let _ = output::json(&object);
    }
    let _ = parse_error.print();
    error.into()
}
