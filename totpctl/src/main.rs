//! totpctl: enrolls, inspects and unlocks users of totpd.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;
use crate::terminal::output;

mod cli;
mod client;
mod commands;
mod error;
mod installed;
mod pam;
mod program;
mod terminal;
mod trial;
mod unit;

/// Wipes memory when it is freed, because it may hold keys and passphrases.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = Cli::read();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error);
            error.into()
        }
    }
}
