//! totpctl: enrolls, inspects and unlocks users of totpd.

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;
use crate::terminal::output;

mod cli;
mod client;
mod commands;
mod error;
mod pam;
mod program;
mod terminal;
mod trial;

/// Memory is wiped when it is freed: keys and passphrases go through here.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::print_error(&failure);
            failure.into()
        }
    }
}
