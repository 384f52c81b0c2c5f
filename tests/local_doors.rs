//! What `totpctl doctor` says of sudo and su, beside what happens when a person uses them. A
//! generator with a seed draws the hosts, so a failure names the number that draws it again.

use serde_json::Value;
use tests::{Machine, scaled};

use self::sudo_setup::SudoSetup;
use crate::ssh_doors::computer::Computer;

mod sudo_setup;

/// Makes a machine into the host of this number, and uses sudo and su. Returns the count of uses,
/// and adds what differs.
pub(crate) fn compare_on(
    machine: &impl Computer,
    number: u64,
    differences: &mut Vec<String>,
) -> usize {
    let host = SudoSetup::draw(number);
    host.set_up(machine);
    let ran = machine.run("totpctl --json doctor sudo sudo-i su su-l");
    let doctor: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let claims = host.claims(&doctor);
    for (claim, service) in &claims {
        let difference = claim.difference(host.uses(machine, claim, service));
        differences.extend(difference.map(|difference| format!("{difference}\n{host:#?}")));
    }
    claims.len()
}

/// Returns what the host of this number has, a text for each choice.
pub(crate) fn kinds(number: u64) -> Vec<String> {
    SudoSetup::draw(number).kinds()
}

#[test]
fn doctor_is_right_on_hosts_with_sudo_and_su() {
    let mut differences = Vec::new();
    let count = u64::from(scaled(40, 6));
    let compare_one = |number| compare_on(&Machine::new(), number, &mut differences);
    let uses: usize = (0..count).map(compare_one).sum();
    println!("{uses} uses on {count} hosts");
    assert!(
        uses > 0 && differences.is_empty(),
        "{} of {uses}:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
