//! What `totpctl doctor` says of sudo and su, beside what happens when a person uses them. A
//! generator with a seed draws the hosts, so a failure names the number that draws it again.

use serde_json::Value;
use tests::{Machine, scaled};

use self::sudo_setup::SudoSetup;

mod sudo_setup;

#[test]
fn doctor_is_right_on_hosts_with_sudo_and_su() {
    let (mut uses, mut differences) = (0, Vec::new());
    let count = u64::from(scaled(40, 6));
    for number in 0..count {
        let host = SudoSetup::draw(number);
        let machine = Machine::new();
        host.set_up(&machine);
        let ran = machine.run("totpctl --json doctor sudo sudo-i su su-l");
        let doctor: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        for (claim, service) in host.claims(&doctor) {
            uses += 1;
            let real = host.uses(&machine, &claim, service);
            if let Some(difference) = claim.difference(real) {
                differences.push(format!("{difference}\n{host:#?}"));
            }
        }
    }
    println!("{uses} uses on {count} hosts");
    assert!(differences.is_empty(), "{} of {uses}:\n{}", differences.len(), differences.join("\n"));
}
