//! A disposable machine with a kernel of its own (`scripts/kernel.sh`), for what this machine's kernel may not have.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use data_encoding::BASE64;

use crate::machine::{Ran, repository};

/// A machine, and its disk, which are gone when this is dropped.
pub struct Kernel {
    outside: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Kernel {
    /// Boots a copy of `target/roots/ROOT` with this security module ("apparmor", "selinux").
    pub fn boot(root: &str, module: &str) -> Self {
        let mut outside = Command::new(repository().join("scripts/kernel.sh"))
            .arg(repository().join("target/roots").join(root))
            .arg(repository().join("target/tests"))
            .arg(module)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/kernel.sh");
        let said = BufReader::new(outside.stdout.take().unwrap()).lines();
        let mut kernel = Self { outside, said };
        kernel.run("systemctl is-system-running --wait").ok();
        kernel
    }

    /// Runs a script as root.
    pub fn run(&mut self, script: &str) -> Ran {
        let line = BASE64.encode(script.as_bytes());
        writeln!(self.outside.stdin.as_mut().unwrap(), "{line}").unwrap();
        let answer = self.said.next().expect("the machine has ended").unwrap();
        let mut parts = answer.split(' ');
        let status = parts.next().unwrap().parse().unwrap();
        let mut text = || {
            let encoded = parts.next().unwrap().trim_start_matches('-');
            String::from_utf8_lossy(&BASE64.decode(encoded.as_bytes()).unwrap()).into_owned()
        };
        Ran { status, stdout: text(), stderr: text() }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let _ = self.outside.kill();
        let _ = self.outside.wait();
    }
}
