#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]
//! What a decision costs that looks at every rule. The line that begins with "row" is for
//! `scripts/bench-table.py`.

use std::hint::black_box;
use std::time::Instant;

use totpd_core::policy::{
    Fit, GroupName, Groups, OneOf, Person, Place, PlacePattern, Policy, Question, Rule, RuleName,
    ServicePattern, Then, UserPattern, decide,
};
use totpd_core::source::Origin;

const RULES: usize = 1_000;
const GROUPS: usize = 200;
const ROUNDS: usize = 10_001;

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let policy = Policy::new((0..RULES).map(rule).collect());
    let groups = Groups::new(vec![Fit::No; policy.groups().len()]);
    let question = Question {
        user: Person::Account("alice.example"),
        is_unenrolled: false,
        service: Some("sshd"),
        place: Place::locate(&Origin { rhost: Some("192.0.2.77"), ..Origin::default() }, Fit::No),
        groups: &groups,
        now: 1_800_000_000,
    };
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(decide(black_box(&policy), black_box(&question), |_, _| {}));
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let (whole, rest) = (median / 1000, median % 1000);
    let what = format!("a decision over {RULES} rules and {GROUPS} groups, none of which fits");
    println!("row\tpolicy\t{what}\t{whole}.{rest:03}\t µs\tat most\t20");
}

/// Returns a rule that comes as far as its users and groups, and fits nobody.
fn rule(number: usize) -> Rule {
    let user = format!("user{number}");
    let group = format!("group{}", number % GROUPS);
    let network = format!("192.0.{}.0/24", number % 3);
    let parse = |text: &str| PlacePattern::parse(text).expect("a network");
    Rule {
        name: RuleName::parse(&user).expect("a name"),
        users: OneOf::new(vec![UserPattern::parse(&user).expect("a user")]),
        groups: OneOf::new(vec![GroupName::parse(&group).expect("a group")]),
        services: OneOf::new(vec![
            ServicePattern::parse("sudo").expect("a service"),
            ServicePattern::parse("ssh*").expect("a service"),
        ]),
        from: OneOf::new(vec![parse(&network), parse("192.0.2.0/24")]),
        then: Then::Skip,
    }
}
