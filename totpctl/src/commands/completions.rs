//! `totpctl completions`: prints a completion script for a shell.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(shell: clap_complete::Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "totpctl", &mut script);
    output::data(&String::from_utf8_lossy(&script))
}
