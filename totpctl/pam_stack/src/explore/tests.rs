//! What the exploration finds in stacks.

use super::*;
use crate::parse::Kind;
use crate::stack::Stack;

fn finding(text: &str) -> Analysis {
    let read = |name: &str| (name == "x").then(|| text.to_owned());
    let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
    analyze(&rules, &|path| path != "pam_gone.so")
}

#[test]
fn a_bypass_is_named_by_its_line() {
    for (text, lines) in [
        ("auth required pam_unix.so\nauth required pam_totp.so\n", &[][..]),
        ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", &[1]),
        (
            "auth [success=1 default=ignore] pam_unix.so\nauth required pam_totp.so\nauth required pam_permit.so\n",
            &[1],
        ),
        ("auth required pam_totp.so\nauth sufficient pam_unix.so\n", &[]),
        ("auth optional pam_totp.so\nauth required pam_unix.so\n", &[1]),
        (
            "auth [success=1 default=ignore] pam_totp.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
            &[],
        ),
        ("auth sufficient pam_gone.so\nauth required pam_totp.so\n", &[]),
    ] {
        let found = finding(text);
        let places: Vec<_> = found
            .bypasses
            .iter()
            .map(|bypass| match bypass {
                Bypass::NotAsked { past, .. } => past.line,
                Bypass::Overruled { at, .. } => at.line,
            })
            .collect();
        assert_eq!(places, lines, "{text} {found:#?}");
    }
}

#[test]
fn a_stack_is_explored_up_to_400_rules() {
    let long = "auth sufficient pam_x.so\n".repeat(MAX_RULES - 1);
    let found = finding(&format!("{long}auth required pam_totp.so\n"));
    assert_eq!(found.bypasses.len(), MAX_RULES - 1);
    let longer = finding(&"auth required pam_totp.so\n".repeat(10_000));
    assert!(longer.too_long && longer.factor_lines.len() == 10_000);
}

#[test]
fn nullok_without_a_proof_is_found() {
    let permit = "auth required pam_permit.so\n";
    for (stack, strangers) in [
        (format!("auth required pam_totp.so nullok\n{permit}"), true),
        (format!("auth required pam_env.so\nauth required pam_totp.so nullok\n{permit}"), true),
        (format!("auth required pam_unix.so\nauth required pam_totp.so nullok\n{permit}"), false),
        ("auth required pam_totp.so nullok\nauth required pam_unix.so\n".into(), false),
        (format!("auth required pam_vendor.so\nauth required pam_totp.so nullok\n{permit}"), false),
        (format!("auth required pam_exec.so x\nauth required pam_totp.so nullok\n{permit}"), true),
        (
            format!(
                "auth required pam_exec.so expose_authtok x\nauth required pam_totp.so nullok\n{permit}"
            ),
            false,
        ),
        (
            format!(
                "auth required pam_google_authenticator.so nullok\nauth required pam_totp.so nullok\n{permit}"
            ),
            true,
        ),
        (format!("auth required pam_sss.so\nauth required pam_totp.so nullok\n{permit}"), false),
        (format!("auth optional pam_unix.so\nauth required pam_totp.so nullok\n{permit}"), true),
        (format!("auth required pam_totp.so\n{permit}"), false),
        ("auth required pam_totp.so nullok\n".into(), false),
    ] {
        assert_eq!(finding(&stack).skips_strangers, strangers, "{stack}");
    }
}

#[test]
fn a_code_that_is_asked_twice_is_found() {
    let code = "auth required pam_totp.so\n";
    for (stack, expected) in [
        (format!("{code}auth required pam_unix.so\n{code}"), Some((1, 3))),
        (format!("{code}{code}{code}"), Some((1, 2))),
        ("auth required pam_totp.so nullok\nauth optional pam_totp.so\n".into(), Some((1, 2))),
        (code.into(), None),
        // Only one of them runs, or the second only after the first refused.
        (format!("auth sufficient pam_totp.so\n{code}"), None),
        (
            format!(
                "auth [success=1 default=ignore] pam_totp.so\n{code}auth required pam_permit.so\n"
            ),
            None,
        ),
        (format!("auth [success=1 default=ignore] pam_succeed_if.so\n{code}"), None),
    ] {
        let lines = finding(&stack).asks_twice.map(|(one, other)| (one.line, other.line));
        assert_eq!(lines, expected, "{stack}");
    }
}

#[test]
fn rootok_and_nullok_are_no_bypass() {
    let found = finding(
        "auth sufficient pam_rootok.so\nauth required pam_totp.so nullok\nauth required pam_permit.so\n",
    );
    assert!(found.bypasses.is_empty() && found.can_succeed && found.skips_unenrolled, "{found:#?}");
    assert_eq!(found.skips_root.map(|place| place.line), Some(1));
    let shut = finding("auth required pam_totp.so\nauth required pam_deny.so\n");
    assert!(!shut.can_succeed && shut.bypasses.is_empty());
}

#[test]
fn a_code_that_is_enough_is_found() {
    let debian = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
                  auth required pam_permit.so\n";
    let ours = "auth required pam_totp.so\n";
    for (text, expected) in [
        (format!("{debian}{ours}"), None),
        (format!("{ours}{debian}"), None),
        (format!("auth required pam_yubico.so\n{ours}"), None),
        (ours.to_owned(), Some(1)),
        (format!("auth requisite pam_nologin.so\n{ours}"), Some(2)),
        // The password is asked of the others only.
        (
            format!("auth [success=done ignore=ignore default=die] pam_totp.so nullok\n{debian}"),
            Some(1),
        ),
        (format!("auth optional pam_unix.so\n{ours}"), Some(2)),
        (format!("auth required pam_exec.so /usr/bin/notify\n{ours}"), Some(2)),
        (format!("auth required pam_google_authenticator.so nullok\n{ours}"), Some(2)),
        (format!("auth required pam_google_authenticator.so\n{ours}"), None),
        (format!("auth required pam_u2f.so cue nouserok\n{ours}"), Some(2)),
        (format!("auth required pam_sss.so ignore_unknown_user\n{ours}"), Some(2)),
        (format!("auth required pam_krb5.so minimum_uid=1000\n{ours}"), Some(2)),
        // Who is left is known to the other module.
        (
            format!(
                "auth required pam_sss.so ignore_unknown_user\nauth required pam_unix.so nullok\n{ours}"
            ),
            None,
        ),
    ] {
        let found = finding(&text).code_alone;
        assert_eq!(found.map(|place| place.line), expected, "{text}");
    }
}
