//! Asks sshd for its configuration (`sshd -T`).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use super::config::effective::Effective;
use super::config::trace::Trace;
use super::launch::Launch;
use crate::program;

/// An answer of sshd.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) config: Effective,
    pub(crate) trace: Trace,
}

/// The reason why sshd gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What failed, and why.
    pub(crate) message: String,
    pub(crate) place: Option<(String, usize)>,
    /// The change to make, as an imperative.
    pub(crate) fix: Option<String>,
    /// True if it did not answer in time.
    pub(crate) is_timeout: bool,
    /// True if it cannot read its lines.
    pub(crate) is_of_lines: bool,
    /// True if sshd says that its configuration is invalid, so it does not start again.
    pub(crate) is_invalid: bool,
}

impl Failure {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            place: None,
            fix: None,
            is_timeout: false,
            is_of_lines: false,
            is_invalid: false,
        }
    }
}

/// Has the later questions of [`ask`] be asked as if these settings (`KEYWORD=VALUE`) stood in a
/// file that sshd reads first. Its `Match` blocks still come after them.
pub(crate) fn suppose(settings: Vec<String>) {
    // A second change of the same run would need answers of its own, and no command makes one.
    let _ = SUPPOSED.set(settings);
}

static SUPPOSED: OnceLock<Vec<String>> = OnceLock::new();

/// Reports whether something is supposed.
pub(crate) fn supposes() -> bool {
    SUPPOSED.get().is_some()
}

/// Asks for the configuration that applies to this connection, or to one that matches no block.
pub(crate) fn ask(connection: Option<&str>) -> Result<Answer, Failure> {
    ask_with(SUPPOSED.get().map_or(&[], Vec::as_slice), connection)
}

/// Asks for the configuration of a connection that matches no block, as the files have it now.
pub(crate) fn ask_files() -> Result<Answer, Failure> {
    ask_with(&[], None)
}

/// Asks as if these settings stood in a file that sshd reads first.
pub(crate) fn ask_with(supposed: &[String], connection: Option<&str>) -> Result<Answer, Failure> {
    let answer = ask_once(supposed, connection);
    match &answer {
        // With a block for a port, OpenSSH 9.2 has to know the port.
        Err(failure) if connection.is_none() && failure.message.contains(PORT_IS_MISSING) => {
            ask_once(supposed, Some(&format!("lport={UNUSED_PORT}")))
        }
        _ => answer,
    }
}

fn ask_once(supposed: &[String], connection: Option<&str>) -> Result<Answer, Failure> {
    let launch = &Launch::of_host().checked;
    let of_launch = launch.words();
    let mut options: Vec<_> = of_launch.iter().map(String::as_str).collect();
    options.extend(supposed.iter().flat_map(|setting| ["-o", setting.as_str()]));
    options.extend(["-T", "-ddd"]);
    options.extend(connection.into_iter().flat_map(|connection| ["-C", connection]));
    let mut output = run(&options)?;
    if cannot_start(&messages(&output)) {
        // Since OpenSSH 9.3 sshd needs neither its folder nor its keys for this.
        let only_print = run(&[&["-G"], options.as_slice()].concat())?;
        if only_print.status.success() {
            output = only_print;
        } else if let Some(folder) = missing_folder(&messages(&output)) {
            create_folder(folder)?;
            output = run(&options)?;
        }
    }
    match output.status.success() {
        true => Ok(Answer {
            config: Effective::parse(&String::from_utf8_lossy(&output.stdout)),
            trace: Trace::parse(&messages(&output)).with_options(launch.keywords()),
        }),
        false => Err(explain(&messages(&output))),
    }
}

fn run(options: &[&str]) -> Result<Output, Failure> {
    let result = program::find("sshd").and_then(|mut sshd| {
        sshd.args(options).stdin(Stdio::null());
        program::output_within(sshd, program::ANSWER_TIMEOUT)
    });
    result.map_err(|error| Failure {
        is_timeout: error.kind() == io::ErrorKind::TimedOut,
        ..Failure::new(format!("cannot run sshd -T: {error}"))
    })
}

fn messages(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Reports whether sshd could read its configuration, and misses what only a running sshd needs.
fn cannot_start(messages: &str) -> bool {
    missing_folder(messages).is_some() || messages.contains(NO_HOST_KEYS)
}

/// Returns the folder for privilege separation that is missing.
fn missing_folder(messages: &str) -> Option<&str> {
    let words = "Missing privilege separation directory: ";
    messages.lines().find_map(|line| line.strip_prefix(words)).map(str::trim)
}

/// Creates the folder for privilege separation, as the unit of sshd does. It stays: an sshd that
/// starts at this moment would refuse all logins without it.
fn create_folder(folder: &str) -> Result<(), Failure> {
    let failure = |cause: String| Failure {
        fix: Some(format!("run mkdir {folder}, or start sshd once")),
        ..Failure::new(format!("sshd cannot read its configuration (sshd -T): {cause}"))
    };
    if !folder.starts_with("/run/") && !folder.starts_with("/var/run/") {
        return Err(failure(format!("it misses the folder {folder}")));
    }
    let created = match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    created.map_err(|error| failure(format!("cannot create {folder}: {error}")))
}

/// Explains why sshd gave up.
pub(crate) fn explain(messages: &str) -> Failure {
    let is_harmless =
        |line: &str| line.contains(" Deprecated option ") || line.contains(" Unsupported option ");
    let mut lines = messages
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_debug(line) && !is_harmless(line));
    let first_line = lines.next();
    let mut first = first_line.unwrap_or("no message").trim_end_matches('.').to_owned();
    let mut fix = None;
    if messages.contains(NO_HOST_KEYS) {
        first = "it has no host keys, so it cannot start".into();
        fix = Some("run ssh-keygen -A".into());
    } else if first.contains("AuthenticationMethods cannot be satisfied")
        || first.starts_with("Disabled method")
    {
        first = "AuthenticationMethods requires methods that are turned off, so sshd cannot start"
            .into();
        fix = Some(
            "turn on all methods of a list, for example KbdInteractiveAuthentication yes".into(),
        );
    }
    let (place, first) = match location(&first) {
        Some((place, rest)) => (Some(place), rest),
        // sshd may say what is wrong, and in its next line where.
        None => (lines.find_map(location).map(|(place, _)| place), first),
    };
    let message = format!("sshd cannot read its configuration (sshd -T): {first}");
    // A new machine has no host keys before sshd starts for the first time.
    let is_invalid = first_line.is_some() && !messages.contains(NO_HOST_KEYS);
    Failure { place, fix, is_of_lines: true, is_invalid, ..Failure::new(message) }
}

fn is_debug(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(level, _)| {
        level.strip_prefix("debug").is_some_and(|rest| rest.parse::<u8>().is_ok())
    })
}

/// Returns the file and the line at the start of a message, and the rest. sshd writes
/// `FILE: line N: REST` or `FILE line N: REST`.
fn location(message: &str) -> Option<((String, usize), String)> {
    let (file, rest) = message.split_once(" line ")?;
    let (number, rest) = rest.split_once(':')?;
    let file = file.trim_end_matches(':');
    let number = number.parse().ok()?;
    file.starts_with('/').then(|| ((file.to_owned(), number), rest.trim().to_owned()))
}

/// sshd stops at a block for a port if it is not told which port to test.
const PORT_IS_MISSING: &str = "'lport' not in connection test specification";
/// A port that no block names. No sshd listens on it, because it belongs to tcpmux.
const UNUSED_PORT: u16 = 1;
const NO_HOST_KEYS: &str = "no hostkeys available";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_named_by_sshd() {
        let messages = "debug1: x\nMissing privilege separation directory: /run/sshd\r\n";
        assert_eq!(missing_folder(messages), Some("/run/sshd"));
        assert!(
            cannot_start(messages) && cannot_start("sshd: no hostkeys available -- exiting.\n")
        );
        assert!(!cannot_start("/etc/ssh/sshd_config: line 7: Bad configuration option: x\n"));
        // Only a folder that is gone after a boot may be created.
        assert!(create_folder("/var/empty/no-such-folder/x").is_err());
    }
}
