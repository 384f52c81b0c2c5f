//! A disposable machine with a kernel of its own (`scripts/kernel.sh`), for what this machine's
//! kernel may not have.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use data_encoding::BASE64;

use crate::machine::{Output, repository};

/// A machine, and its disk, which are gone when this is dropped.
pub struct Kernel {
    outside: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where its disk is, if that outlives a power cut.
    disk: Option<tempfile::TempDir>,
}

impl Kernel {
    /// Boots a copy of `target/roots/ROOT` with this security module ("apparmor", "selinux").
    pub fn boot(root: &str, module: &str) -> Self {
        Self::with(&repository().join("target/tests"), root, module, None)
    }

    /// Boots a copy whose disk outlives [`Kernel::power_cut`].
    pub fn with_disk(root: &str, module: &str) -> Self {
        let disk = tempfile::tempdir_in(repository().join("target")).unwrap();
        Self::with(&repository().join("target/tests"), root, module, Some(disk))
    }

    /// Cuts its power, and boots it again. What the guest did not write to its disk is lost. What
    /// it wrote and did not flush is kept: that disk loses nothing.
    #[must_use]
    pub fn power_cut(mut self, root: &str, module: &str) -> Self {
        self.end();
        let disk = self.disk.take().expect("a disk that outlives it");
        Self::with(&repository().join("target/tests"), root, module, Some(disk))
    }

    /// Boots a copy that can run these tests. All their needs are at the same paths as here.
    pub fn with_tests(root: &str, module: &str) -> Self {
        let (here, suite) = (repository(), repository().join("target/suite"));
        let script = "rm -rf \"$1\" && mkdir -p \"$1/target/release\" \"$1/tests\" && \
                      cp -r Makefile packaging scripts *.md docs \"$1\" && cp tests/harness.mk \"$1/tests\" && \
                      cp -r target/tested/. \"$1/target/release\" && \
                      cp -r target/tests \"$1/target/\" && cp \"$2\" \"$1/target/machines\"";
        let mut copy = Command::new("bash");
        copy.args(["-c", script, "-"]).arg(&suite).arg(std::env::current_exe().unwrap());
        assert!(copy.current_dir(&here).status().unwrap().success(), "{}", suite.display());
        let mut kernel = Self::with(&suite, root, module, None);
        let here = here.display();
        kernel.run(&format!("mkdir -p {here} && mount --bind /opt/tests {here}")).stdout_ok();
        kernel
    }

    /// Runs these tests there, those whose names contain one of `show_names`.
    pub fn run_tests(&mut self, names: &str) -> Output {
        self.run_here(&format!("target/machines --test-threads 2 {names}"))
    }

    /// Runs a script in a disposable copy of the machine ([`crate::Machine`]).
    pub fn run_in_copy(&mut self, script: &str) -> Output {
        self.run_here(&format!("scripts/machine.sh sh -c '{script}'"))
    }

    fn run_here(&mut self, script: &str) -> Output {
        // The folder of PAM modules is set here, because `make install` would ask a compiler for
        // it.
        let modules = "export SECURITYDIR=$(echo /usr/lib/*/security)";
        self.run(&format!("cd {} && {modules} && {script}", repository().display()))
    }

    fn with(folder: &Path, root: &str, module: &str, disk: Option<tempfile::TempDir>) -> Self {
        let file = disk.as_ref().map(|disk| disk.path().join("disk"));
        let mut outside = Command::new(repository().join("scripts/kernel.sh"))
            .arg(repository().join("target/roots").join(root))
            .arg(folder)
            .arg(module)
            .env("DISK", file.as_deref().unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/kernel.sh");
        let lines = BufReader::new(outside.stdout.take().unwrap()).lines();
        let mut kernel = Self { outside, lines, disk };
        kernel.run("systemctl is-system-running --wait").stdout_ok();
        kernel
    }

    /// Runs a script as root.
    pub fn run(&mut self, script: &str) -> Output {
        let line = BASE64.encode(script.as_bytes());
        writeln!(self.outside.stdin.as_mut().unwrap(), "{line}").unwrap();
        let answer = self.lines.next().expect("the machine has ended").unwrap();
        let mut parts = answer.split(' ');
        let status = parts.next().unwrap().parse().unwrap();
        let mut text = || {
            let encoded = parts.next().unwrap().trim_start_matches('-');
            String::from_utf8_lossy(&BASE64.decode(encoded.as_bytes()).unwrap()).into_owned()
        };
        Output { status, stdout: text(), stderr: text() }
    }
}

impl Kernel {
    fn end(&mut self) {
        let _ = self.outside.kill();
        let _ = self.outside.wait();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.end();
    }
}
