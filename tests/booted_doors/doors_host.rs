//! A booted host with all programs that log somebody in.

use serde_json::Value;
use tests::{Host, Output};

use crate::systemd::fresh;

/// A host on which alice and root have a factor, and bob has none.
pub(super) struct DoorsHost {
    pub(super) host: Host,
    suite: String,
}

/// The users of all ways in.
pub(super) const USERS: [&str; 3] = ["alice", "bob", "root"];

impl DoorsHost {
    /// Boots one.
    pub(super) fn boot(suite: &str) -> Self {
        let host = Host::boot(&format!("{suite}-doors"));
        host.run("apt-get install -y /opt/tests/libpam-totp.deb").stdout_ok();
        // A wrong password takes no time, and the prompt of root looks like that of others.
        host.run(
            "sed -i 's/pam_unix.so nullok/& nodelay/' /etc/pam.d/common-auth
             sed -i '/pam_faildelay/d' /etc/pam.d/login
             sed -i 's/^FAIL_DELAY.*/FAIL_DELAY 0/' /etc/login.defs
             echo root:rootpw | chpasswd
             echo \"PS1='\\$ '\" >> /root/.bashrc
             groupadd ops && usermod -aG ops bob
             for folder in pam.d ssh sudoers.d polkit-1 lightdm cockpit; do
               mkdir -p /etc/$folder && mkdir -p /root/kept && cp -a /etc/$folder /root/kept/
             done
             cp -a /etc/sudoers /usr/bin/sudo /root/kept/",
        )
        .stdout_ok();
        let host = Self { host, suite: suite.to_owned() };
        for user in ["alice", "root"] {
            host.fresh_code(user);
        }
        host
    }

    /// Reports whether this is Debian 13.
    pub(super) fn is_trixie(&self) -> bool {
        self.suite == "trixie"
    }

    /// Puts the files that settings change back as they were, and then runs a script.
    pub(super) fn set_up(&self, script: &str) {
        let ran = self.host.run(&format!(
            "set -e
             cd /root/kept
             for folder in */; do rm -rf /etc/${{folder%/}} && cp -a $folder /etc/; done
             cp -a sudoers /etc/ && cp -a --remove-destination sudo /usr/bin/
             systemctl reset-failed ssh || true; systemctl restart ssh
             {script}"
        ));
        assert_eq!(ran.status, 0, "{script}: {ran:#?}");
    }

    /// Returns what doctor says of these services, or of all.
    pub(super) fn doctor(&self, services: &str) -> Value {
        let ran = self.host.run(&format!("totpctl --json doctor {services}"));
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"))
    }

    /// Reports whether a user has a factor.
    pub(super) fn has_factor(&self, user: &str) -> bool {
        ["alice", "root"].contains(&user)
    }

    /// Ends all waits of a user.
    pub(super) fn unlock(&self, user: &str) {
        self.host.run(&format!("totpctl unlock {user}"));
    }

    /// Returns an unused code of a user.
    pub(super) fn fresh_code(&self, user: &str) -> String {
        fresh(&self.host, user)
    }

    /// Runs a command in a session of a user, at a terminal. The agents of systemd speak for
    /// programs in a session.
    pub(super) fn type_in_session(
        &self,
        user: &str,
        password: &str,
        code: &str,
        command: &str,
    ) -> Output {
        self.host.run(&format!(
            "exec runuser -l {user} -c \"/opt/tests/type-login '{password}' '{code}' {command}\""
        ))
    }

    /// Runs a command of a user at a terminal, who types a password and a code.
    pub(super) fn type_at(&self, user: &str, password: &str, code: &str, command: &str) -> Output {
        self.host.run(&format!(
            "cd /tmp; exec runuser -u {user} -- /opt/tests/type-login '{password}' '{code}' {command}"
        ))
    }
}

/// Reports whether a line of the output is this one. The agent of polkit ends its colors before it.
pub(super) fn says(ran: &Output, line: &str) -> bool {
    ran.stdout.lines().any(|found| found.trim().trim_start_matches("\u{1b}[0m") == line)
}
