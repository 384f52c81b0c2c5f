//! Log records in the formats of journald and syslog, for the daemon and the PAM module. The crate
//! also has the one [`escape`](mod@escape) of hostile text.
//!
//! The crate sends a record to the socket of journald. If there is none, it sends the record to the
//! socket of syslog. It never waits.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use rustix::fd::OwnedFd;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sendto, socket_with,
};
use rustix::process::getpid;

pub mod escape;

use crate::escape::{escape, escape_within};

/// The severity of a record (RFC 5424 section 6.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Priority {
    /// A fault that makes logins fail.
    Error = 3,
    /// A condition that needs attention.
    Warning = 4,
    /// A refusal, or a change of factors.
    Notice = 5,
    /// An ordinary event.
    Info = 6,
    /// A record that is written only if an administrator asks for it.
    Debug = 7,
}

/// The program that writes a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// The PAM module, a guest in another program. Its records never go to standard error.
    PamTotp,
    /// The tool of the administrator, which says the same to a person at a terminal.
    Totpctl,
    /// The daemon. If there is no log, its records go to standard error.
    Totpd,
}

/// A record of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    program: Program,
    priority: Priority,
    message: String,
    /// The other fields, one in each line.
    fields: String,
}

impl Program {
    const fn identifier(self) -> &'static str {
        match self {
            Self::PamTotp => "pam_totp",
            Self::Totpctl => "totpctl",
            Self::Totpd => "totpd",
        }
    }
}

impl Entry {
    /// Returns a record of the daemon with this sentence. The sentence is escaped and cut at
    /// [`MAX_MESSAGE_CHARS`].
    #[must_use]
    pub fn new(priority: Priority, message: String) -> Self {
        let message = match escape_within(&message, MAX_MESSAGE_CHARS) {
            Cow::Borrowed(_) => message,
            Cow::Owned(escaped) => escaped,
        };
        Self { program: Program::Totpd, priority, message, fields: String::new() }
    }

    /// Sets the program of the record to `program`.
    #[must_use]
    pub fn by(self, program: Program) -> Self {
        Self { program, ..self }
    }

    /// Adds an escaped field, if `value` is not empty.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            if self.fields.is_empty() {
                self.fields.reserve(FIELDS_BYTES);
            }
            for part in [field, "=", &escape(value), "\n"] {
                self.fields.push_str(part);
            }
        }
        self
    }

    /// Writes the record to the first log that takes it. A log that is full or absent loses the
    /// record, because a login does not wait for a log.
    pub fn write(&self) {
        if self.send().is_err() && self.program == Program::Totpd {
            let _ = writeln!(io::stderr(), "totpd: {}", self.message);
        }
    }

    /// Returns the record in journald's native protocol, one field in each line.
    #[must_use]
    pub fn native(&self) -> Vec<u8> {
        let (priority, identifier) = (self.priority as u8, self.program.identifier());
        let pid = getpid();
        let Self { message, fields, .. } = self;
        let mut text = String::with_capacity(message.len() + fields.len() + OTHER_FIELDS_BYTES);
        let _ = write!(
            text,
            "MESSAGE={message}\nPRIORITY={priority}\nSYSLOG_FACILITY={AUTHPRIV}\n\
             SYSLOG_IDENTIFIER={identifier}\nSYSLOG_PID={pid}\n{fields}"
        );
        text.into_bytes()
    }

    /// Returns the record as a line of syslog, without its fields.
    fn syslog(&self) -> String {
        let priority = AUTHPRIV * 8 + self.priority as u8;
        let (identifier, pid) = (self.program.identifier(), getpid());
        format!("<{priority}>{identifier}[{pid}]: {}", self.message)
    }

    fn send(&self) -> rustix::io::Result<()> {
        match self.program {
            // A guest leaves no descriptor in the process of another program.
            Program::PamTotp | Program::Totpctl => self.send_from(&unbound_socket()?),
            Program::Totpd => match SOCKET.get() {
                Some(socket) => self.send_from(socket),
                None => {
                    let socket = unbound_socket()?;
                    self.send_from(SOCKET.get_or_init(|| socket))
                }
            },
        }
    }

    fn send_from(&self, socket: &OwnedFd) -> rustix::io::Result<()> {
        let send_to = |bytes: &[u8], path| {
            sendto(socket, bytes, SendFlags::NOSIGNAL, &SocketAddrUnix::new(path)?)
        };
        if send_to(&self.native(), JOURNAL).is_err() {
            send_to(self.syslog().as_bytes(), SYSLOG)?;
        }
        Ok(())
    }
}

fn unbound_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)
}

/// The socket of the daemon. It is not connected, so a log may restart.
static SOCKET: OnceLock<OwnedFd> = OnceLock::new();

/// The maximum number of characters of a message. Three hostile names of 256 characters are
/// shorter, even escaped.
pub const MAX_MESSAGE_CHARS: usize = 8192;

/// The bytes of the fields that callers add to most records.
const FIELDS_BYTES: usize = 512;
/// The bytes of the fields that every record has, without its message.
const OTHER_FIELDS_BYTES: usize = 128;
const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";
/// The facility of syslog for logins (RFC 5424 section 6.2.1).
const AUTHPRIV: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_forge_a_field_or_a_line() {
        let entry = Entry::new(Priority::Notice, "hello".into())
            .with("TOTP_USER", "a\nTOTP_VERDICT=approved\u{1b}[2J\u{202e}")
            .with("TOTP_TTY", "");
        let native = String::from_utf8(entry.native()).unwrap();
        assert_eq!(native.lines().filter(|line| line.starts_with("TOTP_")).count(), 1, "{native}");
        assert!(native.contains(r"TOTP_USER=a\u{a}TOTP_VERDICT=approved\u{1b}[2J\u{202e}"));
        assert!(native.starts_with("MESSAGE=hello\nPRIORITY=5\nSYSLOG_FACILITY=10\n"), "{native}");
    }

    #[test]
    fn no_message_can_forge_a_field_or_a_line() {
        let entry = Entry::new(Priority::Notice, "a\nPRIORITY=0\u{1b}[2J".into());
        let native = String::from_utf8(entry.native()).unwrap();
        assert!(
            native.starts_with("MESSAGE=a\\u{a}PRIORITY=0\\u{1b}[2J\nPRIORITY=5\n"),
            "{native}"
        );
        assert!(!entry.syslog().contains(char::is_control));
    }

    #[test]
    fn a_message_of_megabytes_is_cut() {
        let entry = Entry::new(Priority::Debug, "x".repeat(1_000_000)).by(Program::PamTotp);
        assert!(entry.native().len() < MAX_MESSAGE_CHARS + 200);
    }

    #[test]
    fn syslog_gets_facility_severity_and_program() {
        let entry = Entry::new(Priority::Error, "broken".into());
        for (entry, start) in
            [(entry.clone(), "<83>totpd["), (entry.by(Program::PamTotp), "<83>pam_totp[")]
        {
            let line = entry.syslog();
            assert!(line.starts_with(start) && line.ends_with("]: broken"), "{line}");
        }
    }

    #[test]
    fn journald_gets_the_program_and_its_process() {
        let entry = Entry::new(Priority::Debug, "x".into()).by(Program::PamTotp);
        let native = String::from_utf8(entry.native()).unwrap();
        let program = format!("SYSLOG_IDENTIFIER=pam_totp\nSYSLOG_PID={}\n", std::process::id());
        assert!(native.starts_with("MESSAGE=x\nPRIORITY=7\n") && native.ends_with(&program));
    }
}
