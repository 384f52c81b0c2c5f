//! Logins that are answered before the disk has them, and what people notice after a power cut.

use tests::{Machine, Seed, eventually, pam};

mod no_tmpfs;
mod stalled_disk;

/// A machine with many users who share a seed, and one login that leaned.
struct Leaning {
    machine: Machine,
    seed: Seed,
    /// The user who logged in last.
    last: u32,
}

impl Leaning {
    fn new() -> Self {
        let machine = Machine::new();
        let seed = machine.generate_users(200);
        let mut leaning = Self { machine, seed, last: 0 };
        // The first prompt has a mark made.
        eventually("a login leans", || {
            leaning.log_in();
            leaning.witness() == "1"
        });
        leaning
    }

    /// Logs in the next user.
    fn log_in(&mut self) {
        self.last += 1;
        let result = self.try_user(self.last);
        assert_eq!(result.rc, pam::SUCCESS, "{result:#?}");
    }

    fn try_user(&self, number: u32) -> tests::PamResult {
        self.machine.pam("totp", &format!("crowd{number}"), &self.seed.code()).run()
    }

    /// Returns what the witness says: "0" nothing, "1" a login, "2" that a flush failed.
    fn witness(&self) -> String {
        let byte = self.machine.run("od -An -tu1 -j16 -N1 /run/totpd/witness/last").stdout_ok();
        byte.trim().to_owned()
    }
}

#[test]
fn after_a_power_cut_people_wait_and_the_prompt_says_how_long() {
    let leaning = Leaning::new();
    let machine = &leaning.machine;
    machine.kill_daemon("KILL");
    machine.run("rm -r /run/totpd/witness").stdout_ok();
    for user in [leaning.last, leaning.last + 1] {
        let refused = leaning.try_user(user);
        assert_ne!(refused.rc, pam::SUCCESS, "{refused:#?}");
        let shown = refused.shown.join("\n");
        assert!(shown.contains("(codes are good again in "), "{refused:#?}");
        assert!(refused.text.contains("Codes are good again in "), "{refused:#?}");
    }
    let nobody = machine.pam("totp", "nobody-here", "123456").run();
    assert!(nobody.shown.join("\n").contains("(codes are good again in "), "{nobody:#?}");
    let log = machine.log();
    assert!(log.contains("code-void"), "{log}");
    assert!(log.contains("codes of that minute are void"), "{log}");
    // Nothing counts as a wrong code.
    let shown = machine.run(&format!("totpctl show crowd{}", leaning.last)).stdout_ok();
    assert!(shown.contains("no wrong codes"), "{shown}");
}

#[test]
fn after_a_kill_and_after_a_stop_nobody_waits() {
    let mut leaning = Leaning::new();
    leaning.machine.kill_daemon("KILL");
    assert_ne!(leaning.try_user(leaning.last).rc, pam::SUCCESS, "a code was accepted twice");
    leaning.log_in();
    leaning.machine.kill_daemon("TERM");
    // A reboot takes the tmpfs along.
    leaning.machine.run("rm -r /run/totpd/witness").stdout_ok();
    assert_ne!(leaning.try_user(leaning.last).rc, pam::SUCCESS, "a code was accepted twice");
    leaning.log_in();
}

#[test]
fn every_login_waits_for_the_disk_if_the_configuration_says_so() {
    let machine = Machine::new();
    machine
        .run("mkdir -p /etc/totpd && printf '[store]\\nmark = false\\n' > /etc/totpd/totpd.toml")
        .stdout_ok();
    let seed = machine.enrolled("alice", 1);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    machine.run("test ! -e /run/totpd/witness/last").stdout_ok();
}

/// The system calls of the real daemon show that the answer to a right code waits for nothing.
#[test]
fn no_flush_is_waited_for_between_a_right_code_and_its_answer() {
    let mut leaning = Leaning::new();
    let strace = "exec strace -f -p $(pidof totpd) -s 4096 -o /tmp/trace \
                  -e trace=pwrite64,fdatasync,fsync,sendmsg,sendto,recvfrom,recvmsg,read";
    let mut strace = leaning.machine.start(strace);
    eventually("strace is attached", || {
        leaning.log_in();
        leaning.machine.run("grep -c approved /tmp/trace").stdout.trim() != "0"
    });
    for _ in 0..5 {
        leaning.log_in();
    }
    leaning.machine.kill_daemon("TERM");
    strace.wait().unwrap();
    let trace = leaning.machine.run("cat /tmp/trace").stdout_ok();
    let lines: Vec<_> = trace.lines().collect();
    let is_answer = |line: &str| {
        line.contains("approved") && line.contains("send") && line.contains("NULL, 0)")
    };
    let answers: Vec<_> = (0..lines.len()).filter(|at| is_answer(lines[*at])).collect();
    assert!(answers.len() >= 5, "{trace}");
    for at in answers.into_iter().rev().take(5) {
        let thread = |line: &str| line.split(' ').next().unwrap().to_owned();
        let own = thread(lines[at]);
        let is_question =
            |index: &usize| thread(lines[*index]) == own && lines[*index].contains("Verify");
        let asked = (0..at).rev().find(is_question).unwrap();
        let between = &lines[asked..at];
        // The writer judges a code if it is awake. Its background flush is on another thread.
        let witness = between.iter().rfind(|line| line.contains("totpd witness 1"));
        let judge = thread(witness.unwrap_or_else(|| panic!("{between:#?}")));
        let waits = |line: &&str| line.contains("sync(") && [&own, &judge].contains(&&thread(line));
        assert!(!between.iter().any(waits), "{between:#?}");
    }
}
