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
        ("vendor", FEDORA.replace("unix", "vendor")),
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
    let vendor = "auth\tinclude\tvendor\naccount include vendor\n";
    let cockpit = "auth substack common-auth\nauth optional pam_group.so\n";
    let one_file = "auth requisite pam_unix.so";
    let continued = "auth requisite \\\n pam_unix.so\nauth optional pam_group.so\n";
    let other = "auth required pam_vendor.so\nauth optional pam_group.so\n";
    for (own, expected) in [
        (debian, "# sshd\n@include common-auth\n+\naccount required pam_nologin.so\n"),
        (su, "auth sufficient pam_rootok.so\n@include common-auth\n+\nauth optional pam_group.so"),
        (vendor, "auth\tsubstack\tvendor # totpctl: was include\n+\naccount include vendor\n"),
        (
            cockpit,
            "auth include common-auth # totpctl: was substack\n+\nauth optional pam_group.so\n",
        ),
        (one_file, "auth requisite pam_unix.so\n+\n"),
        (continued, "auth requisite \\\n pam_unix.so\n+\nauth optional pam_group.so\n"),
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
fn what_asks_after_a_wrong_password_is_not_written() {
    for (own, places) in [
        ("auth required pam_unix.so\n", "x:1"),
        ("auth include system-auth\n", "system-auth:2"),
        ("auth substack system-auth\nauth include postlogin\n", "system-auth:2"),
        ("auth substack common-auth # by hand\n", "common-auth:1"),
        ("auth required pam_krb5.so\nauth required pam_ldap.so\n", "x:1 and x:2"),
    ] {
        let own = own.replace("auth include postlogin\n", "session include postlogin\n");
        for args in [None, Some(&["nullok"][..])] {
            let Err(refused) = enable(&own, args) else { panic!("{own}") };
            assert!(matches!(refused, Refusal::GoesOn(_)), "{own} {refused:?}");
            let told = refused.to_string();
            assert!(told.contains(&format!("goes on behind {places}. ")), "{own} {told}");
        }
    }
    // One that asks already keeps what it has, and is given nothing that a stranger could use.
    let asks = "auth required pam_unix.so\nauth required pam_totp.so\n";
    assert_eq!(enable(asks, None), Ok(None));
    assert!(enable(asks, Some(&["echo"])).unwrap().unwrap().ends_with("pam_totp.so echo\n"));
    for option in ["enroll", "nullok"] {
        let with = asks.replace("totp.so", &format!("totp.so {option}"));
        for refused in [enable(asks, Some(&[option])), enable(&with, None)] {
            assert!(matches!(refused, Err(Refusal::GoesOn(_))), "{option} {refused:?}");
        }
        assert_eq!(
            enable(&with, Some(&[])).unwrap().unwrap(),
            asks.replace("auth required pam_totp", "auth    required    pam_totp")
        );
    }
}

#[test]
fn nobody_enrolls_where_nobody_asks_for_credentials() {
    let read = files("@include common-auth\n");
    let read = |name: &str| read(if name == "polkit-1" { "x" } else { name });
    let enroll = [String::from("enroll")];
    let refused = enabled("polkit-1", Some(&enroll), &read, &|_| true);
    assert!(matches!(refused, Err(Refusal::NoCredentials(_))), "{refused:?}");
    assert!(enabled("polkit-1", None, &read, &|_| true).unwrap().is_some());
    assert!(enabled("x", Some(&enroll), &read, &|_| true).unwrap().is_some());
}

#[test]
fn whatever_comes_out_has_no_way_around() {
    for own in [DEBIAN, "@include common-auth\n", "auth include system-auth\n", FEDORA] {
        let Ok(Some(with)) = enable(own, None) else { continue };
        let read = files(&with);
        let Rules(rules) = Stack::of("x", Kind::Auth, &read) else { panic!() };
        let found = look(&rules, &|_| true);
        assert!(is_good(&found) && found.after_failed_password.is_empty(), "{with}");
        assert!(matches!(&rules.last().unwrap().what, What::Module { .. }));
    }
}
