//! Tests of what is said of users without a factor.

use pam_stack::Stack;
use pam_stack::parse::Kind;
use serde_json::{Value, json};

use super::*;
use crate::findings::users::asking::shut_by_stacks;
use crate::findings::users::factor_holder::Holder;

#[test]
fn an_unknown_list_has_a_change_to_make() {
    let told = unknown_finding(&Error::refused("no answer")).sentence();
    let advice = daemon_log::advice();
    assert_eq!(told, format!("cannot list the enrolled users: no answer; {advice}"));
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Returns the services that ask.
fn asking(services: &[(&str, Unenrolled)]) -> Vec<Asking> {
    let asking = services.iter().filter(|(_, unenrolled)| *unenrolled != Unenrolled::NotAsked);
    let asking = asking.map(|(name, unenrolled)| Asking {
        service: (*name).to_owned(),
        siblings: if *name == "sudo-i" { owned(&["sudo"]) } else { Vec::new() },
        unenrolled: *unenrolled,
        shut: Vec::new(),
    });
    asking.collect()
}

/// Without another way in.
const CLOSED: &OtherWays<'static> = &OtherWays { open: Vec::new(), has_one: &|_| false };

/// Returns that many users with a valid factor, and those without one.
fn enrolled_users(enrolled: usize, names: &[&str]) -> WithoutFactor {
    let user = |number| holder(&format!("u{number}"), json!({ "status": "verified" }), None);
    WithoutFactor::new((0..enrolled).map(user).collect(), owned(names), Vec::new(), None, 1_000)
}

fn found(names: &[&str], enrolled: usize, services: &[(&str, Unenrolled)]) -> Report {
    let mut report = Report::default();
    add(&enrolled_users(enrolled, names), &asking(services), CLOSED, &mut report);
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
    let users = enrolled_users(1, &["dana"]);
    let by_key = OtherWays { open: vec!["publickey"], has_one: &|service| service == "sshd" };
    for (service, expected) in [
        (
            "sshd",
            "cannot pass a prompt for a code (sshd): dana (1); ssh still lets them in by publickey",
        ),
        ("sudo", "cannot log in (sudo): dana (1)"),
    ] {
        let mut report = Report::default();
        add(&users, &asking(&[(service, Unenrolled::Denied)]), &by_key, &mut report);
        let message = report.notes[0].message();
        assert_eq!(message, format!("users without a factor, who {expected}"));
    }
}

#[test]
fn the_first_code_is_wanted_where_no_key_gets_in() {
    let users = enrolled_users(0, &["dana"]);
    let by_key = OtherWays { open: vec!["publickey"], has_one: &|service| service == "sshd" };
    let asking = asking(&[("sshd", Unenrolled::Denied), ("sudo", Unenrolled::Denied)]);
    let mut report = Report::default();
    add(&users, &asking, &by_key, &mut report);
    let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
    assert_eq!(problem.id(), FindingId::NobodyEnrolled);
    assert!(problem.message().contains("(sudo)"), "{}", problem.message());
    let note = report.notes[0].message();
    assert!(note.contains("a prompt for a code (sshd): dana (1); ssh still lets them"), "{note}");
}

#[test]
fn a_user_whose_factors_are_all_unusable_is_named() {
    let mut report = Report::default();
    let users = WithoutFactor { unusable: vec!["alice".into()], ..WithoutFactor::default() };
    add(&users, &asking(&[("sshd", Unenrolled::Denied)]), CLOSED, &mut report);
    assert_eq!(report.notes[0].id(), FindingId::UsersWithoutUsableFactor);
    assert!(report.notes[0].message().ends_with("alice (1)"));
    // The factor is there: a new one is not what they need.
    let sentence = report.notes[0].sentence();
    assert!(sentence.contains("totpctl set USER --enable"), "{sentence}");
    assert!(!sentence.contains("totpctl enroll"), "{sentence}");
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
    add(&users(None), &asking(&services), CLOSED, &mut report);
    let notes: Vec<_> = report.notes.iter().map(Finding::message).collect();
    // Another finding names sudo-i beside sudo.
    let about = |text: &str| notes.iter().filter(|note| note.contains(text)).count();
    assert_eq!((about("log in by sshd with a code"), about("by sudo-i with")), (1, 0));
    assert_eq!(about("disabled, expired"), 0, "{notes:?}");
    let is_of_sshd = |note: &&Finding| note.message().contains("log in by sshd with a code");
    let sentence = report.notes.iter().find(is_of_sshd).unwrap().sentence();
    assert!(sentence.ends_with("totpctl set USER --services …,sshd"), "{sentence}");
    let problem = &report.problems[0];
    assert_eq!(problem.id(), FindingId::FactorOfAnotherUid);
    assert!(problem.message().ends_with("bob (uid 4321, enrolled as 1001) (1)"));
}

#[test]
fn nobody_left_is_said() {
    let report = found(&[], 3, &[("sshd", Unenrolled::Skipped)]);
    assert_eq!(report.summary, ["3 users are enrolled", "users without a factor: none"]);
    assert!(found(&[], 3, &[("su", Unenrolled::NotAsked)]).summary.is_empty());
}

#[test]
fn users_of_a_directory_are_said_not_to_be_counted() {
    let mut report = Report::default();
    let users =
        WithoutFactor { enrolled: 1, uncounted: vec!["sss".into()], ..WithoutFactor::default() };
    add(&users, &asking(&[("sshd", Unenrolled::Skipped)]), CLOSED, &mut report);
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
    for (stacks, expected) in [
        (&[&both][..], &["root", "ubuntu", "alice"][..]),
        (&[&both, &rootok], &["ubuntu", "alice"]),
        (&[&both, &code], &[]),
        (&[&unknown], &[]),
    ] {
        let locked = owned(&["root", "ubuntu", "alice"]);
        let stacks: Vec<_> = stacks.iter().map(|stack| (*stack).clone()).collect();
        assert_eq!(shut_by_stacks(&stacks, locked, &|_| true), expected, "{stacks:?}");
    }
}

/// `enable` names those without a factor who are then shut out, and doctor the same.
#[test]
fn each_service_has_its_own_users_who_cannot_log_in_anyway() {
    let services = |shut: &[&str]| {
        let mut services = asking(&[("sshd", Unenrolled::Denied), ("su", Unenrolled::Denied)]);
        services[0].shut = owned(shut);
        services
    };
    let told = |enrolled, shut: &[&str]| {
        let mut report = Report::default();
        let users = enrolled_users(enrolled, &["root", "bob"]);
        add(&users, &services(shut), CLOSED, &mut report);
        report
    };
    let report = told(1, &["root"]);
    let notes: Vec<_> = report.notes.iter().map(Finding::message).collect();
    let expected = [
        "users without a factor, who cannot log in (sshd): bob (1)",
        "users without a factor, who cannot log in (su): root, bob (2)",
    ];
    assert_eq!(notes, expected);
    let expected =
        ["1 user is enrolled", "not counted for sshd, because their password is locked: root (1)"];
    assert_eq!(report.summary, expected);
    let nobody = told(0, &["root", "bob"]);
    assert!(nobody.problems[0].message().contains("(sshd, su): root, bob (2); no user"));
    assert_eq!(nobody.summary, ["0 users are enrolled"]);
    let mut report = Report::default();
    let mut skipping = asking(&[("sshd", Unenrolled::Skipped)]);
    skipping[0].shut = owned(&["root"]);
    add(&enrolled_users(0, &["root", "bob"]), &skipping, CLOSED, &mut report);
    let aside = "not counted, because their password is locked: root (1)";
    assert_eq!(report.summary, ["0 users are enrolled", aside]);
}

#[test]
fn factors_for_other_services_count_as_enrolled() {
    let phrase = |enrolled, enrolled_anywhere| {
        let users = WithoutFactor { enrolled, enrolled_anywhere, ..WithoutFactor::default() };
        users.enrolled_phrase("sudo")
    };
    assert_eq!(phrase(1, 1), "1 user is enrolled");
    assert_eq!(
        phrase(0, 2),
        "2 users are enrolled, 0 of them with a factor that is valid for sudo"
    );
}

#[test]
fn nobody_is_let_in_if_all_who_have_factors_are_kept_out() {
    let told = |factor: Value, shut: &[&str], names: &[&str], by_key: bool| {
        let holders = vec![holder("alice", factor, None)];
        let users = WithoutFactor::new(holders, owned(names), Vec::new(), None, 1_000);
        let mut services = asking(&[("sshd", Unenrolled::Denied), ("su", Unenrolled::Skipped)]);
        services[0].shut = owned(shut);
        let open = if by_key { vec!["publickey"] } else { Vec::new() };
        let other_ways = OtherWays { open, has_one: &|service| by_key && service == "sshd" };
        let mut report = Report::default();
        add(&users, &services, &other_ways, &mut report);
        let found = report.problems.iter();
        let found = found.filter(|problem| problem.id() == FindingId::NobodyEnrolled);
        (found.map(Finding::sentence).collect::<Vec<_>>(), report.summary)
    };
    let good = || json!({ "status": "verified" });
    let (problems, summary) = told(good(), &["alice"], &["bob"], false);
    let expected = "nobody can log in with a code (sshd): enrolled are alice (password locked) (1), without a \
                    factor bob (1); set a password (passwd USER), or enroll a user who can log in: totpctl \
                    enroll USER";
    assert_eq!(problems, [expected]);
    let locked = "enrolled, and cannot log in by sshd because their password is locked: alice (1)";
    assert!(summary.iter().any(|line| line == locked), "{summary:?}");
    assert!(told(good(), &["alice"], &["bob"], true).0.is_empty());
    assert!(told(good(), &[], &["bob"], false).0.is_empty());
    // All people have a factor, and no factor is of use. nullok lets none of them in.
    let disabled = json!({ "status": "disabled" });
    let (problems, _) = told(disabled.clone(), &[], &[], false);
    let expected = "nobody can log in with a code (sshd, su): enrolled are alice (no factor is valid now) (1);";
    assert!(matches!(&problems[..], [one] if one.starts_with(expected)), "{problems:?}");
    // Their keys let them in by ssh all the same.
    assert!(told(disabled.clone(), &[], &["bob"], true).0.is_empty());
    assert_eq!(told(disabled, &[], &["bob"], false).0.len(), 1);
    let of_sudo = json!({ "status": "verified", "services": ["sudo"] });
    let (problems, _) = told(of_sudo, &[], &["bob"], false);
    assert!(problems[0].contains("alice (factors for other services only)"), "{problems:?}");
}

#[test]
fn a_locked_user_whose_factor_is_disabled_is_named_with_both_reasons() {
    let holders = vec![holder("alice", json!({ "status": "disabled" }), None)];
    let users = WithoutFactor::new(holders, Vec::new(), Vec::new(), None, 1_000);
    let mut services = asking(&[("sshd", Unenrolled::Denied)]);
    services[0].shut = owned(&["alice"]);
    let mut report = Report::default();
    add(&users, &services, CLOSED, &mut report);
    assert!(report.notes[0].message().ends_with("alice (password locked, too) (1)"));
}

/// An acceptance ends when the users change, also those that the message leaves out.
#[test]
fn a_finding_depends_on_all_its_users() {
    let basis = |names: &[&str]| {
        let report = found(names, 1, &[("sshd", Unenrolled::Skipped)]);
        report.notes[0].basis().map(ToOwned::to_owned)
    };
    let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    assert_eq!(basis(&ten), None);
    let [one, other] = ["u30", "zmallory"].map(|name| basis(&[&ten[..], &[name]].concat()));
    assert_eq!((one.as_deref(), other.as_deref()), (Some("u30"), Some("zmallory")));
}
