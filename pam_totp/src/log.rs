//! One line to the journal's socket, or to syslog's. A module must not open syslog(3), whose
//! settings are the host's.

use std::os::unix::net::UnixDatagram;

/// How much a line matters (syslog's severities, RFC 5424 section 6.2.1).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Severity {
    Error = 3,
    Notice = 5,
    Debug = 7,
}

/// Logs one line. What others chose is escaped; a log that is stuck or absent is no reason to
/// wait.
pub(crate) fn write(severity: Severity, message: &str) {
    let Ok(socket) = UnixDatagram::unbound() else { return };
    let _ = socket.set_nonblocking(true);
    let message = escaped(message);
    let (severity, pid) = (severity as u8, std::process::id());
    let native = format!(
        "MESSAGE={message}\nPRIORITY={severity}\nSYSLOG_FACILITY={AUTHPRIV}\n\
         SYSLOG_IDENTIFIER=pam_totp\nSYSLOG_PID={pid}\n"
    );
    if socket.send_to(native.as_bytes(), "/run/systemd/journal/socket").is_err() {
        let line = format!("<{}>pam_totp[{pid}]: {message}", AUTHPRIV * 8 + severity);
        let _ = socket.send_to(line.as_bytes(), "/dev/log");
    }
}

fn escaped(text: &str) -> String {
    let escape =
        |c: char| if c.is_control() { c.escape_unicode().collect() } else { c.to_string() };
    text.chars().take(LONGEST).map(escape).collect()
}

/// Syslog's facility for logins (RFC 5424 section 6.2.1).
const AUTHPRIV: u8 = 10;
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_forge_a_line_or_a_field() {
        assert_eq!(escaped("a\nPRIORITY=0\u{1b}[2J"), r"a\u{a}PRIORITY=0\u{1b}[2J");
        assert_eq!(escaped(&"x".repeat(10_000)).len(), LONGEST);
    }
}
