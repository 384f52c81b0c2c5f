//! A staged roll-out: a block asks, and the rest is not asked.

use super::*;

#[test]
fn a_rest_that_is_not_asked_is_a_note() {
    let no_ask = "kbdinteractiveauthentication no\n";
    let asks = format!("kbdinteractiveauthentication yes\n{KEY_AND_CODE}");
    let found = |usual: &str, block: &str, refused_by| {
        let user = Some(case(&with(block), refused_by));
        let blocks = with_block("User alice", Ok(Cases { user, root: None })).blocks;
        let survey = Survey { blocks, ..survey(&with(usual)) };
        let (problems, notes, _) = told(&survey, PASSWORD_AND_CODE);
        (problems, notes)
    };
    let shut = format!("{no_ask}pubkeyauthentication no\n");
    let password = format!("{no_ask}passwordauthentication yes\n");
    let key_and_password = format!(
        "{password}hostbasedauthentication yes\nauthenticationmethods publickey,password hostbased\n"
    );
    let kerberos = format!("{password}kerberosauthentication yes\n");
    let elsewhere = "pamservicename open\n";
    let denied = "pamservicename denied\n";
    for (usual, block, refused_by, problems, note) in [
        (no_ask, asks.as_str(), None, &[][..], "sshd-cannot-ask"),
        (&shut, &asks, None, &[], "sshd-nobody-can-log-in"),
        (elsewhere, "pamservicename sshd\n", None, &[], "sshd-service-without-code"),
        // Nobody is asked.
        (no_ask, no_ask, None, &["sshd-cannot-ask"], "sshd-key-alone"),
        (no_ask, &asks, Some("DenyUsers"), &["sshd-cannot-ask"], "sshd-key-alone"),
        // The code would shut out who logs in by a password.
        (&password, &asks, None, &["sshd-cannot-ask"], "sshd-password-cannot-answer"),
        (&key_and_password, &asks, None, &["sshd-cannot-ask"], "sshd-methods-without-code"),
        (&kerberos, &asks, None, &["sshd-cannot-ask"], ""),
        // Its service lets nobody in.
        (denied, "pamservicename sshd\n", None, &["sshd-service-without-code"], ""),
    ] {
        let (found_problems, notes) = found(usual, block, refused_by);
        assert_eq!(found_problems, problems, "{usual} {block}");
        let is_noted = note.is_empty() || notes.iter().any(|id| id == note);
        assert!(is_noted, "{usual} {block}: {notes:?}");
    }
}

#[test]
fn passwords_in_another_block_make_it_a_problem() {
    let no_ask = "kbdinteractiveauthentication no\n";
    let asks = format!("kbdinteractiveauthentication yes\n{KEY_AND_CODE}");
    let password = format!("{no_ask}passwordauthentication yes\n");
    let root = format!("{password}permitrootlogin yes\n");
    let found = |other: Cases| {
        let asked = Cases { user: Some(case(&with(&asks), None)), root: None };
        let mut blocks = with_block("Group alice", Ok(asked)).blocks;
        blocks.extend(with_block("Address 10.0.0.0/8", Ok(other)).blocks);
        let survey = Survey { blocks, ..survey(&with(no_ask)) };
        let mut report = Report::default();
        let _ = collect(&survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
        report.problems.iter().map(Finding::sentence).collect::<Vec<_>>().join("; ")
    };
    let user = |lines: &str, by| Cases { user: Some(case(&with(lines), by)), root: None };
    let of_root = |lines: &str| Cases { user: None, root: Some(case(&with(lines), None)) };
    let who = "shut out, because they log in by a password: ";
    for (cases, expected) in [
        (user(&password, None), "Match Address 10.0.0.0/8"),
        (user(&format!("{password}authenticationmethods publickey,password\n"), None), "Match"),
        (user(&format!("{password}kerberosauthentication yes\n"), None), "Match Address"),
        (of_root(&root), "root, Match Address 10.0.0.0/8"),
        // Without the code they could not log in by a password either.
        (of_root(&password), ""),
        (user(&password, Some("DenyUsers")), ""),
        (user("passwordauthentication yes\n", None), ""),
        (user(no_ask, None), ""),
    ] {
        let problems = found(cases);
        let is_told = problems.contains(&format!("{who}{expected}"));
        assert_eq!(is_told, !expected.is_empty(), "{expected}: {problems}");
        assert_eq!(problems.contains("sshd cannot ask for a code"), is_told, "{problems}");
    }
}

#[test]
fn those_who_are_asked_are_named() {
    let user =
        Some(case(&with(&format!("kbdinteractiveauthentication yes\n{KEY_AND_CODE}")), None));
    let blocks = with_block("User alice", Ok(Cases { user, root: None })).blocks;
    let survey = Survey { blocks, ..survey(&with("kbdinteractiveauthentication no\n")) };
    let mut report = Report::default();
    let _ = collect(&survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
    let sentence = report.notes[0].sentence();
    let expected = "(asked for a code: Match User alice; all others log in without a code)";
    assert!(sentence.contains(expected), "{sentence}");
    // Nobody comes to PAM first, so a trial tells to log in with a key.
    assert_eq!(pam_is_nowhere_first(&survey), Some(true));
}
