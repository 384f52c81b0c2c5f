//! A disposable copy of this machine (`scripts/machine.sh`) and commands on it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::seed::Seed;

/// A running machine. It is gone when this is dropped.
pub struct Machine {
    outside: Child,
    first_process: u32,
}

/// The result of a command.
#[derive(Debug)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Returns standard output of a command that must have succeeded.
    #[track_caller]
    pub fn stdout_ok(self) -> String {
        assert_eq!(self.status, 0, "{self:#?}");
        self.stdout
    }

    /// Returns both outputs.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Machine {
    /// Starts a machine without enrolled users. The PAM service `totp` asks for nothing but a code,
    /// and refuses without delay.
    pub fn new() -> Self {
        Self::on(None, None)
    }

    /// Starts a machine with a folder of a real disk under `/disk`.
    pub fn on_disk(folder: &Path) -> Self {
        Self::on(Some(folder), None)
    }

    /// Starts a machine with the packages of `scripts/programs.sh`.
    pub fn with_programs() -> Self {
        Self::on(None, Some(&repository().join("target/programs")))
    }

    fn on(disk: Option<&Path>, layer: Option<&Path>) -> Self {
        // `make need-machine` makes this folder. On a machine with its own kernel there is none.
        let filled = repository().join("target/layers");
        let filled = filled.join(if layer.is_some() { "programs" } else { "plain" });
        let mut outside = Command::new(repository().join("scripts/machine.sh"))
            .args(["/bin/sh", "-c", "echo ready; exec cat"])
            .env("EXTRA", repository().join("target/tests"))
            .env("FILLED", if filled.exists() { filled.as_path() } else { Path::new("") })
            .env_remove("BUILT")
            .env("DISK", disk.unwrap_or(Path::new("")))
            .env("LAYER", layer.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/machine.sh");
        let mut lines = BufReader::new(outside.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "ready")), "no machine came up");
        let id = outside.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let first_process = children.trim().parse().expect("one process inside");
        let machine = Self { outside, first_process };
        machine
            .service("totp", "auth required pam_totp.so nodelay\naccount required pam_totp.so\n");
        machine
    }

    /// Enrolls `user` with the seed of that number, and returns the seed. Its first code is that of
    /// the time step before. So the codes of now and of the next step are good.
    pub fn enrolled(&self, user: &str, number: u32) -> Seed {
        let seed = Seed::numbered(number);
        self.run_with_input(
            &format!("totpctl enroll {user} --secret-stdin --qr none"),
            &seed.first_codes(),
        )
        .stdout_ok();
        seed
    }

    /// Gives a user a new factor, and returns an unused code of it. So a test skips the wait of a
    /// person for the next code.
    pub fn fresh_code(&self, user: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(1000);
        self.enrolled(user, NUMBER.fetch_add(1, Ordering::Relaxed)).code()
    }

    /// Writes the PAM stack of a service.
    pub fn service(&self, name: &str, stack: &str) {
        self.write(&format!("/etc/pam.d/{name}"), stack);
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        self.run_with_input(&format!("cat > {path}"), text).stdout_ok();
    }

    /// Runs a script as root.
    pub fn run(&self, script: &str) -> Output {
        self.run_with_input(script, "")
    }

    /// Runs a script as another user.
    pub fn run_as(&self, user: &str, script: &str) -> Output {
        self.run_as_with_input(user, script, "")
    }

    /// Runs a script as root with this standard input.
    pub fn run_with_input(&self, script: &str, input: &str) -> Output {
        finish(self.command(&["/bin/bash", "-c", script]), input)
    }

    /// Runs a script as another user with this standard input.
    pub fn run_as_with_input(&self, user: &str, script: &str, input: &str) -> Output {
        let become_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"];
        let script = ["/bin/bash", "-c", script];
        finish(self.command(&[&become_user[..], &script].concat()), input)
    }

    /// Starts a script as root and leaves it running.
    pub fn start(&self, script: &str) -> Child {
        let mut command = self.command(&["/bin/bash", "-c", script]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Returns the log so far. Another process writes the log. A mark at its end shows that all
    /// earlier lines are there.
    pub fn log(&self) -> String {
        self.run(
            "mark=MARK-$RANDOM-$RANDOM; wanted=0
             for socket in /run/systemd/journal/socket /run/syslog.socket; do
               [ -S $socket ] || continue
               printf '\\n%s\\n' $mark | socat -u - UNIX-SENDTO:$socket && wanted=$((wanted + 1))
             done
             for _ in $(seq 1000); do
               [ $(grep -a -c $mark /run/log.txt) -ge $wanted ] && break
               sleep 0.01
             done
             grep -a -v $mark /run/log.txt || true",
        )
        .stdout_ok()
    }

    /// Returns the pid of the daemon inside, as the machine numbers it. If the daemon does not run,
    /// it returns nothing.
    pub fn daemon(&self) -> Option<u32> {
        self.run("pidof -s /usr/libexec/totpd || pidof -s totpd").stdout.trim().parse().ok()
    }

    /// Ends the daemon with a signal, and waits until it is gone.
    pub fn kill_daemon(&self, signal: &str) {
        if let Some(pid) = self.daemon() {
            self.run(&format!("kill -{signal} {pid}")).stdout_ok();
            eventually("the daemon ends", || self.daemon() != Some(pid));
            // The bus hears of it a moment later, and would send the next call to nobody.
            eventually("the bus knows", || self.daemon().is_some() || !self.owns_its_name());
        }
    }

    /// Reports whether the daemon is on the bus. A question to the daemon itself would make the bus
    /// start one.
    pub fn owns_its_name(&self) -> bool {
        let owned = self.run(
            "gdbus call --system --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
             --method org.freedesktop.DBus.NameHasOwner org.totpd.Totp1",
        );
        owned.stdout.contains("true")
    }

    /// Starts the daemon with a clock that [`Machine::set_clock`] moves. Waits until it serves.
    pub fn start_with_clock(&self) -> Child {
        self.set_clock(0);
        self.start_on_disk_with_clock(0)
    }

    /// Starts the daemon with the clock that is set, on a disk that can stall. While the file
    /// /var/lib/totpd/stall exists, each flush takes so many milliseconds longer.
    pub fn start_on_disk_with_clock(&self, stall: u32) -> Child {
        self.kill_daemon("TERM");
        let daemon = self.start(&format!(
            "exec env LD_PRELOAD=/opt/tests/faults.so:$(faketime -f +0 printenv LD_PRELOAD) TZ=UTC \
             FAULT_FOLDER=/var/lib/totpd FAULT_STALL={stall} FAKETIME_NO_CACHE=1 \
             FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 \
             FAKETIME_TIMESTAMP_FILE=/run/clock /usr/libexec/totpd"
        ));
        eventually("the daemon is on the bus", || self.owns_its_name());
        daemon
    }

    /// Moves the clock of that daemon so many seconds from the clock of this machine.
    pub fn set_clock(&self, seconds: i64) {
        self.write_clock(&format!("echo {seconds:+}"));
    }

    /// Has the clock of that daemon stand still at this time, in seconds since 1970.
    pub fn stop_clock(&self, at: u64) {
        self.write_clock(&format!("TZ=UTC date -d @{at} '+%F %T'"));
    }

    /// The daemon reads the file at any moment, so it is whole at every moment.
    fn write_clock(&self, print: &str) {
        self.run(&format!("{print} > /run/clock.new && mv /run/clock.new /run/clock")).stdout_ok();
    }

    /// Calls a method of totpd as root or another user, in the notation of gdbus.
    pub fn call(&self, user: &str, method: &str, arguments: &str) -> Output {
        self.run_as(
            user,
            &format!(
                "gdbus call --system --timeout 20 --dest org.totpd.Totp1 \
                 --object-path /org/totpd/Totp1 --method {method} {arguments}"
            ),
        )
    }

    /// Has polkit let all users change their own factors, without a question.
    pub fn self_service(&self) {
        self.write(
            "/etc/polkit-1/rules.d/10-self.rules",
            "polkit.addRule(function(action, subject) {\n\
             if (action.id == \"org.totpd.totp1.enroll-self\") return polkit.Result.YES;\n});\n",
        );
    }

    /// Makes users crowd0, crowd1, … of one seed: NSS knows them, and the store.
    pub fn generate_users(&self, users: u32) -> Seed {
        let seed = Seed::numbered(77);
        self.with_trouble_in_nss();
        self.kill_daemon("KILL");
        self.run("rm -rf /var/lib/totpd/*").stdout_ok();
        self.run(&format!("/opt/tests/generate_store /var/lib/totpd {users} {}", seed.0))
            .stdout_ok();
        seed
    }

    /// Has NSS ask `tests/harness/nss_trouble.c` for the names and uids that files do not know.
    pub fn with_trouble_in_nss(&self) {
        self.run(
            "cp /opt/tests/libnss_trouble.so.2 \
             $(dirname $(find /usr/lib /lib -name 'libc.so.6' | head -n1))/ && \
             sed -i 's/^passwd:.*/passwd: files trouble/' /etc/nsswitch.conf",
        )
        .stdout_ok();
    }

    fn command(&self, words: &[&str]) -> Command {
        let pid = self.first_process.to_string();
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &pid, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--"])
            // nsenter forks. Who kills it means the program inside.
            .args(["setpriv", "--pdeathsig", "KILL", "env", "-i"])
            // A runner that ignores SIGHUP (nohup) would have all programs there ignore it.
            .arg("--default-signal")
            .args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
            .args(["LANG=C.UTF-8", "HOME=/root", "TERM=dumb"])
            .args(words);
        command
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process reads standard input; all others end with it.
        drop(self.outside.stdin.take());
        let _ = self.outside.wait();
    }
}

pub(crate) fn finish(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command may end without reading what it was given.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

/// Waits until something is so, for half a minute at most.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}
