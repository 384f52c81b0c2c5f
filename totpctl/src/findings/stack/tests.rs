use super::*;

#[test]
fn the_order_decides_whether_one_answer_has_both() {
    let (password, code) = ("auth required pam_unix.so\n", "auth required pam_totp.so");
    for (text, expected) in [
        (format!("{code} forward_pass\n{password}"), false),
        (format!("{password}{code} forward_pass\n"), true),
        (format!("{password}{code} try_first_pass\n"), true),
        (format!("{password}{code} use_first_pass\n"), true),
        (format!("{password}{code}\n"), true),
        (format!("{code}\n"), false),
        (password.to_owned(), false),
    ] {
        let read = |name: &str| (name == "x").then(|| text.clone());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
        assert_eq!(needs_two_answers(&rules), expected, "{text}");
    }
}

#[test]
fn what_a_stack_does_has_a_change_to_make() {
    let root = "auth sufficient pam_rootok.so\nauth requisite pam_unix.so\n\
                auth required pam_totp.so\n";
    let shut = "auth required pam_totp.so\nauth required pam_deny.so\n";
    let twice = "auth requisite pam_unix.so\nauth required pam_totp.so\n\
                 auth required pam_totp.so nullok\n";
    for (text, id) in [
        (root, FindingId::RootNotAsked),
        (shut, FindingId::NobodyCanLogIn),
        (twice, FindingId::CodeAskedTwice),
    ] {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        let mut report = Report::default();
        paths(&analyze(&rules, &|_| true), None, &mut report);
        let mut findings = report.problems.iter().chain(&report.notes);
        let finding = findings.find(|finding| finding.id() == id);
        assert!(finding.is_some_and(|found| found.json(None).contains_key("fix")), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_line() {
    let rules_of = |text: &str| {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        rules
    };
    for word in ["include", "substack"] {
        let rules = rules_of(&format!("#\nauth {word} gone\nauth required pam_totp.so\n"));
        let found: Vec<_> = rules.iter().filter_map(failed_include).map(|f| f.line()).collect();
        let told = "/etc/pam.d/x:2: libpam cannot read the stack: cannot include gone: no such file; \
                    restore or correct the file that is named [stack-unreadable]";
        assert_eq!(found, [told], "{word}");
        assert!(!analyze(&rules, &|_| true).can_succeed);
    }
}

#[test]
fn a_code_alone_is_a_note() {
    let first = "auth [success=done ignore=ignore default=die] pam_totp.so nullok\n\
                 auth requisite pam_unix.so\n";
    for (text, is_alone) in [
        (first, true),
        ("auth required pam_totp.so\n", true),
        ("auth requisite pam_unix.so\nauth required pam_totp.so\n", false),
        // Another problem says more.
        ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", false),
    ] {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        let found = code_alone(&analyze(&rules, &|_| true));
        assert_eq!(found.is_some_and(|note| note.id() == FindingId::CodeAlone), is_alone, "{text}");
    }
}
