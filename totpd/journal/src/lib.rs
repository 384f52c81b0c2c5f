//! What goes into the log: one structured record for each decision, never a code or a seed.
//!
//! The journal's own socket comes first, then that of syslog, then standard error.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;

/// How much a record matters (syslog's severities, RFC 5424 section 6.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Priority {
    /// Something is broken and logins fail.
    Error = 3,
    /// Something is off.
    Warning = 4,
    /// A refusal, or a change of factors.
    Notice = 5,
    /// All is well.
    Info = 6,
}

/// A record of the log.
#[derive(Debug)]
pub struct Entry {
    priority: Priority,
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Entry {
    /// A record with this sentence. What others chose must have gone through [`escaped`].
    #[must_use]
    pub fn new(priority: Priority, message: String) -> Self {
        Self { priority, message, fields: Vec::new() }
    }

    /// Adds a field, escaping what others chose.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.fields.push((field, escaped(value)));
        }
        self
    }

    /// Writes it wherever this machine keeps its log.
    pub fn write(&self) {
        let Ok(socket) = UnixDatagram::unbound() else {
            return self.write_to_stderr();
        };
        // A log that is stuck must not hold up logins.
        let _ = socket.set_nonblocking(true);
        if socket.send_to(&self.native(), JOURNAL).is_err()
            && socket.send_to(self.syslog().as_bytes(), SYSLOG).is_err()
        {
            self.write_to_stderr();
        }
    }

    /// The journal's native protocol: a field a line. Values hold no newline.
    #[must_use]
    pub fn native(&self) -> Vec<u8> {
        let mut text = format!(
            "MESSAGE={}\nPRIORITY={}\nSYSLOG_FACILITY={AUTHPRIV}\nSYSLOG_IDENTIFIER=totpd\n",
            self.message, self.priority as u8
        );
        for (field, value) in &self.fields {
            let _ = writeln!(text, "{field}={value}");
        }
        text.into_bytes()
    }

    fn syslog(&self) -> String {
        let severity = self.priority as u8;
        format!("<{}>totpd[{}]: {}", AUTHPRIV * 8 + severity, std::process::id(), self.message)
    }

    fn write_to_stderr(&self) {
        let _ = writeln!(std::io::stderr(), "totpd: {}", self.message);
    }
}

/// `text` with everything escaped that could forge a line or steer a terminal.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A name as the log has it, which a message may bring with megabytes.
#[must_use]
pub fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";
/// Syslog's facility for logins (RFC 5424 section 6.2.1).
const AUTHPRIV: u8 = 10;
/// Characters.
const LONGEST_NAME: usize = 256;

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
    fn a_name_of_megabytes_is_shortened() {
        assert_eq!(shortened("älice"), "älice");
        assert_eq!(shortened(&"ä".repeat(1_000_000)), "ä".repeat(256));
    }

    #[test]
    fn syslog_gets_facility_and_severity() {
        let line = Entry::new(Priority::Error, "broken".into()).syslog();
        assert!(line.starts_with("<83>totpd["), "{line}");
        assert!(line.ends_with("]: broken"), "{line}");
    }
}
