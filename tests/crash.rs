//! Whatever happens to the daemon, what it approved stays used.

use tests::{Machine, eventually, pam, scaled};

#[test]
fn a_code_stays_used_over_many_kills() {
    let machine = Machine::new();
    for round in 0..scaled(50, 10) {
        let seed = machine.enrolled("alice", round);
        let code = seed.code();
        // Killed within the same script, right after the answer.
        let killed = machine
            .run(&format!("pid=$(pidof totpd); /opt/tests/pam totp alice {code} && kill -9 $pid"));
        assert!(killed.stdout.contains("rc=0 "), "round {round}: {killed:#?}");
        assert_eq!(killed.status, 0, "round {round}: {killed:#?}");
        let again = machine.pam("totp", "alice", &code).run();
        assert_eq!(again.rc, pam::AUTH_ERR, "round {round}: {again:#?}");
        let next = machine.pam("totp", "alice", &seed.next_code()).run();
        assert_eq!(next.rc, pam::SUCCESS, "round {round}: {next:#?}");
    }
}

#[test]
fn the_next_login_starts_a_daemon_that_was_stopped() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

/// A power cut leaves only flushed data. So an approval that leans on no mark must not leave before
/// its flush has returned. The system calls of the real daemon show the order.
#[test]
fn no_approval_leaves_before_the_disk_has_it() {
    let machine = Machine::new();
    let no_mark =
        "mkdir -p /etc/totpd && printf '[store]\\nmark = false\\n' > /etc/totpd/totpd.toml";
    machine.run(no_mark).stdout_ok();
    let seed = machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    let mut strace = machine.start(
        "exec strace -f -s 4096 -o /tmp/trace -e trace=pwrite64,fdatasync,fsync,sendmsg,sendto \
         /usr/libexec/totpd",
    );
    eventually("the daemon is on the bus", || machine.owns_its_name());
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    strace.wait().unwrap();

    let trace = machine.run("cat /tmp/trace").stdout_ok();
    let lines: Vec<_> = trace.lines().collect();
    let reply = lines
        .iter()
        // A message to the journal has an address. An answer has none.
        .position(|line| {
            line.contains("sendto(") && line.contains("approved") && line.contains("NULL, 0)")
        })
        .expect("the approval is in the trace");
    let written = lines[..reply].iter().rposition(|line| line.contains("pwrite64(")).unwrap();
    let flushed = lines[written..reply]
        .iter()
        .any(|line| line.contains("sync") && line.trim_end().ends_with("= 0"));
    assert!(flushed, "{:#?}", &lines[written..=reply]);
}
