//! polkit's agent for terminals, so that polkit can always ask for a password.

use std::io::{IsTerminal, Read};
use std::process::{Child, Stdio};

use crate::program;

/// A running agent. Dropping it ends the agent.
pub(crate) struct PolkitAgent(Child);

impl PolkitAgent {
    /// Starts the agent, if it is installed and there is a terminal. In a session, the session's
    /// own agent takes precedence.
    pub(crate) fn start() -> Option<Self> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        // polkit uses a fallback agent only in a session.
        #[expect(clippy::disallowed_methods, reason = "totpctl is never setuid")]
        let in_a_session = std::env::var_os("XDG_SESSION_ID").is_some();
        // The agent opens the terminal itself. It writes to its standard output when it is
        // registered.
        let mut child = program::find("pkttyagent")
            .ok()?
            .args(["--notify-fd", "1"])
            .args(in_a_session.then_some("--fallback"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        if let Some(registered) = child.stdout.as_mut() {
            let _ = registered.read(&mut [0]);
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
