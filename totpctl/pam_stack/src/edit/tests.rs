//! The stacks that are changed, the text of each change, and the stacks that are refused.

use std::collections::HashMap;

use super::*;
use crate::ambiguous_lines::JOINED;
use crate::stack::RuleKind;
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

fn enable_x(own: &str, args: Option<&[&str]>) -> Result<Option<String>, Refusal> {
    let args: Option<Vec<String>> =
        args.map(|args| args.iter().map(|arg| (*arg).to_owned()).collect());
    enable("x", args.as_deref(), &files(own), &|_| true)
}

#[test]
fn disable_removes_all_that_enable_added() {
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
        (one_file, "auth requisite pam_unix.so\n+ # totpctl: no newline before\n"),
        (continued, "auth requisite \\\n pam_unix.so\n+\nauth optional pam_group.so\n"),
        (other, "auth required pam_vendor.so\nauth optional pam_group.so\n+\n"),
    ] {
        let with = enable_x(own, None).unwrap().unwrap();
        assert_eq!(with, expected.replace('+', "auth    required    pam_totp.so"), "{own}");
        assert_eq!(enable_x(&with, None), Ok(None), "the second time changes nothing: {own}");
        let without = disable("x", &files(&with)).unwrap().unwrap();
        assert_eq!(without, own);
        assert_eq!(disable("x", &files(&without)), Ok(None));
    }
}

#[test]
fn only_given_options_are_written() {
    let own = "@include common-auth\n";
    let with = enable_x(own, Some(&["nullok", "prompt=Your code: "])).unwrap().unwrap();
    let line = "auth    required    pam_totp.so nullok [prompt=Your code: ]";
    assert_eq!(with, format!("@include common-auth\n{line}\n"));
    assert_eq!(enable_x(&with, None), Ok(None));
    assert_eq!(enable_x(&with, Some(&["nullok", "prompt=Your code: "])), Ok(None));
    let bare = enable_x(&with, Some(&[])).unwrap().unwrap();
    assert_eq!(bare, "@include common-auth\nauth    required    pam_totp.so\n");
    let jumps = "@include common-auth\nauth [success=ok \\\n default=die] pam_totp.so echo\n";
    let changed = enable_x(jumps, Some(&[])).unwrap().unwrap();
    // The continued line becomes one line.
    assert!(changed.ends_with("auth    [success=ok   default=die]    pam_totp.so\n"), "{changed}");
}

#[test]
fn a_stack_without_a_safe_change_is_refused() {
    let jumping = "auth [success=2 default=ignore] pam_unix.so\nauth [success=1 default=ignore] \
                   pam_sss.so\nauth requisite pam_deny.so\n";
    // Every path reaches the end of the stack, and no jump skips it.
    let with = enable_x(jumping, None).unwrap().unwrap();
    assert!(with.ends_with("pam_deny.so\nauth    required    pam_totp.so\n"), "{with}");
    let beyond = "auth [success=1 default=ignore] pam_succeed_if.so\nauth required pam_totp.so\n\
                  auth required pam_unix.so\n";
    assert!(matches!(disable("x", &files(beyond)), Err(Refusal::Jumps(place)) if place.line == 1));
    for (own, expected) in [
        ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", Refusal::Broken),
        ("auth sufficient pam_unix.so\n", Refusal::NoPlace),
        ("auth sufficient pam_unix.so\nauth required pam_deny.so\n", Refusal::NoPlace),
        (
            "auth requisite pam_unix.so \\\n# nodelay\naccount required pam_permit.so\n",
            Refusal::Ambiguous(Place { file: "x".to_owned(), line: 2 }, JOINED),
        ),
        ("auth include nowhere \\", Refusal::NoStack),
        ("account required pam_unix.so\n", Refusal::NoStack),
    ] {
        assert_eq!(enable_x(own, None), Err(expected), "{own}");
    }
    for word in ["@include", "auth include", "auth substack"] {
        // Without the line of pam_totp.so nothing is left that is known to ask.
        let own = format!("{word} gone\nauth required pam_totp.so\n");
        let before = own.replace("auth required pam_totp.so\n", "");
        let reason = "x:1: cannot include gone: no such file".to_owned();
        for refused in [enable_x(&own, None), enable_x(&before, None), disable("x", &files(&own))] {
            assert_eq!(refused, Err(Refusal::Unreadable(reason.clone())), "{own}");
        }
    }
    let profile = "@include profile\n";
    assert_eq!(enable_x(profile, None), Ok(None));
    for refused in [enable_x(profile, Some(&[])), disable("x", &files(profile))] {
        let Err(Refusal::Elsewhere(place)) = refused else { panic!("{refused:?}") };
        assert_eq!(place.to_string(), "profile:4");
    }
    assert_eq!(disable("y", &files("")), Err(Refusal::NoStack));
}

#[test]
fn a_line_beside_a_profile_is_removed_and_not_kept() {
    let both = "@include profile\nauth required pam_totp.so\n";
    for args in [None, Some(&["nullok"][..])] {
        let Err(refused) = enable_x(both, args) else { panic!("{args:?}") };
        assert!(matches!(refused, Refusal::AsksTwice(..)), "{refused:?}");
        assert!(refused.to_string().starts_with("profile:4 and x:2 both ask"), "{refused}");
    }
    let without = disable("x", &files(both)).unwrap();
    assert_eq!(without.as_deref(), Some("@include profile\n"));
}

#[test]
fn a_stack_keeps_a_line_that_asks_who_a_user_is() {
    for own in [
        // Key and code, as README has it.
        "auth required pam_totp.so\naccount required pam_unix.so\n",
        "auth required pam_env.so\nauth required pam_totp.so\n",
        "auth requisite pam_nologin.so\nauth required pam_totp.so nullok\nauth required pam_permit.so\n",
        "auth [success=1 default=ignore] pam_totp.so\nauth requisite pam_deny.so\n\
         auth required pam_permit.so\n",
    ] {
        let read = files(own);
        let with_other = |name: &str| match name {
            "other" => Some("auth required pam_unix.so\n".to_owned()),
            name => read(name),
        };
        for refused in [disable("x", &files(own)), disable("x", &with_other)] {
            assert_eq!(refused, Err(Refusal::NothingLeft), "{own}");
        }
    }
    for own in ["auth required pam_u2f.so\n", "@include common-auth\n"] {
        let with = format!("{own}auth required pam_totp.so\n");
        assert_eq!(disable("x", &files(&with)), Ok(Some(own.to_owned())), "{own}");
    }
}

#[test]
fn enable_never_asks_after_a_wrong_password() {
    for (own, places) in [
        ("auth required pam_unix.so\n", "x:1"),
        ("auth include system-auth\n", "system-auth:2"),
        ("auth substack system-auth\nauth include postlogin\n", "system-auth:2"),
        ("auth substack common-auth # by hand\n", "common-auth:1"),
        ("auth required pam_krb5.so\nauth required pam_ldap.so\n", "x:1 and x:2"),
    ] {
        let own = own.replace("auth include postlogin\n", "session include postlogin\n");
        for args in [None, Some(&["nullok"][..])] {
            let Err(refused) = enable_x(&own, args) else { panic!("{own}") };
            assert!(matches!(refused, Refusal::AfterWrongPassword(_)), "{own} {refused:?}");
            let message = refused.to_string();
            assert!(message.contains(&format!("continues after {places}. ")), "{own} {message}");
        }
    }
    // A stack that asks already keeps its lines, and gets no option that a stranger could use.
    let asks = "auth required pam_unix.so\nauth required pam_totp.so\n";
    assert_eq!(enable_x(asks, None), Ok(None));
    assert!(enable_x(asks, Some(&["echo"])).unwrap().unwrap().ends_with("pam_totp.so echo\n"));
    for option in ["enroll", "nullok"] {
        let with = asks.replace("totp.so", &format!("totp.so {option}"));
        for refused in [enable_x(asks, Some(&[option])), enable_x(&with, None)] {
            assert!(matches!(refused, Err(Refusal::AfterWrongPassword(_))), "{option} {refused:?}");
        }
        assert_eq!(
            enable_x(&with, Some(&[])).unwrap().unwrap(),
            asks.replace("auth required pam_totp", "auth    required    pam_totp")
        );
    }
}

#[test]
fn enroll_is_refused_without_setcred() {
    let read = files("@include common-auth\n");
    let read = |name: &str| read(if name == "polkit-1" { "x" } else { name });
    let enroll = [String::from("enroll")];
    let refused = enable("polkit-1", Some(&enroll), &read, &|_| true);
    assert!(matches!(refused, Err(Refusal::NeverSetsCredentials(_))), "{refused:?}");
    assert!(enable("polkit-1", None, &read, &|_| true).unwrap().is_some());
    assert!(enable("x", Some(&enroll), &read, &|_| true).unwrap().is_some());
}

#[test]
fn an_enabled_stack_has_no_bypass() {
    for own in [DEBIAN, "@include common-auth\n", "auth include system-auth\n", FEDORA] {
        let Ok(Some(with)) = enable_x(own, None) else { continue };
        let read = files(&with);
        let Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
        let found = analyze(&rules, &|_| true);
        assert!(is_safe(&found) && found.after_wrong_password.is_empty(), "{with}");
        assert!(matches!(&rules.last().unwrap().kind, RuleKind::Module { .. }));
    }
}
