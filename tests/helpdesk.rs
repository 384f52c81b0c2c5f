//! The calls that a helpdesk gets, with the commands of docs/admin/helpdesk.md.

use tests::{Machine, Seed, pam};

/// Returns the commands of the page, without their comments.
fn commands() -> Vec<&'static str> {
    let page = include_str!("../docs/admin/helpdesk.md");
    let block = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    block.lines().map(|line| line.split('#').next().unwrap().trim()).collect()
}

#[test]
fn the_three_commands_of_the_helpdesk_answer_a_call() {
    assert_eq!(commands(), ["totpctl show alice", "totpctl unlock alice", "totpctl enroll alice"]);
    let machine = Machine::new();
    let old = machine.enrolled("alice", 1);
    for _ in 0..4 {
        machine.pam("totp", "alice", &old.wrong_code()).run();
    }
    let waits = machine.run(commands()[0]).stdout_ok();
    assert!(waits.contains("Unknown sources: 3 wrong codes, wait "), "{waits}");
    assert_eq!(machine.pam("totp", "alice", &old.code()).run().rc, pam::MAXTRIES);
    machine.run(commands()[1]).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &old.code()).run().rc, pam::SUCCESS);

    // The phone was replaced. The old factor is valid until the first code.
    let left = machine.run(&format!("{} </dev/null", commands()[2]));
    assert_eq!(left.status, 1, "nobody gave a code: {left:#?}");
    assert!(left.stderr.contains("alice has a factor already: f-"), "{left:#?}");
    assert!(left.stderr.contains("stays valid until the first code of the new one"), "{left:#?}");
    assert_eq!(machine.pam("totp", "alice", &old.next_code()).run().rc, pam::SUCCESS);
    let made = machine.run("totpctl --json enroll alice").stdout_ok();
    let secret = made.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
    let new = Seed(secret.to_owned());
    machine.run_with_input(commands()[2], &format!("{}\n", new.code())).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &new.next_code()).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &old.code_after(60)).run().rc, pam::AUTH_ERR);
}
