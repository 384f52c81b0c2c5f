//! Tests of what is said of users without a factor.

use serde_json::{Value, json};

use super::*;

#[test]
fn an_unknown_list_has_a_change_to_make() {
    let told = unknown_finding(&Error::refused("no answer")).sentence();
    let advice = daemon_log::advice();
    assert_eq!(told, format!("cannot list the enrolled users: no answer; {advice}"));
}

fn found(names: &[&str], enrolled: usize, services: &[(&str, Unenrolled)]) -> Report {
    let names = names.iter().map(ToString::to_string).collect();
    let mut report = Report::default();
    let users = WithoutFactor { enrolled, names, ..WithoutFactor::default() };
    add(&users, services, &[], &mut report);
    report
}

#[test]
fn with_nullok_everywhere_the_remaining_users_are_named() {
    let report = found(&["bob", "carol"], 1, &[("sshd", Unenrolled::Skipped)]);
    let expected = "users without a factor, who log in without a code now (sshd): bob, carol (2)";
    assert_eq!(report.notes[0].message(), expected);
    assert_eq!(report.notes[0].id(), FindingId::UsersNotYetEnrolled);
    assert!(report.problems.is_empty());
    let enrolls = found(&["bob"], 0, &[("sshd", Unenrolled::Enrolls)]);
    assert!(enrolls.problems.is_empty() && enrolls.notes.len() == 1);
}

#[test]
fn denied_users_are_named_with_the_services() {
    let services =
        [("sshd", Unenrolled::Denied), ("sudo", Unenrolled::Denied), ("su", Unenrolled::NotAsked)];
    let report = found(&["bob"], 1, &services);
    let expected = "users without a factor, who cannot log in (sshd, sudo): bob (1)";
    assert_eq!(report.notes[0].message(), expected);
    let nobody = found(&["bob"], 0, &services);
    assert_eq!(nobody.problems[0].id(), FindingId::NobodyEnrolled);
}

#[test]
fn a_key_that_is_enough_is_said() {
    let users =
        WithoutFactor { enrolled: 1, names: vec!["dana".into()], ..WithoutFactor::default() };
    for (service, expected) in [
        (
            "sshd",
            "cannot pass a prompt for a code (sshd): dana (1); ssh still lets them in by publickey",
        ),
        ("sudo", "cannot log in (sudo): dana (1)"),
    ] {
        let mut report = Report::default();
        add(&users, &[(service, Unenrolled::Denied)], &["publickey"], &mut report);
        let message = report.notes[0].message();
        assert_eq!(message, format!("users without a factor, who {expected}"));
    }
}

#[test]
fn a_user_whose_factors_are_all_unusable_is_named() {
    let mut report = Report::default();
    let users = WithoutFactor { unusable: vec!["alice".into()], ..WithoutFactor::default() };
    add(&users, &[("sshd", Unenrolled::Denied)], &[], &mut report);
    assert_eq!(report.notes[0].id(), FindingId::UsersWithoutUsableFactor);
    assert!(report.notes[0].message().ends_with("alice (1)"));
}

fn holder(name: &str, factor: Value, differing: Option<(u64, u64)>) -> Holder {
    let factors = vec![factor.as_object().unwrap().clone()];
    Holder { name: name.into(), factors, differing }
}

#[test]
fn a_factor_counts_for_its_services_and_its_uid() {
    let holders = || {
        vec![
            holder("alice", json!({ "status": "verified", "services": ["sudo"] }), None),
            holder("bob", json!({ "status": "verified" }), Some((1001, 4321))),
            holder("carol", json!({ "status": "verified", "services": [] }), None),
        ]
    };
    let users = |service| {
        let names = ["alice", "bob", "dana"].map(ToOwned::to_owned).to_vec();
        WithoutFactor::new(holders(), names, Vec::new(), service, 1_000)
    };
    assert_eq!(users(Some("sshd")).unusable, ["alice", "bob"]);
    assert_eq!(users(Some("sudo")).unusable, ["bob"]);
    assert_eq!(users(None).names, ["dana"]);
    let mut report = Report::default();
    let services = [("sshd", Unenrolled::Denied), ("sudo-i", Unenrolled::Skipped)];
    add(&users(None), &services, &[], &mut report);
    let notes: Vec<_> = report.notes.iter().map(Finding::message).collect();
    // Another finding names sudo-i beside sudo.
    let about = |text: &str| notes.iter().filter(|note| note.contains(text)).count();
    assert_eq!((about("log in by sshd with a code"), about("by sudo-i with")), (1, 0));
    assert_eq!(about("disabled, expired"), 0, "{notes:?}");
    let problem = &report.problems[0];
    assert_eq!(problem.id(), FindingId::FactorOfAnotherUid);
    assert!(problem.message().ends_with("bob (uid 4321, enrolled as 1001) (1)"));
}

#[test]
fn nobody_left_is_said() {
    let report = found(&[], 3, &[("sshd", Unenrolled::Skipped)]);
    assert_eq!(report.summary, ["users without a factor: none"]);
    assert!(found(&[], 3, &[("su", Unenrolled::NotAsked)]).summary.is_empty());
}

#[test]
fn users_of_a_directory_are_said_not_to_be_counted() {
    let mut report = Report::default();
    let users =
        WithoutFactor { enrolled: 1, uncounted: vec!["sss".into()], ..WithoutFactor::default() };
    add(&users, &[("sshd", Unenrolled::Skipped)], &[], &mut report);
    assert_eq!(report.notes[0].id(), FindingId::UsersNotCounted);
    assert_eq!(users.description(), "none; not counted: users of sss");
}

#[test]
fn users_whose_locked_password_keeps_them_out_are_set_aside() {
    let stack =
        |text: &str| Stack::parse("x", Kind::Auth, &|name| (name == "x").then(|| text.to_owned()));
    let end = "auth requisite pam_unix.so\nauth required pam_totp.so\n";
    let (both, code) = (stack(end), stack("auth required pam_totp.so\n"));
    let rootok = stack(&format!("auth sufficient pam_rootok.so\n{end}"));
    let unknown = Stack::Unreadable("why".into());
    let locked = ["root", "ubuntu", "alice"].map(ToOwned::to_owned);
    for (enrolled, stacks, expected) in [
        (1, &[&both][..], &["root", "ubuntu"][..]),
        (1, &[&both, &rootok], &["ubuntu"]),
        (1, &[&both, &code], &[]),
        (1, &[&unknown], &[]),
        // Nobody at all could log in.
        (0, &[&both], &[]),
    ] {
        let names = ["root", "bob", "ubuntu"].map(ToOwned::to_owned).to_vec();
        let mut users = WithoutFactor { enrolled, names, ..WithoutFactor::default() };
        let stacks: Vec<_> = stacks.iter().map(|stack| (*stack).clone()).collect();
        let aside = users.set_aside_locked(&stacks, &locked, &|_| true);
        assert_eq!(aside, expected, "{stacks:?}");
        assert_eq!(users.names.len(), 3 - expected.len());
    }
}
