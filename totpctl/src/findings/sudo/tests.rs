//! Tests of what sudo does with the code.

use super::*;
use crate::host::sudo::sudoers::{Files, Sudoers};

/// Returns what sudo with these rules reports, while root has no factor.
fn checked(rules: &str) -> Report {
    checked_of(Some(Sudoers::of_text(rules, "h")), None)
}

fn checked_of(sudoers: Option<Sudoers>, silence: Option<String>) -> Report {
    let (command, name) = ("sudo".to_owned(), "sudo".to_owned());
    let others = silence.iter().map(|_| "/usr/bin/sudo.ws".to_owned()).collect();
    let sudo = Sudo {
        services: vec![UsedService { command, name, scope: None }],
        sudoers,
        faults: Vec::new(),
        unread: Vec::new(),
        silence,
        exempt_group: None,
        others,
    };
    let stack = |_: &str| Stack {
        code: CodeNeed::Asked,
        exceptions: Vec::new(),
        skips_unenrolled: false,
        enrolls: false,
    };
    let mut report = Report::default();
    sudo.check(&stack, &|user| Some(user != "root"), &mut report);
    report
}

#[test]
fn a_finding_depends_on_the_aliases_and_the_user_of_other_lines() {
    let basis = |rules: &str| {
        let report = checked(rules);
        let is_known = |finding: &&Finding| finding.id() != FindingId::SudoersNotChecked;
        let mut all = report.problems.iter().chain(&report.notes);
        all.find(is_known).unwrap().basis().map(ToOwned::to_owned)
    };
    // More members than the message names.
    let alias = "User_Alias OPS = a, b, c, d, e, f, g";
    for line in ["Defaults:OPS !authenticate", "Defaults:OPS rootpw"] {
        assert_eq!(basis(&format!("{alias}\n{line}\n")).as_deref(), Some(alias), "{line}");
    }
    let exempt = format!("{alias}\na, b, c, d, e, f, g: (root:) ALL");
    assert_eq!(basis(&format!("{alias}\nOPS ALL=NOPASSWD: ALL\n")), Some(exempt));
    // What a line exempts depends on other lines too.
    for (rules, expected) in [
        ("a ALL=NOPASSWD: /b, /c\n", "a: (root:) /b, (root:) /c"),
        ("a ALL=NOPASSWD: /b, /c\na ALL=(ALL) /c\n", "a: (root:) /b"),
        ("a ALL=(ALL:adm) NOPASSWD: /b\n", "a: (ALL:adm) /b"),
        ("a ALL=NOPASSWD: /b\n+ng ALL=(ALL) ALL\n", "a may: (root:) /b"),
        ("Defaults runas_default=op\na ALL=NOPASSWD: /b\n", "a: (op:) /b"),
        ("Defaults:a runas_default=op\na ALL=NOPASSWD: /b\n", "a: (op:) /b"),
    ] {
        assert_eq!(basis(rules).as_deref(), Some(expected), "{rules}");
    }
    assert_eq!(basis("Defaults runaspw\nDefaults runas_default=op\n").as_deref(), Some("op"));
}

#[test]
fn rules_that_are_not_checked_have_a_change_to_make() {
    let report = checked_of(None, Some("sudo -V: it does not answer within 5 s".to_owned()));
    let told: Vec<_> = report.notes.iter().map(Finding::sentence).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].ends_with("; run sudo -V as root"), "{told:?}");
    assert!(told[1].starts_with("/usr/bin/sudo.ws: another sudo is installed"), "{told:?}");
    assert!(told[2].ends_with("; run doctor as root"), "{told:?}");
}

#[test]
fn a_file_that_sudo_ignores_is_a_note() {
    let read = |path: &str| match path {
        "/s" => Ok("@include /t\n@includedir /d\n".to_owned()),
        _ => Ok("bob ALL=NOPASSWD: ALL\n".to_owned()),
    };
    for (refused, problems, notes) in [
        (&["/t", "/d"][..], &[][..], &["/t: sudo ignores this", "/d: sudo ignores this"][..]),
        (&["/t", "/d/a"], &[], &["/t: sudo ignores this", "/d/a: sudo ignores this"]),
        (&["/s"], &["/s: sudo refuses this file"], &[]),
    ] {
        let refusal =
            |path: &str| refused.contains(&path).then(|| "everybody can write to it".to_owned());
        let list = |_: &str| vec!["a".to_owned()];
        let files = Files { rejected: &[], refusal: &refusal, read: &read, list: &list, host: "h" };
        let report = checked_of(Some(Sudoers::read("/s", &files)), None);
        for (found, expected) in [(&report.problems, problems), (&report.notes, notes)] {
            let is_known = |finding: &&Finding| finding.id() != FindingId::SudoersNotChecked;
            let told: Vec<_> = found.iter().filter(is_known).map(Finding::sentence).collect();
            assert_eq!(told.len(), expected.len(), "{told:?}");
            assert!(told.iter().zip(expected).all(|(a, b)| a.starts_with(b)), "{told:?}");
        }
    }
}

#[test]
fn an_exception_has_a_change_to_make() {
    let report = checked("bob ALL=NOPASSWD: /bin/a\n");
    let told = report.notes[0].sentence();
    assert!(told.ends_with(EXCEPTION_FIX), "{told}");
}

#[test]
fn a_code_that_nobody_has_is_a_finding_of_its_own() {
    for (rules, problems, notes) in [
        ("Defaults targetpw\n", &[FindingId::SudoNobodyBecomesRoot][..], &[][..]),
        ("Defaults runaspw, runas_default=op\n", &[], &[FindingId::SudoAsksForOtherUser]),
        ("Defaults:bob rootpw\n", &[FindingId::SudoAsksForOtherUser], &[]),
        (
            "Defaults:bob runaspw\nDefaults runas_default=op\n",
            &[],
            &[FindingId::SudoAsksForOtherUser],
        ),
        ("Defaults@other rootpw\n", &[], &[]),
        ("Defaults env_reset\n", &[], &[]),
        ("Defaults timestamp_timeout=-1\n", &[], &[FindingId::SudoRemembersCode]),
    ] {
        let report = checked(rules);
        let ids = |list: &[Finding]| list.iter().map(Finding::id).collect::<Vec<_>>();
        assert_eq!(ids(&report.problems), problems, "{rules}");
        // This machine may have rules in a directory.
        let mut found = ids(&report.notes);
        found.retain(|id| *id != FindingId::SudoersNotChecked);
        assert_eq!(found, notes, "{rules}");
    }
}
