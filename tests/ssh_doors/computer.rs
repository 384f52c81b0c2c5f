//! What the drawn hosts need of a disposable machine, and of a host that boots.

use tests::{Host, Machine, Output};

use crate::systemd::fresh;

/// A machine or a host on which root runs scripts.
pub(crate) trait Computer {
    /// Runs a script as root with this standard input.
    fn run_with_input(&self, script: &str, input: &str) -> Output;

    /// Gives a user a new factor, and returns an unused code of it.
    fn fresh_code(&self, user: &str) -> String;

    /// Restarts sshd with its new configuration. Returns what it says if it does not start.
    fn restart_sshd(&self) -> String;

    /// Runs a script as root.
    fn run(&self, script: &str) -> Output {
        self.run_with_input(script, "")
    }

    /// Runs a command as another user.
    fn run_as(&self, user: &str, command: &str) -> Output {
        self.run(&format!(
            "cd /; exec setpriv --reuid {user} --regid {user} --init-groups {command}"
        ))
    }

    /// Writes a file.
    fn write(&self, path: &str, text: &str) {
        self.run_with_input(&format!("cat > {path}"), text).stdout_ok();
    }
}

impl Computer for Machine {
    fn run_with_input(&self, script: &str, input: &str) -> Output {
        self.run_with_input(script, input)
    }

    fn fresh_code(&self, user: &str) -> String {
        self.fresh_code(user)
    }

    fn restart_sshd(&self) -> String {
        self.restart_sshd()
    }
}

impl Computer for Host {
    fn run_with_input(&self, script: &str, input: &str) -> Output {
        self.run_with_input(script, input)
    }

    fn fresh_code(&self, user: &str) -> String {
        fresh(self, user)
    }

    fn restart_sshd(&self) -> String {
        // Since version 9.8 sshd refuses an address for a while after failures.
        self.run(
            "sed '1i PerSourcePenalties no' /etc/ssh/sshd_config > /root/sshd_config
             ! /usr/sbin/sshd -t -f /root/sshd_config 2>/dev/null || cp /root/sshd_config /etc/ssh/
             systemctl reset-failed ssh; systemctl restart ssh",
        )
        .stderr
    }
}
