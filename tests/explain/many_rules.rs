//! What many rules cost.

use serde_json::Value;
use tests::Machine;

use super::{BEHIND, reload, rule};

/// The names are in other scripts, and the networks in other spellings.
#[test]
fn ten_thousand_rules_are_read_and_explained() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    let mut rules = String::new();
    for number in 0..10_000 {
        let (a, b) = (number / 250, number % 250);
        rules += &rule(
            &format!("事務所 {number}"),
            &format!(
                "users = [\"ülkü{number}\"]\nfrom = [\"::ffff:10.{a}.{b}.0/120\"]\nthen = \"skip\""
            ),
        );
    }
    rules += &rule("past", "services = [\"behind\"]\nthen = \"enroll-by 1999-12-31\"");
    reload(&machine, &rules);
    let explained = machine.run("totpctl --json explain alice behind --from 10.1.2.3").stdout_ok();
    let explained: Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(explained["rule"], "past", "{}", explained["rules"].as_array().unwrap().len());
    assert_eq!(explained["pam"], "PAM_AUTH_ERR", "nobody has a factor");
    let spent = machine
        .run("time -p (for i in 1 2 3 4 5; do totpctl explain alice behind >/dev/null; done)");
    println!("five explanations over 10,000 rules: {}", spent.stderr);
}
