//! The program that reads hostile files for totpctl. See the library.

use std::alloc::System;
use std::ffi::OsString;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use totp_import::arguments::Arguments;
use totp_import::exit_status::{ABSENT, NOT_READ, READ, UNUSABLE};
use totp_import::home_file::NotRead;
use totp_import::identity::Identity;
use totp_import::sandbox;
use totpd_formats::readers;
use totpd_formats::reading::Passphrase;
use totpd_formats::reading::line::Line;
use zeroize::Zeroizing;
use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is freed, because it may hold seeds.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    // A panic is the end of the lines, which totpctl notices. Its text may have a seed in it.
    std::panic::set_hook(Box::new(|_| ()));
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some(arguments) = Arguments::parse(&arguments) else {
        return end(UNUSABLE, "totpctl starts this program; see totpctl help import");
    };
    if arguments.identity.assume().is_err() {
        return end(UNUSABLE, "cannot give up the rights of root");
    }
    let limit = arguments.format.max_bytes();
    let content = match arguments.home_file.as_ref().map(|file| file.read(limit)) {
        None => None,
        Some(Ok(content)) => Some(content),
        Some(Err(NotRead::Absent)) => return ExitCode::from(ABSENT),
        Some(Err(NotRead::Refused(reason))) => return end(NOT_READ, &reason),
    };
    // Root opened its own file.
    if arguments.identity.is_root() && Identity::nobody().assume().is_err() {
        return end(UNUSABLE, "cannot give up the rights of root");
    }
    if let Err(error) = sandbox::enter() {
        return end(UNUSABLE, &error.to_string());
    }
    match read(&arguments, content) {
        Ok(()) => ExitCode::from(READ),
        Err(error) => end(NOT_READ, &format!("it cannot be read: {error}")),
    }
}

/// Reads the file, and writes its entries.
fn read(arguments: &Arguments, content: Option<Zeroizing<Vec<u8>>>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut passphrase = None;
    if arguments.has_passphrase {
        let mut line = Zeroizing::new(String::with_capacity(MAX_PASSPHRASE_BYTES));
        input.by_ref().take(MAX_PASSPHRASE_BYTES as u64).read_line(&mut line)?;
        let length = line.trim_end_matches('\n').len();
        line.truncate(length);
        passphrase = Some(Passphrase::new(line));
    }
    let content = match content {
        Some(content) => content,
        None => {
            let mut bytes = Zeroizing::new(Vec::new());
            // One byte more tells the reader that the file is too large.
            let most = arguments.format.max_bytes() as u64 + 1;
            input.take(most).read_to_end(&mut bytes)?;
            bytes
        }
    };
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut failed = Ok(());
    let mut write = |line: &Line| {
        if failed.is_ok() {
            failed = output.write_all(line.text().as_bytes());
        }
    };
    let (format, rules) = (arguments.format, &arguments.rules);
    let end = readers::read(format, &content, passphrase.as_ref(), rules, &mut |entry| {
        write(&Line::Entry(Box::new(entry)));
    });
    write(&end.map_or_else(Line::Refused, Line::End));
    failed.and_then(|()| output.flush())
}

fn end(status: u8, reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{reason}");
    ExitCode::from(status)
}

/// The bytes of a passphrase, with the end of its line.
const MAX_PASSPHRASE_BYTES: usize = 1024;
