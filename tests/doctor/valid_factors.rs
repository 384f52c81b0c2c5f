//! Factors that are not valid for a service: those who have them are counted as denied.

use tests::Machine;

use super::doctor;

#[test]
fn users_without_a_valid_factor_are_named_before_they_are_denied() {
    let machine = Machine::new();
    let seeds = [(1, "alice"), (2, "bob"), (3, "carol")]
        .map(|(number, user)| (user, machine.enrolled(user, number)));
    machine
        .run("totpctl set alice --services sudo && totpctl set bob --not-after 2020-01-01")
        .stdout_ok();
    let enabled = machine.run("totpctl enable sshd");
    let denied = "Denied, because no factor of theirs is valid for sshd now: alice, bob (2).";
    let enrolled = "2 users are enrolled, 1 of them with a factor that is valid for sshd.";
    assert!(enabled.status == 0 && enabled.stderr.contains(enrolled), "{enabled:#?}");
    assert!(enabled.stderr.contains(denied), "{enabled:#?}");
    for (user, seed) in &seeds {
        let login = machine.ssh(user, &seed.code()).run();
        assert_eq!(login.got_in, *user == "carol", "{user}");
    }
    let found = doctor(&machine, "").stdout;
    let of_services =
        "by sshd with a code, because their factors are valid only for other services: alice";
    assert!(found.contains("2 users are enrolled"), "{found}");
    assert!(found.contains(of_services) && found.contains("out of step: bob (1)"), "{found}");

    // If nobody is left, the change is refused.
    machine.run("totpctl disable sshd && totpctl set carol --disable --yes").stdout_ok();
    let refused = machine.run("totpctl enable sshd");
    let told = "no user has a factor that is valid for sshd now";
    assert!(refused.status == 1 && refused.stderr.contains(told), "{refused:#?}");
}

#[test]
fn a_user_with_another_uid_is_named() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.enrolled("carol", 2);
    machine.run("sed -i 's/^alice:x:[0-9]*:/alice:x:4321:/' /etc/passwd").stdout_ok();
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(
        shown.starts_with("alice (uid 4321) is not enrolled: the factors belong to"),
        "{shown}"
    );
    let listed = machine.run("totpctl list").stdout_ok();
    let row = listed.lines().find(|line| line.trim_start().starts_with("alice")).expect(&listed);
    assert!(row.contains("another uid"), "{row}");
    assert!(machine.run("totpctl --json list").stdout_ok().contains("\"account_uid\":4321"));

    let enabled = machine.run("totpctl enable sshd");
    assert!(enabled.stderr.contains("valid for sshd now: alice (1)."), "{enabled:#?}");
    assert!(!machine.ssh("alice", &seed.code()).run().got_in);
    let found = doctor(&machine, "");
    assert!(found.status == 1 && found.stdout.contains("[factor-of-another-uid]"), "{found:#?}");
    // With a factor of its own, the account is right again.
    machine.run("totpctl enroll alice --no-confirm --qr none").stdout_ok();
    assert!(!doctor(&machine, "").stdout.contains("[factor-of-another-uid]"));
}
