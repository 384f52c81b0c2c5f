//! Passwords beside the code.

use super::model::{Host, accounts, parts};
use super::*;
use crate::host::accounts::Account;
use crate::host::shadow::Lacking;
use crate::host::sshd::ways::password_after_key::{ShutUser, shut_out};

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
        let names = |found: Vec<ShutUser>| -> Vec<String> {
            assert!(found.iter().all(|user| user.scope.is_none()), "{found:?}");
            found.into_iter().map(|user| user.name).collect()
        };
        let found = shut_out(&survey, &|_| of_text(stack), &all, &|_| panic!("no block"));
        assert_eq!(names(found), expected, "{lines} {stack}");
        let block = with_block("User dana", Ok(Cases::default())).blocks;
        let survey = Survey { blocks: block, ..survey };
        let free = |user: &str| {
            let lines = if user == "dana" { "authenticationmethods publickey\n" } else { lines };
            Some(Effective::parse(&with(lines)))
        };
        let found = shut_out(&survey, &|_| of_text(stack), &all, &free);
        let others: Vec<_> = expected.iter().filter(|name| **name != "dana").copied().collect();
        assert_eq!(names(found), others, "{lines} {stack}");
    }
}

/// A block may require the password at one place only, or spare it there.
#[test]
fn users_without_a_password_are_looked_for_at_every_place() {
    let password = "auth requisite pam_unix.so\n";
    let (key, both) = (
        "AuthenticationMethods publickey\n",
        "AuthenticationMethods publickey,keyboard-interactive\n",
    );
    let yes = "PermitRootLogin yes\n";
    let lacking =
        ["root", "alice", "carol"].map(|name| Lacking { name: name.into(), is_empty: false });
    let place = "Match Address 10.0.0.0/8\n";
    for (text, expected) in [
        (
            format!("{yes}{key}{place}{both}"),
            &[
                "root in Match Address 10.0.0.0/8",
                "alice in Match Address 10.0.0.0/8",
                "carol in Match Address 10.0.0.0/8",
            ][..],
        ),
        (
            format!("{yes}{both}{place}{key}"),
            &[
                "root except in Match Address 10.0.0.0/8",
                "alice except in Match Address 10.0.0.0/8",
                "carol except in Match Address 10.0.0.0/8",
            ],
        ),
        (
            format!("{yes}{key}Match Group staff Address 10.0.0.0/8\n{both}"),
            &["alice in Match Group staff Address 10.0.0.0/8"],
        ),
        (format!("{yes}{key}{place}{key}"), &[]),
        (
            format!("PermitRootLogin no\n{key}{place}{both}DenyUsers alice\n"),
            &["carol in Match Address 10.0.0.0/8"],
        ),
    ] {
        let host = Host::parse(&text);
        let survey = host.survey();
        assert_eq!(survey.accounts, accounts());
        let ask = |user: &str| {
            let connection = format!("user={user},host=h,addr=192.0.2.1,laddr=192.0.2.2,lport=22");
            Some(Effective::parse(&host.answer(&parts(&connection)).1))
        };
        let found = shut_out(&survey, &|_| of_text(password), &lacking, &ask);
        let phrase = |user: &ShutUser| format!("{} {}", user.name, user.scope.as_deref().unwrap());
        assert_eq!(found.iter().map(phrase).collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(
            found.iter().all(|user| user.block.is_some()),
            !text.contains(&format!("{both}{place}"))
        );
    }
}
