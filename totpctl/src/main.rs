//! totpctl: enrolls, inspects and unlocks users of totpd.

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;

mod agent;
mod bus;
mod cli;
mod commands;
mod failure;
mod input;
mod json;
mod output;
mod pam_change;
mod pam_files;
mod pipe;
mod program;
mod progress;
mod qr;
mod recovery;
mod remedy;
mod secret;

/// Memory is wiped when it is freed: keys and passphrases go through here.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.into()
        }
    }
}
