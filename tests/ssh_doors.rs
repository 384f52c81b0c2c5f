//! What `totpctl doctor` says of each way in, beside what happens when a person uses it. A
//! generator with a seed draws the configurations, so a failure names the number that draws it
//! again.

use std::ops::Range;

use serde_json::Value;
use tests::claim::Claim;
use tests::{Machine, scaled};

use self::ssh_setup::SshSetup;

mod ssh_setup;

/// Uses all ways in by ssh on hosts with these numbers.
fn compare(numbers: Range<u64>) {
    let (mut uses, mut differences) = (0, Vec::new());
    for number in numbers.clone() {
        let host = SshSetup::draw(number);
        let machine = Machine::new();
        host.set_up(&machine);
        let ran = machine.run("totpctl --json doctor sshd");
        let doctor: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        for claim in host.claims(&doctor) {
            uses += 1;
            let real = host.uses(&machine, &claim);
            if let Some(difference) = claim.difference(real) {
                differences.push(format!("{difference}\n{host:#?}"));
            }
        }
    }
    println!("{uses} uses on the hosts {numbers:?}");
    assert!(differences.is_empty(), "{} of {uses}:\n{}", differences.len(), differences.join("\n"));
}

/// Returns a part of the hosts, which are as many as the scale says.
fn part(index: u64) -> Range<u64> {
    let count = u64::from(scaled(40, 6)) / 2;
    index * count..(index + 1) * count
}

#[test]
fn doctor_is_right_on_one_half_of_the_ssh_hosts() {
    compare(part(0));
}

#[test]
fn doctor_is_right_on_the_other_half_of_the_ssh_hosts() {
    compare(part(1));
}

#[test]
fn a_false_claim_is_a_difference() {
    let claim = |code: &str| Claim::new("ssh, publickey", "alice", true, code, false);
    for (code, wrong_code, right_code, is_right) in [
        ("asked", false, true, true),
        ("asked", true, true, false),
        ("asked", false, false, false),
        ("not-asked", true, true, true),
        ("not-asked", false, true, false),
        ("closed", false, false, true),
        ("closed", false, true, false),
        ("unanswerable", false, false, true),
    ] {
        let difference = claim(code).difference((wrong_code, right_code));
        assert_eq!(difference.is_none(), is_right, "{code}: {difference:?}");
    }
}
