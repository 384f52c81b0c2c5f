//! Tests of what a preflight says, and which users it counts.

use super::*;
use crate::findings::users::factor_holder::Holder;

#[test]
fn the_message_counts_the_enrolled_users() {
    let message = |enrolled, names: &[&str]| {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let users = WithoutFactor {
            enrolled,
            enrolled_anywhere: enrolled,
            names,
            ..WithoutFactor::default()
        };
        preflight(users).message()
    };
    for (enrolled, names, expected) in [
        (1, &["bob"][..], "1 user is enrolled. Users without a factor are denied: bob (1)."),
        (2, &[], "2 users are enrolled. Users without a factor are denied: none."),
    ] {
        assert_eq!(message(enrolled, names), expected);
    }
}

fn preflight(users: WithoutFactor) -> Preflight {
    Preflight {
        users,
        set_aside: Vec::new(),
        asking: Asking {
            service: "sshd".into(),
            siblings: Vec::new(),
            unenrolled: Unenrolled::Denied,
            shut: Vec::new(),
        },
        locked_out: Vec::new(),
        exceptions: Vec::new(),
        reach: Reach::default(),
        unenrolled: Unenrolled::Denied,
        denies: true,
        asks_first: false,
        service: "sshd".into(),
        surprises: Vec::new(),
    }
}

#[test]
fn what_sshd_makes_of_the_change_is_said() {
    let users = WithoutFactor { enrolled: 1, ..WithoutFactor::default() };
    let surprises = vec!["root cannot log in".to_owned()];
    let told = Preflight { surprises, ..preflight(users) }.message();
    assert!(told.ends_with("are denied: none. Note: root cannot log in."), "{told}");
}

#[test]
fn users_whose_factors_are_not_valid_are_denied_too() {
    let unusable = vec!["alice".to_owned()];
    let users =
        WithoutFactor { enrolled: 1, enrolled_anywhere: 2, unusable, ..WithoutFactor::default() };
    let found = Preflight { asks_first: true, ..preflight(users) };
    assert_eq!(
        found.message(),
        "2 users are enrolled, 1 of them with a factor that is valid for sshd. Users without a factor are \
         denied: none. Denied, because no factor of theirs is valid for sshd now: alice (1)."
    );
    assert_eq!(found.shut_out(), ["alice"]);
    // They were denied before.
    assert!(Preflight { asks_first: false, ..found }.shut_out().is_empty());
}

#[test]
fn root_alone_has_to_be_able_to_log_in() {
    let shut = || Some("sshd refuses root".to_owned());
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (enrolled, unusable, names, is_refused) in [
        (1, &[][..], &["bob"][..], true),
        (1, &[], &["root", "bob"], false),
        (1, &["alice"], &["bob"], false),
        (2, &[], &["bob"], false),
        (0, &[], &["root"], false),
    ] {
        let (unusable, names) = (owned(unusable), owned(names));
        let users = WithoutFactor { enrolled, unusable, names, ..WithoutFactor::default() };
        let checked = preflight(users).check_root(&shut);
        assert_eq!(checked.is_err(), is_refused, "{checked:?}");
        if let Err(error) = checked {
            let expected = "not changed: root is the only user with a factor, and sshd refuses root; or use \
                            --even-so";
            assert_eq!(error.to_string(), expected);
        }
    }
    let users = WithoutFactor { enrolled: 1, ..WithoutFactor::default() };
    assert!(preflight(users).check_root(&|| None).is_ok());
}

#[test]
fn a_guard_that_ends_automatic_logins_is_refused() {
    assert!(check_automatic(&[]).is_ok());
    let logins = ["root (/etc/inittab:3)".to_owned(), "al (/etc/inittab:4)".to_owned()];
    let expected = "not changed: the guard ends automatic logins at a terminal, unless a rule or nullok lets the user \
                    by: root (/etc/inittab:3), al (/etc/inittab:4); remove these, or use --even-so";
    assert_eq!(check_automatic(&logins).unwrap_err().to_string(), expected);
}

#[test]
fn a_code_alone_is_asked_about_if_it_is_new() {
    let problem = || Some("a code alone lets a user in".to_owned());
    // Nobody answers here.
    let refused = check_code_alone(problem(), &|| None).unwrap_err().to_string();
    let expected =
        "not changed: a code alone lets a user in; or use --yes, if a code alone is intended";
    assert_eq!(refused, expected);
    assert!(check_code_alone(problem(), &problem).is_ok());
    assert!(check_code_alone(None, &|| panic!("nothing to compare")).is_ok());
}

#[test]
fn a_user_who_cannot_log_in_anyway_is_not_shut_out() {
    let names = vec!["root".to_owned(), "bob".to_owned()];
    let mut users =
        WithoutFactor { enrolled: 1, enrolled_anywhere: 1, names, ..WithoutFactor::default() };
    let set_aside = users.set_aside(|name| name == "root");
    let exceptions = vec!["dana (NOPASSWD, /etc/sudoers:1)".to_owned()];
    let found = Preflight { set_aside, exceptions, ..preflight(users) };
    assert_eq!(found.shut_out(), ["bob"]);
    assert_eq!(
        found.message(),
        "1 user is enrolled. Users without a factor are denied: bob (1). Not counted, because their \
         password is locked: root (1). sudo does not ask: dana (NOPASSWD, /etc/sudoers:1)."
    );
}

#[test]
fn a_locked_password_of_the_only_enrolled_user_is_refused() {
    let holder = |status: &str| {
        let factor = serde_json::json!({ "status": status });
        let factors = vec![factor.as_object().unwrap().clone()];
        Holder { name: "alice".into(), factors, differing: None }
    };
    for (status, shut, has_other_way, expected) in [
        ("verified", &[][..], false, None),
        ("verified", &["alice"], true, None),
        ("verified", &["alice"], false, Some("alice (password locked) (1), without a factor bob")),
        ("disabled", &["alice"], false, Some("alice (no factor is valid now, password locked)")),
    ] {
        let (holders, names) = (vec![holder(status)], vec!["bob".to_owned()]);
        let mut found = preflight(WithoutFactor { holders, names, ..WithoutFactor::default() });
        found.asking.shut = shut.iter().map(ToString::to_string).collect();
        let told = found.check_somebody(&|| has_other_way).map_err(|error| error.to_string());
        match expected {
            None => assert_eq!(told, Ok(())),
            Some(part) => {
                let told = told.unwrap_err();
                assert!(told.contains(part) && told.ends_with("or use --even-so"), "{told}");
            }
        }
    }
    let changed = ["sudo", "sudo-i"];
    assert_eq!(siblings("sudo", &changed), ["sudo-i"]);
    assert_eq!(siblings("sshd", &["sshd", "login"]), Vec::<String>::new());
}
