//! A disposable host with systemd as PID 1 (`scripts/host.sh`), and what people do on it.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::machine::{Output, eventually, finish, repository};
use crate::ssh::SSH;

/// A host, and its disk, which are gone when this is dropped.
pub struct Host {
    outside: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The process that keeps its namespaces, as this machine numbers it.
    keeper: Option<String>,
    /// Its PID 1, as that one numbers it.
    first_process: Option<String>,
}

impl Host {
    /// Boots a copy of `target/roots/SUITE`.
    pub fn boot(suite: &str) -> Self {
        let mut host = Self::off(suite);
        host.start();
        host
    }

    /// Starts a host with a TPM.
    pub fn with_tpm(suite: &str) -> Self {
        let mut host = Self::off(suite);
        host.say("tpm");
        host.start();
        // totpctl starts this program without the environment of its caller. That environment says
        // where this TPM is.
        host.run(&format!(
            "mv /usr/bin/systemd-creds /usr/bin/systemd-creds.real
             printf '#!/bin/sh\n{TPM} exec /usr/bin/systemd-creds.real \"$@\"\n' > /usr/bin/systemd-creds
             chmod 755 /usr/bin/systemd-creds"
        ))
        .stdout_ok();
        host
    }

    fn off(suite: &str) -> Self {
        let mut outside = Command::new(repository().join("scripts/host.sh"))
            .arg(repository().join("target/roots").join(suite))
            .arg(repository().join("target/tests"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/host.sh");
        let lines = BufReader::new(outside.stdout.take().unwrap()).lines();
        Self { outside, lines, keeper: None, first_process: None }
    }

    fn say(&mut self, word: &str) -> String {
        writeln!(self.outside.stdin.as_mut().unwrap(), "{word}").unwrap();
        self.lines.next().expect("host.sh has ended").unwrap()
    }

    /// Boots it, and waits until it is up.
    pub fn start(&mut self) {
        let answer = self.say("boot");
        self.first_process = Some(answer.strip_prefix("up ").unwrap().to_owned());
        self.keeper.get_or_insert_with(|| {
            let unshare = only_child(&self.outside.id().to_string());
            only_child(&unshare)
        });
        eventually("it is up", || {
            let answer = self.run("systemctl is-system-running").stdout;
            matches!(answer.trim(), "running" | "degraded")
        });
    }

    /// Shuts it down and boots it again.
    pub fn reboot(&mut self) {
        assert_eq!(self.say("off"), "down");
        self.start();
    }

    /// Cuts its power and boots it again.
    pub fn power_cut(&mut self) {
        assert_eq!(self.say("cut"), "down");
        self.start();
    }

    /// Replaces the TPM with another one. The host sees it after the next boot.
    pub fn another_tpm(&mut self) {
        assert_eq!(self.say("tpm"), "tpm");
    }

    /// Runs a script as root.
    pub fn run(&self, script: &str) -> Output {
        self.run_with_input(script, "")
    }

    /// Runs a script as root with this standard input.
    pub fn run_with_input(&self, script: &str, input: &str) -> Output {
        finish(self.command(script), input)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        self.run_with_input(&format!("cat > {path}"), text).stdout_ok();
    }

    /// Reports whether `user` gets in by ssh with its password. If ssh asks for a code, `user`
    /// types this one.
    pub fn ssh(&self, user: &str, code: &str) -> bool {
        let ran = self.run(&format!(
            "/opt/tests/type-enrollment {user}pw '{code}' x {SSH} \
             -o PreferredAuthentications=keyboard-interactive {user}@127.0.0.1 'echo in as $(id -un)'"
        ));
        ran.stdout.lines().any(|line| line.trim_end().ends_with(&format!("in as {user}")))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["-t", self.keeper.as_ref().unwrap(), "-m", "-p", "--", "nsenter"])
            .args(["-t", self.first_process.as_ref().unwrap(), "-a", "--", "env", "-i"])
            .arg("--default-signal")
            .args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
            .args(["LANG=C.UTF-8", "HOME=/root", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive"])
            // systemd searches for a TPM at this place.
            .args([TPM])
            .args(["/bin/bash", "-c", script]);
        command
    }
}

const TPM: &str = "SYSTEMD_TPM2_DEVICE=swtpm:path=/mnt/share/tpm";

fn only_child(pid: &str) -> String {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().next().expect("a process of host.sh").to_owned()
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.outside.stdin.take());
        let _ = self.outside.wait();
    }
}
