//! What is said of root.

use super::*;

const PASSWORD: &str = "auth requisite pam_unix.so\n";

#[test]
fn lists_that_take_the_last_way_of_root_are_told_without_a_code_too() {
    let note = &["sshd-root-cannot-log-in"][..];
    let asks = "authenticationmethods keyboard-interactive\n";
    for (lines, stack, notes) in [
        (KEY_AND_CODE.to_owned(), PASSWORD, note),
        (asks.to_owned(), PASSWORD, note),
        (KEY_AND_CODE.to_owned(), CODE, note),
        (format!("{KEY_AND_CODE}permitrootlogin forced-commands-only\n"), PASSWORD, note),
        (format!("{KEY_AND_CODE}permitrootlogin yes\n"), PASSWORD, &[]),
        (format!("{KEY_AND_CODE}permitrootlogin no\n"), PASSWORD, &[]),
        ("authenticationmethods publickey publickey,keyboard-interactive\n".into(), PASSWORD, &[]),
        // root had no way before.
        (format!("{asks}pubkeyauthentication no\n"), PASSWORD, &[]),
        ("permitrootlogin forced-commands-only\n".into(), PASSWORD, &[]),
        (String::new(), PASSWORD, &[]),
    ] {
        let (_, found, _) = told(&survey(&with(&lines)), stack);
        assert_eq!(found, notes, "{lines} {stack}");
    }
}

#[test]
fn a_guard_takes_the_commands_of_keys_of_root() {
    let commands = "permitrootlogin forced-commands-only\n";
    let guarded = format!(
        "{PASSWORD_AND_CODE}account required pam_totp.so guard\naccount required pam_unix.so\n"
    );
    for (lines, stack, is_told) in [
        (commands.to_owned(), PASSWORD_AND_CODE, false),
        (commands.to_owned(), &*guarded, true),
        (format!("{commands}usepam no\n"), &guarded, false),
    ] {
        let (_, notes, _) = told(&survey(&with(&lines)), stack);
        let found = notes.iter().any(|id| id == "sshd-root-cannot-log-in");
        assert_eq!(found, is_told, "{lines} {stack} {notes:?}");
    }
}

#[test]
fn no_advice_lets_root_in_without_a_key() {
    let sentence = |lines: &str, stack: &str| {
        let mut report = Report::default();
        let _ = collect(&survey(&with(lines)), &|_| of_text(stack), &mut report);
        let is_root = |note: &&Finding| note.id().token() == "sshd-root-cannot-log-in";
        report.notes.iter().find(is_root).unwrap().sentence()
    };
    let key = "; if root is to log in, write PermitRootLogin yes; AuthenticationMethods still requires a key";
    let block = "PermitRootLogin yes and AuthenticationMethods publickey,keyboard-interactive in a block \"Match User \
                 root\"; PermitRootLogin yes by itself would let root in without a key";
    let asks = "authenticationmethods keyboard-interactive\n";
    let either = "authenticationmethods publickey,keyboard-interactive keyboard-interactive\n";
    for (lines, stack, expected) in [
        (KEY_AND_CODE, CODE, key),
        (KEY_AND_CODE, PASSWORD, key),
        (asks, PASSWORD_AND_CODE, block),
        (either, PASSWORD_AND_CODE, block),
        ("pubkeyauthentication no\n", PASSWORD_AND_CODE, block),
    ] {
        let told = sentence(lines, stack);
        assert!(told.ends_with(expected), "{told}");
        assert_eq!(told.contains("write PubkeyAuthentication yes"), lines.starts_with("pubkey"));
        let names_lists = told.contains("AuthenticationMethods requires an answer to PAM");
        assert_eq!(names_lists, !lines.starts_with("pubkey"), "{told}");
    }
}

#[test]
fn a_root_whose_key_a_guard_refuses_is_told_of_both() {
    let guarded = format!(
        "{PASSWORD_AND_CODE}account required pam_totp.so guard\naccount required pam_unix.so\n"
    );
    for (lines, stack, is_guarded) in [
        ("", &*guarded, true),
        (KEY_AND_CODE, &guarded, false),
        ("pubkeyauthentication no\n", PASSWORD_AND_CODE, false),
    ] {
        let mut report = Report::default();
        let _ = collect(&survey(&with(lines)), &|_| of_text(stack), &mut report);
        let is_root = |note: &&Finding| note.id().token() == "sshd-root-cannot-log-in";
        let told = report.notes.iter().find(is_root).map(Finding::sentence).unwrap_or_default();
        let (guard, fix) =
            ("the guard refuses a key without a code", "in a block \"Match User root\"");
        assert_eq!(told.contains(guard), is_guarded, "{lines}: {told}");
        assert!(told.contains("PermitRootLogin prohibit-password sshd gives"), "{lines}: {told}");
        assert!(!is_guarded || told.contains(fix), "{lines}: {told}");
    }
}

#[test]
fn key_and_code_are_not_advised_without_what_root_needs() {
    let needs = "for root also PermitRootLogin yes (enroll root first)";
    for (lines, expected) in
        [("", true), ("permitrootlogin yes\n", false), ("permitrootlogin no\n", false)]
    {
        let mut report = Report::default();
        let _ = collect(&survey(&with(lines)), &|_| of_text(PASSWORD_AND_CODE), &mut report);
        let is_key = |note: &&Finding| note.id().token() == "sshd-key-alone";
        let sentence = report.notes.iter().find(is_key).unwrap().sentence();
        assert_eq!(sentence.contains(needs), expected, "{sentence}");
    }
}
