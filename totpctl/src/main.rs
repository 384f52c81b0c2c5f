//! totpctl: enrols, inspects and unlocks users of totpd.

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

mod bus;
mod cli;
mod commands;
mod failure;
mod input;
mod json;
mod output;
mod progress;
mod qr;
mod secret;

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
