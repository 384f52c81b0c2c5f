//! polkit's agent for terminals, so that there is always somebody to ask for a password.

use std::io::{IsTerminal, Read};
use std::process::{Child, Stdio};

use crate::program;

/// The agent, as long as this lives.
pub(crate) struct PolkitAgent(Child);

impl PolkitAgent {
    /// Starts it, where there is a terminal and it is installed. An agent of the session goes before it.
    pub(crate) fn start() -> Option<Self> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        // polkit looks for a fallback only where there is a session.
        #[expect(clippy::disallowed_methods, reason = "totpctl is never setuid")]
        let in_a_session = std::env::var_os("XDG_SESSION_ID").is_some();
        // It talks to the terminal itself; its standard output tells when it is registered.
        let mut child = program::at("/usr/bin/pkttyagent")
            .args(["--notify-fd", "1"])
            .args(in_a_session.then_some("--fallback"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        if let Some(ready) = child.stdout.as_mut() {
            let _ = ready.read(&mut [0]);
        }
        Some(Self(child))
    }
}

impl Drop for PolkitAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
