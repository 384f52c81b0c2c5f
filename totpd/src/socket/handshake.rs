//! The handshake of a connection (D-Bus specification, "Authentication Protocol"). EXTERNAL is the
//! only mechanism, because the kernel named the client.

use crate::access::caller::Caller;

/// The lines of a handshake that differ between daemons and users.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The line by which the client names the user that the kernel named.
    external: String,
    ok: String,
}

/// What a client has reached.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) is_authenticated: bool,
    pub(crate) passes_descriptors: bool,
}

impl Handshake {
    /// Returns the handshake of `caller` with the server of this GUID.
    pub(crate) fn new(guid: [u8; 16], caller: Caller) -> Self {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        Self {
            external: format!("AUTH EXTERNAL {}", hex(caller.uid.to_string().as_bytes())),
            ok: format!("OK {}\r\n", hex(&guid)),
        }
    }

    /// Returns the answer to a line of the client, or `None` if the handshake is over.
    pub(crate) fn answer(&self, line: &str, progress: &mut Progress) -> Option<&str> {
        Some(match line {
            "BEGIN" if progress.is_authenticated => return None,
            "NEGOTIATE_UNIX_FD" if progress.is_authenticated => {
                progress.passes_descriptors = true;
                "AGREE_UNIX_FD\r\n"
            }
            "AUTH EXTERNAL" => "DATA\r\n",
            "DATA" => {
                progress.is_authenticated = true;
                &self.ok
            }
            line if line == self.external => {
                progress.is_authenticated = true;
                &self.ok
            }
            line if line.starts_with("AUTH") => "REJECTED EXTERNAL\r\n",
            _ => "ERROR\r\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_user_that_the_kernel_named_begins() {
        let handshake = Handshake::new([7; 16], Caller { uid: 1000 });
        let ok = format!("OK {}\r\n", "07".repeat(16));
        for (lines, expected) in [
            (&["AUTH EXTERNAL 31303030", "BEGIN"][..], &[Some(&*ok), None][..]),
            (&["AUTH EXTERNAL", "DATA", "BEGIN"], &[Some("DATA\r\n"), Some(&ok), None]),
            (&["AUTH EXTERNAL 30", "BEGIN"], &[Some("REJECTED EXTERNAL\r\n"), Some("ERROR\r\n")]),
            (&["AUTH ANONYMOUS", ""], &[Some("REJECTED EXTERNAL\r\n"), Some("ERROR\r\n")]),
            (&["NEGOTIATE_UNIX_FD"], &[Some("ERROR\r\n")]),
        ] {
            let mut progress = Progress::default();
            let answers: Vec<_> =
                lines.iter().map(|line| handshake.answer(line, &mut progress)).collect();
            assert_eq!(answers, expected, "{lines:?}");
            assert!(!progress.passes_descriptors);
        }
    }

    #[test]
    fn descriptors_are_agreed_on_after_the_user() {
        let (handshake, mut progress) =
            (Handshake::new([7; 16], Caller { uid: 0 }), Progress::default());
        handshake.answer("AUTH EXTERNAL 30", &mut progress);
        assert_eq!(handshake.answer("NEGOTIATE_UNIX_FD", &mut progress), Some("AGREE_UNIX_FD\r\n"));
        assert!(progress.passes_descriptors && handshake.answer("BEGIN", &mut progress).is_none());
    }
}
