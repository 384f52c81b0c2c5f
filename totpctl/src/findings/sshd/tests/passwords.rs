//! Passwords beside the code.

use super::*;
use crate::host::accounts::{Account, Lacking};
use crate::host::sshd::ways::password::shut_out;

#[test]
fn a_password_alone_is_found_where_the_method_password_is_off() {
    let password = "auth requisite pam_unix.so\n";
    for (lines, stack, expected) in [
        ("", password, &["sshd-password-alone"][..]),
        ("authenticationmethods keyboard-interactive\n", password, &["sshd-password-alone"]),
        ("passwordauthentication yes\n", password, &[]),
        ("kbdinteractiveauthentication no\n", password, &[]),
        (KEY_AND_CODE, password, &[]),
        ("usepam no\n", password, &[]),
        ("", "auth required pam_deny.so\nauth required pam_unix.so\n", &[]),
        ("", PASSWORD_AND_CODE, &[]),
        ("", "auth required pam_unix.so\nauth required pam_totp.so nullok\n", &[]),
    ] {
        let (problems, ..) = told(&survey(&with(lines)), stack);
        assert_eq!(problems, expected, "{lines} {stack}");
    }
}

#[test]
fn a_password_alone_is_found_in_a_block() {
    let password = "auth requisite pam_unix.so\n";
    let off = "passwordauthentication yes\n";
    let found = |usual: &str, block: &str, refused_by, is_root| {
        let case = Some(case(&with(block), refused_by));
        let cases = match is_root {
            true => Cases { user: None, root: case },
            false => Cases { user: case, root: None },
        };
        let survey = Survey {
            blocks: with_block("Address 10.0.0.0/8", Ok(cases)).blocks,
            ..survey(&with(usual))
        };
        told(&survey, password).0
    };
    let alone = "passwordauthentication no\nkbdinteractiveauthentication yes\n";
    let id = "sshd-match-password-alone";
    for (usual, block, refused_by, is_root, expected) in [
        (off, alone, None, false, &[id][..]),
        ("kbdinteractiveauthentication no\n", alone, None, false, &[id]),
        (off, alone, Some("DenyUsers"), false, &[]),
        (off, "passwordauthentication yes\n", None, false, &[]),
        (off, "kbdinteractiveauthentication no\n", None, false, &[]),
        (off, "authenticationmethods publickey,keyboard-interactive\n", None, false, &[]),
        // root gets in by a password only if PermitRootLogin says yes.
        (off, alone, None, true, &[]),
        (off, &format!("{alone}permitrootlogin yes\n"), None, true, &[id]),
        // It is said of all already.
        ("", alone, None, false, &["sshd-password-alone"]),
    ] {
        assert_eq!(found(usual, block, refused_by, is_root), expected, "{usual} {block} {is_root}");
    }
}

#[test]
fn a_password_after_a_key_shuts_out_users_without_one() {
    let lacking = |name: &str, is_empty| Lacking { name: name.into(), is_empty };
    let password = "auth requisite pam_unix.so\n";
    let all = [lacking("dana", false), lacking("eve", true), lacking("root", false)];
    let root_may = format!("{KEY_AND_CODE}permitrootlogin yes\n");
    for (lines, stack, expected) in [
        (root_may.as_str(), password, &["dana", "eve", "root"][..]),
        (&root_may, PASSWORD_AND_CODE, &["dana", "eve", "root"]),
        (&root_may, CODE, &[]),
        // sshd refuses root anyway.
        (KEY_AND_CODE, password, &["dana", "eve"]),
        (&format!("{KEY_AND_CODE}denyusers dana\n"), password, &["eve"]),
        (&format!("{KEY_AND_CODE}permitemptypasswords yes\n"), password, &["dana"]),
        ("", password, &[]),
        ("authenticationmethods publickey publickey,keyboard-interactive\n", password, &[]),
        ("authenticationmethods keyboard-interactive\n", password, &[]),
    ] {
        let account = |name: &str, uid| Account {
            name: name.into(),
            uid,
            home: String::new(),
            shell: "/bin/sh".into(),
            groups: Vec::new(),
        };
        let accounts = vec![account("root", 0), account("dana", 1000), account("eve", 1001)];
        let survey = Survey { accounts, ..survey(&with(lines)) };
        let found = shut_out(&survey, &|_| of_text(stack), &all, &|_| panic!("no block"));
        assert_eq!(found, expected, "{lines} {stack}");
        let block = with_block("User dana", Ok(Cases::default())).blocks;
        let survey = Survey { blocks: block, ..survey };
        let free = |user: &str| {
            let lines = if user == "dana" { "authenticationmethods publickey\n" } else { lines };
            Some(Effective::parse(&with(lines)))
        };
        let found = shut_out(&survey, &|_| of_text(stack), &all, &free);
        let others: Vec<_> = expected.iter().filter(|name| **name != "dana").copied().collect();
        assert_eq!(found, others, "{lines} {stack}");
    }
}
