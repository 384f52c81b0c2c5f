//! A code is good once, for any number of attempts at the same moment.

use tests::{Machine, SSH, pam};

#[test]
fn one_of_fifty_processes_with_one_code_gets_in() {
    let machine = Machine::new();
    for round in 0..20 {
        let seed = machine.enrolled("alice", round);
        // An own address each round: the losers of the one before must not throttle this one.
        let won = machine
            .pam("totp", "alice", &seed.code())
            .processes(50)
            .from(&format!("192.0.2.{}", round + 1))
            .run();
        assert_eq!(won.yes, 1, "round {round}: {won:#?}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
}

#[test]
fn one_of_twenty_ssh_clients_with_one_code_gets_in() {
    let machine = Machine::new();
    machine.service(
        "sshd",
        "auth required pam_totp.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    );
    let seed = machine.enrolled("alice", 7);
    let code = seed.code();
    let ran = machine.run(&format!(
        "export CODE={code} SSH_ASKPASS=/opt/tests/askpass SSH_ASKPASS_REQUIRE=force PROMPTS=/tmp/p\n\
         for n in $(seq 20); do \
           {SSH} alice@127.0.0.1 'echo in' & \
         done; wait; wc -l </tmp/p >&2"
    ));
    assert_eq!(ran.stdout.lines().filter(|line| *line == "in").count(), 1, "{ran:#?}");
    let asked: u32 = ran.stderr.lines().last().unwrap().parse().unwrap();
    assert!(asked >= 20, "all of them were asked: {ran:#?}");
    let approved = machine.log().matches("TOTP_VERDICT=approved").count();
    assert_eq!(approved, 1);
    machine.run("totpctl unlock alice").stdout_ok();
    let last = machine.pam("totp", "alice", &code).run();
    assert_eq!(last.rc, pam::AUTH_ERR, "{last:#?}");
}
