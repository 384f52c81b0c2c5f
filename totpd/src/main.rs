//! The daemon's program: its arguments and its exit status. [`totpd::server`] does the rest.

use std::alloc::System;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use totpd::config::{CONFIG_FILE, Config};
use totpd::server;
use totpd_journal::{Entry, Priority};
use totpd_store::Owner;
use zeroizing_alloc::ZeroAlloc;

/// The allocator. It wipes all memory when it is freed, also that of the libraries for the bus and
/// for backups.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let option = match arguments.as_slice() {
        [] => None,
        [option] => option.to_str(),
        _ => Some(""),
    };
    match option {
        None => serve(),
        Some("--check-config") => check_config(),
        Some("--help" | "-h") => print(HELP.trim_start()),
        Some("--version" | "-V") => print(concat!("totpd ", env!("CARGO_PKG_VERSION"), "\n")),
        Some(_) => {
            print_error("it takes one option at most: --check-config, --help or --version");
            ExitCode::from(2)
        }
    }
}

fn serve() -> ExitCode {
    match server::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Entry::new(Priority::Error, format!("cannot run: {error}")).write();
            print_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn check_config() -> ExitCode {
    match Config::load(Path::new(CONFIG_FILE), Owner::ROOT) {
        Ok((_, rules)) => {
            for warning in rules.warnings_of_files() {
                print_error(&warning);
            }
            print("the configuration is good\n")
        }
        Err(error) => {
            print_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn print_error(message: &str) {
    let _ = writeln!(std::io::stderr(), "totpd: {message}");
}

const HELP: &str = "
totpd, the daemon of the second factor. The system bus starts it when a login asks for a code.

Usage: totpd [OPTION]
  --check-config  check /etc/totpd/totpd.toml and its drop-ins, and exit
  --version       print the version and exit
  --help          print this and exit

It owns org.totpd.Totp1 on the system bus, reads /etc/totpd/totpd.toml when it starts, and keeps its
records in /var/lib/totpd, sealed under store.key there or the systemd credential totpd.key.
Decisions go to the journal (journalctl -t totpd). Manage users with totpctl.
";
