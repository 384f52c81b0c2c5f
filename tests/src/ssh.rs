//! The client and the server of ssh as tests run them.

use crate::machine::{Machine, eventually};

/// A client for which a server need not be known, and which asks once.
pub const SSH: &str = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
                       -o NumberOfPasswordPrompts=1";

impl Machine {
    /// Restarts sshd, so that it reads its files, and waits until it listens. Returns the error if
    /// it does not start, or nothing.
    pub fn restart_sshd(&self) -> String {
        self.run("kill $(cat /run/sshd.pid)").stdout_ok();
        eventually("sshd ends", || self.run("test -e /run/sshd.pid").status != 0);
        let started = self.run("/usr/sbin/sshd -E /run/sshd.txt || tail -n 3 /run/sshd.txt >&2");
        eventually("sshd listens", || {
            !started.stderr.is_empty() || self.run("exec 3<>/dev/tcp/127.0.0.1/22").status == 0
        });
        started.stderr
    }
}
