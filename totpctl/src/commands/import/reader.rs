//! The child that parses a file. It has no rights, and is not believed more than the form of its
//! lines says.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nix::unistd::User;
use totpd_formats::reading::line::{Line, MAX_LINE_BYTES};
use totpd_formats::reading::{Entry, Format, Refusal, Summary};
use zeroize::Zeroizing;

use crate::cli::Import;
use crate::{installed, program};

/// What is in a file.
pub(super) struct Reading {
    /// The uid of the owner of the file.
    pub(super) owner: u32,
    /// The entries, in the order of the file.
    pub(super) entries: Vec<Entry>,
    /// What the reader told at the end.
    pub(super) summary: Summary,
}

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is encrypted, and no passphrase was given.
    WantsPassphrase,
    /// Any other reason, as a clause.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WantsPassphrase => write!(f, "{}", Refusal::WantsPassphrase),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

/// Opens a file that root named, and has the child parse its bytes.
pub(super) fn read(
    path: &Path,
    options: &Import,
    passphrase: Option<&str>,
) -> Result<Reading, Failure> {
    let format = options.format;
    let unreadable = |error: io::Error| Failure::Other(format!("it cannot be read: {error}"));
    // A link at the end may lead to a file of root, and a FIFO keeps nobody waiting.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(nix::libc::ELOOP) => Failure::Other("it is a symbolic link; name the file".into()),
        _ => unreadable(error),
    })?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Failure::Other("it is no regular file".into()));
    }
    if metadata.len() > format.max_bytes() as u64 {
        return Err(Refusal::TooLarge(format.max_bytes() as u64).to_string().into());
    }
    let nobody = User::from_name("nobody").ok().flatten();
    let (uid, gid) = nobody.map_or((NOBODY, NOBODY), |user| (user.uid.as_raw(), user.gid.as_raw()));
    let mut command = command(format, &format!("{uid}:{gid}:"));
    command.arg(format!("--window={}", options.window));
    let [digits, period] = [options.digits.map(u32::from), options.period];
    command.args(digits.map(|digits| format!("--digits={digits}")));
    command.args(period.map(|period| format!("--period={period}")));
    if passphrase.is_some() {
        command.arg("--passphrase=yes");
    }
    let mut child = start(command.stdin(Stdio::piped()))?;
    let writer = child.stdin.take().map(|mut input| {
        let passphrase = passphrase.map(|text| Zeroizing::new(format!("{text}\n")));
        let limit = format.max_bytes() as u64 + 1;
        thread::spawn(move || {
            let passphrase = passphrase.as_deref().map_or(&[][..], |text| text.as_bytes());
            // A child that has refused the file reads no more of it.
            let _ = input.write_all(passphrase).and_then(|()| copy(file, &mut input, limit));
        })
    });
    let read = lines(&mut child);
    let ended = child.wait();
    drop(writer.map(thread::JoinHandle::join));
    let (entries, summary) = read.map_err(|failure| of_child(failure, ended))?;
    Ok(Reading { owner: metadata.uid(), entries, summary })
}

/// Copies at most `limit` bytes through memory that is wiped.
fn copy(file: File, to: &mut impl io::Write, limit: u64) -> io::Result<()> {
    let (mut file, mut buffer) = (file.take(limit), Zeroizing::new(vec![0; 64 << 10]));
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            read => to.write_all(buffer.get(..read).unwrap_or_default())?,
        }
    }
}

/// Returns a command for the child, which becomes this user.
pub(super) fn command(format: Format, identity: &str) -> Command {
    let now = Timestamp::now().as_second().max(0);
    let mut command = program::at(installed::importer());
    command
        .arg(format!("--format={}", format.name()))
        .arg(format!("--now={now}"))
        .arg(format!("--utc-offsets={}", utc_offsets().join(",")))
        .arg(format!("--as={identity}"))
        .current_dir("/");
    command
}

fn start(command: &mut Command) -> Result<Child, Failure> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    child.map_err(|error| {
        let path = installed::importer();
        Failure::Other(format!("{} does not start: {error}", path.display()))
    })
}

/// Reads the lines of the child.
fn lines(child: &mut Child) -> Result<(Vec<Entry>, Summary), Failure> {
    let output = child.stdout.take().ok_or_else(|| Failure::Other(FAILED.into()))?;
    parse(&mut BufReader::new(output))
}

/// Parses lines up to the last one.
pub(super) fn parse(output: &mut dyn io::BufRead) -> Result<(Vec<Entry>, Summary), Failure> {
    let mut entries = Vec::new();
    loop {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let read = output.take(MAX_LINE_BYTES as u64 + 1).read_line(&mut text);
        if !matches!(read, Ok(1..)) {
            return Err(Failure::Other(FAILED.into()));
        }
        match Line::parse(&text) {
            Ok(Line::Entry(entry)) => entries.push(*entry),
            Ok(Line::End(summary)) => return Ok((entries, summary)),
            Ok(Line::Refused(Refusal::WantsPassphrase)) => return Err(Failure::WantsPassphrase),
            Ok(Line::Refused(refusal)) => return Err(refusal.to_string().into()),
            Err(no_line) => return Err(no_line.to_string().into()),
        }
    }
}

/// Returns the failure with what the child said, if it said no line.
fn of_child(failure: Failure, ended: io::Result<std::process::ExitStatus>) -> Failure {
    match (failure, ended) {
        (Failure::Other(reason), Ok(status)) if reason == FAILED => {
            Failure::Other(format!("{reason} ({status})"))
        }
        (failure, _) => failure,
    }
}

/// Returns the seconds by which local time was ever ahead of UTC here.
fn utc_offsets() -> Vec<String> {
    let (zone, now) = (TimeZone::system(), Timestamp::now());
    let mut offsets = vec![zone.to_offset(now).seconds()];
    offsets
        .extend(zone.preceding(now).take(MAX_TRANSITIONS).map(|change| change.offset().seconds()));
    offsets.sort_unstable();
    offsets.dedup();
    offsets.iter().map(ToString::to_string).collect()
}

/// The usual uid of `nobody`.
const NOBODY: u32 = 65534;
/// The changes of local time that are looked at: those of a hundred years.
const MAX_TRANSITIONS: usize = 200;
const FAILED: &str = "its reader died, and nothing of the file was taken";
