//! A disk that stalls, under a daemon whose clock stands still. So the mark lasts as long as a slow
//! machine needs.

use std::process::Child;

use tests::{Machine, PamResult, Seed, eventually, pam};

/// A daemon with a durable mark, on a disk that stalls from now on.
struct Stalled {
    machine: Machine,
    daemon: Child,
    seed: Seed,
    /// The time of the daemon, in seconds since 1970. The mark begins there.
    time: u64,
    /// The users who got in, and their codes. The disk has none of these logins.
    is_in: Vec<(String, String)>,
    next: u32,
}

impl Stalled {
    /// Each flush takes so many milliseconds.
    fn new(stall: u32) -> Self {
        let machine = Machine::new();
        let seed = machine.generate_users(1000);
        let now: u64 = machine.run("date +%s").stdout_ok().trim().parse().unwrap();
        // In the middle of a time step.
        let time = now / 30 * 30 + 15;
        machine.stop_clock(time);
        let daemon = machine.start_on_disk_with_clock(stall);
        let mut stalled = Self { machine, daemon, seed, time, is_in: Vec::new(), next: 0 };
        eventually("a login leans", || {
            stalled.log_in();
            stalled.witness() == "1"
        });
        eventually("the disk has all logins", || stalled.witness() == "0");
        stalled.is_in.clear();
        // This is on the disk after a power cut, until a flush returns.
        stalled
            .machine
            .run("cp -a /var/lib/totpd /root/disk && touch /var/lib/totpd/stall")
            .stdout_ok();
        stalled
    }

    fn witness(&self) -> String {
        let byte = self.machine.run("od -An -tu1 -j16 -N1 /run/totpd/witness/last").stdout_ok();
        byte.trim().to_owned()
    }

    fn move_clock(&mut self, seconds: u64) {
        self.time += seconds;
        self.machine.stop_clock(self.time);
    }

    /// Has the next user try the right code.
    fn log_in(&mut self) -> PamResult {
        let (user, code) = (format!("crowd{}", self.next), self.seed.code_at(self.time));
        self.next += 1;
        let result = self.machine.pam("totp", &user, &code).run();
        if result.rc == pam::SUCCESS {
            self.is_in.push((user, code));
        }
        result
    }

    /// Has the next user try a wrong code.
    fn start_wrong_code(&mut self) -> Child {
        let wrong = self.machine.run(&format!(
            "for step in $(seq -3 3); do oathtool --totp --base32 --now @$(({} + step * 30)) {}; done",
            self.time, self.seed.0
        ));
        let right = wrong.stdout_ok();
        let wrong = (0..100).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).unwrap();
        self.next += 1;
        self.machine.start(&format!("exec /opt/tests/pam totp crowd{} {wrong}", self.next - 1))
    }

    /// Checks that a login waits for the disk in vain, and is told so.
    fn is_refused_in_time(&mut self) {
        let refused = self.log_in();
        println!("refused after {} ms: {}", refused.ms, refused.shown.join(" / "));
        assert_eq!(refused.rc, pam::AUTHINFO_UNAVAIL, "{refused:#?}");
        assert!(refused.ms >= 3000, "{refused:#?}");
        assert!(refused.ms < 15_000, "{refused:#?}");
        let log = self.machine.log();
        assert!(log.contains("cannot read or write the store: no answer within 4 s"), "{log}");
    }

    /// Cuts the power. No flush has returned since [`Stalled::new`], so the disk has its copy.
    /// Nobody gets in by a code that was used.
    fn no_code_is_good_twice_after_a_power_cut(mut self) {
        println!("{} users got in", self.is_in.len());
        self.machine.kill_daemon("KILL");
        self.daemon.wait().unwrap();
        self.machine
            .run("rm -r /run/totpd/witness /var/lib/totpd/* && cp -a /root/disk/. /var/lib/totpd/")
            .stdout_ok();
        let mut daemon = self.machine.start_on_disk_with_clock(0);
        let tries: String =
            self.is_in.iter().map(|(user, code)| format!("{user} totp {user} {code}\n")).collect();
        self.machine.write("/root/tries", &tries);
        // By the same clock, and with the skew of the next time step.
        for _ in 0..2 {
            let ran = self.machine.run("/opt/tests/pam -m -b /root/tries").stdout_ok();
            let lines: Vec<_> = ran.lines().filter(|line| line.starts_with("crowd")).collect();
            assert_eq!(lines.len(), self.is_in.len(), "{ran}");
            for line in lines {
                assert_ne!(line.split(' ').nth(2), Some("0"), "accepted twice: {line}");
                assert!(line.contains("(codes are good again in "), "{line}");
            }
            self.move_clock(30);
        }
        // A mark lasts 60 s, and 60 s have passed: one period more.
        self.move_clock(30);
        for (user, code) in self.is_in.iter().take(3) {
            assert_ne!(self.machine.pam("totp", user, code).run().rc, pam::SUCCESS, "{user}");
            let code = self.seed.code_at(self.time);
            let is_in = self.machine.pam("totp", user, &code).run();
            assert_eq!(is_in.rc, pam::SUCCESS, "{is_in:#?}");
        }
        self.machine.kill_daemon("TERM");
        daemon.wait().unwrap();
    }
}

#[test]
fn within_a_mark_right_codes_wait_for_no_stalled_disk() {
    let stall = 3000;
    let mut stalled = Stalled::new(stall);
    eventually("right codes are answered while a wrong one waits", || {
        let mut wrong = stalled.start_wrong_code();
        let mut times: Vec<_> = (0..5)
            .map(|_| {
                let is_in = stalled.log_in();
                assert_eq!(is_in.rc, pam::SUCCESS, "{is_in:#?}");
                is_in.ms
            })
            .collect();
        let waits = wrong.try_wait().unwrap().is_none();
        times.sort_unstable();
        println!("right codes took {times:?} ms, and the wrong one waits: {waits}");
        assert!(times.iter().all(|ms| *ms < u64::from(stall)), "{times:?}");
        let wrong = output(wrong);
        assert!(!wrong.contains("rc=0 "), "{wrong}");
        let took = wrong.split("ms=").nth(1).and_then(|ms| ms.split_whitespace().next());
        let took: u64 = took.unwrap().parse().unwrap();
        assert!(took >= u64::from(stall), "a wrong code is on disk before it is denied: {wrong}");
        waits
    });
    // The end of the mark: people wait, and are refused, until a new one is on this slow disk.
    let before = std::mem::take(&mut stalled.is_in);
    stalled.move_clock(61);
    let first = stalled.log_in();
    println!("after the mark: {} in {} ms: {:?}", first.rc, first.ms, first.shown);
    assert!(first.ms >= u64::from(stall), "{first:#?}");
    assert!([pam::SUCCESS, pam::AUTHINFO_UNAVAIL].contains(&first.rc), "{first:#?}");
    eventually("logins lean on a new mark", || {
        let is_in = stalled.log_in();
        is_in.rc == pam::SUCCESS && is_in.ms < u64::from(stall)
    });
    // Killed, with its memory of logins: nobody waits for that, and nothing is good twice.
    stalled.machine.kill_daemon("KILL");
    stalled.daemon.wait().unwrap();
    stalled.machine.run("rm -r /run/totpd/witness /var/lib/totpd/stall").stdout_ok();
    let mut daemon = stalled.machine.start_on_disk_with_clock(0);
    for (user, code) in before.iter().chain(&stalled.is_in) {
        let again = stalled.machine.pam("totp", user, code).run();
        assert_ne!(again.rc, pam::SUCCESS, "{user}: {again:#?}");
    }
    stalled.machine.kill_daemon("TERM");
    daemon.wait().unwrap();
}

/// Longer than anybody waits in these tests.
const FOR_GOOD: u32 = 3_600_000;

#[test]
fn on_a_disk_that_hangs_logins_lean_until_half_of_the_reserve_is_used() {
    let mut stalled = Stalled::new(FOR_GOOD);
    loop {
        let before = stalled.is_in.len();
        // The last one comes to the module's deadline.
        let result = stalled.log_in();
        if stalled.is_in.len() == before {
            assert_eq!(result.rc, pam::AUTHINFO_UNAVAIL, "{result:#?}");
            break;
        }
        assert!(stalled.next < 1000, "the log grows without end");
    }
    assert!(stalled.is_in.len() >= 50, "{}", stalled.is_in.len());
    stalled.is_refused_in_time();
    stalled.no_code_is_good_twice_after_a_power_cut();
}

#[test]
fn on_a_disk_that_hangs_logins_are_refused_when_the_mark_is_over() {
    let mut stalled = Stalled::new(FOR_GOOD);
    for _ in 0..20 {
        let is_in = stalled.log_in();
        assert_eq!(is_in.rc, pam::SUCCESS, "{is_in:#?}");
    }
    stalled.move_clock(61);
    stalled.is_refused_in_time();
    stalled.is_refused_in_time();
    stalled.time -= 61;
    stalled.machine.stop_clock(stalled.time);
    stalled.no_code_is_good_twice_after_a_power_cut();
}

fn output(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}
