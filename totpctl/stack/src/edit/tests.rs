//! What is changed for which stack, and what is left alone.

use std::collections::HashMap;

use super::*;
use crate::stack::What;
use Stack::Rules;

const DEBIAN: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                      auth required pam_permit.so\n";
const FEDORA: &str = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\n\
                      auth required pam_deny.so\n";

fn files(own: &str) -> impl Fn(&str) -> Option<String> {
    let files = HashMap::from([
        ("x", own.to_owned()),
        ("common-auth", DEBIAN.to_owned()),
        ("system-auth", FEDORA.to_owned()),
        ("profile", format!("{DEBIAN}auth required pam_totp.so nullok\n")),
    ]);
    move |name| files.get(name).cloned()
}

fn enable(own: &str, args: Option<&[&str]>) -> Result<Option<String>, Refusal> {
    let args: Option<Vec<String>> =
        args.map(|args| args.iter().map(|arg| (*arg).to_owned()).collect());
    enabled("x", args.as_deref(), &files(own), &|_| true)
}

#[test]
fn it_goes_behind_the_password_and_out_again_without_a_trace() {
    let debian = "# sshd\n@include common-auth\naccount required pam_nologin.so\n";
    let su = "auth sufficient pam_rootok.so\n@include common-auth\nauth optional pam_group.so";
    let fedora = "auth\tinclude\tsystem-auth\naccount include system-auth\n";
    let one_file = "auth required pam_unix.so";
    let continued = "auth required \\\n pam_unix.so\nauth optional pam_group.so\n";
    let other = "auth required pam_vendor.so\nauth optional pam_group.so\n";
    for (own, expected) in [
        (debian, "# sshd\n@include common-auth\n+\naccount required pam_nologin.so\n"),
        (su, "auth sufficient pam_rootok.so\n@include common-auth\n+\nauth optional pam_group.so"),
        (
            fedora,
            "auth\tsubstack\tsystem-auth # totpctl: was include\n+\naccount include system-auth\n",
        ),
        (one_file, "auth required pam_unix.so\n+\n"),
        (continued, "auth required \\\n pam_unix.so\n+\nauth optional pam_group.so\n"),
        (other, "auth required pam_vendor.so\nauth optional pam_group.so\n+\n"),
    ] {
        let with = enable(own, None).unwrap().unwrap();
        assert_eq!(with, expected.replace('+', "auth    required    pam_totp.so"), "{own}");
        assert_eq!(enable(&with, None), Ok(None), "a second time changes nothing: {own}");
        let without = disabled("x", &files(&with)).unwrap().unwrap();
        assert_eq!(without.trim_end(), own.trim_end(), "{own}");
        assert_eq!(disabled("x", &files(&without)), Ok(None));
    }
}

#[test]
fn options_are_written_where_they_are_said_and_left_where_they_are_not() {
    let own = "@include common-auth\n";
    let with = enable(own, Some(&["nullok", "prompt=Your code: "])).unwrap().unwrap();
    let line = "auth    required    pam_totp.so nullok [prompt=Your code: ]";
    assert_eq!(with, format!("@include common-auth\n{line}\n"));
    assert_eq!(enable(&with, None), Ok(None));
    assert_eq!(enable(&with, Some(&["nullok", "prompt=Your code: "])), Ok(None));
    let bare = enable(&with, Some(&[])).unwrap().unwrap();
    assert_eq!(bare, "@include common-auth\nauth    required    pam_totp.so\n");
    let jumps = "@include common-auth\nauth [success=ok \\\n default=die] pam_totp.so echo\n";
    let changed = enable(jumps, Some(&[])).unwrap().unwrap();
    // A line that was continued is one line then.
    assert!(changed.ends_with("auth    [success=ok   default=die]    pam_totp.so\n"), "{changed}");
}

#[test]
fn what_needs_a_person_is_left_alone() {
    let jumping = "auth [success=2 default=ignore] pam_unix.so\nauth [success=1 default=ignore] \
                   pam_sss.so\nauth requisite pam_deny.so\n";
    // Behind the last line every way comes to it, and no jump leads beyond.
    let with = enable(jumping, None).unwrap().unwrap();
    assert!(with.ends_with("pam_deny.so\nauth    required    pam_totp.so\n"), "{with}");
    let beyond = "auth [success=1 default=ignore] pam_succeed_if.so\nauth required pam_totp.so\n\
                  auth required pam_unix.so\n";
    assert!(matches!(disabled("x", &files(beyond)), Err(Refusal::Jumps(place)) if place.line == 1));
    for (own, expected) in [
        ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", Refusal::Broken),
        ("auth sufficient pam_unix.so\n", Refusal::NoPlace),
        ("auth sufficient pam_unix.so\nauth required pam_deny.so\n", Refusal::NoPlace),
        ("auth include nowhere \\", Refusal::NoStack),
        ("account required pam_unix.so\n", Refusal::NoStack),
        ("@include gone\n", Refusal::NoStack),
    ] {
        assert_eq!(enable(own, None), Err(expected), "{own}");
    }
    let profile = "@include profile\n";
    assert_eq!(enable(profile, None), Ok(None));
    for refused in [enable(profile, Some(&[])), disabled("x", &files(profile))] {
        let Err(Refusal::Elsewhere(place)) = refused else { panic!("{refused:?}") };
        assert_eq!(place.to_string(), "profile:4");
    }
    assert_eq!(disabled("y", &files("")), Err(Refusal::NoStack));
}

#[test]
fn whatever_comes_out_has_no_way_around() {
    for own in [DEBIAN, "@include common-auth\n", "auth include system-auth\n", FEDORA] {
        let Ok(Some(with)) = enable(own, None) else { continue };
        let read = files(&with);
        let Rules(rules) = Stack::of("x", Kind::Auth, &read) else { panic!() };
        assert!(is_good(&look(&rules, &|_| true)), "{with}");
        assert!(matches!(&rules.last().unwrap().what, What::Module { .. }));
    }
}
