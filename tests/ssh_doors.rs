//! What `totpctl doctor` says of each way in, beside what happens when a person uses it. A
//! generator with a seed draws the configurations, so a failure names the number that draws it
//! again.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use tests::claim::Claim;
use tests::{Machine, scaled};

use self::computer::Computer;
use self::ssh_setup::SshSetup;
use crate::{booted_doors, local_doors};

pub(crate) mod computer;
mod ssh_setup;

/// Makes a machine into the host of this number, and uses all ways in by ssh. Returns the count of
/// uses, and adds what differs.
pub(crate) fn compare_on(
    machine: &impl Computer,
    number: u64,
    differences: &mut Vec<String>,
) -> usize {
    let host = SshSetup::draw(number);
    host.set_up(machine);
    let ran = machine.run("totpctl --json doctor sshd");
    let doctor: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let claims = host.claims(&doctor);
    for claim in &claims {
        let difference = claim.difference(host.uses(machine, claim));
        differences.extend(difference.map(|difference| format!("{difference}\n{host:#?}")));
    }
    claims.len()
}

/// Returns what the host of this number has, a text for each choice.
pub(crate) fn kinds(number: u64) -> Vec<String> {
    SshSetup::draw(number).kinds()
}

/// Uses all ways in by ssh on hosts with these numbers.
fn compare(numbers: Range<u64>) {
    let mut differences = Vec::new();
    let compare_one = |number| compare_on(&Machine::new(), number, &mut differences);
    let uses: usize = numbers.clone().map(compare_one).sum();
    println!("{uses} uses on the hosts {numbers:?}");
    assert!(
        uses > 0 && differences.is_empty(),
        "{} of {uses}:\n{}",
        differences.len(),
        differences.join("\n")
    );
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

/// All settings of methods, Match blocks, stacks and sudoers are among those of a nightly run.
#[test]
fn drawn_hosts_have_each_setting() {
    let first = booted_doors::FIRST_NUMBER;
    for kinds in [kinds, local_doors::kinds] {
        let drawn = |numbers: Range<u64>| numbers.flat_map(kinds).collect::<BTreeSet<_>>();
        let (all, nightly) = (drawn(0..1000), drawn(first..first + u64::from(booted_doors::HOSTS)));
        let missing: Vec<_> = all.difference(&nightly).collect();
        assert!(all.len() > 15 && missing.is_empty(), "{missing:#?}");
    }
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
