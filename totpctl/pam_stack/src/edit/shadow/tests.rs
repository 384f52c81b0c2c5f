use super::*;

const COMMON: &str = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
                      auth required pam_permit.so\n";

fn reading(text: &str) -> impl Fn(&str) -> Option<String> {
    move |name| match name {
        "x" => Some(text.to_owned()),
        "common-auth" => Some(COMMON.to_owned()),
        "ga" => Some("auth required pam_google_authenticator.so\n".to_owned()),
        _ => None,
    }
}

fn shadowed(text: &str) -> String {
    shadow("x", &reading(text)).unwrap().unwrap()
}

#[test]
fn the_lines_stand_around_the_other_module_and_go_again() {
    let head = "# sshd\n@include common-auth\n";
    let tail = "account required pam_nologin.so\n";
    for (line, asks, other) in [
        (
            "auth required pam_google_authenticator.so nullok",
            "shadow timeout=2",
            "auth required pam_google_authenticator.so nullok use_first_pass",
        ),
        (
            "auth  required  pam_google_authenticator.so echo_verification_code  # phones",
            "shadow timeout=2 echo",
            "auth  required  pam_google_authenticator.so echo_verification_code use_first_pass",
        ),
        (
            "auth requisite pam_google_authenticator.so [authtok_prompt=Your code: ]",
            "shadow timeout=2 [prompt=Your code: ]",
            "auth requisite pam_google_authenticator.so [authtok_prompt=Your code: ] use_first_pass",
        ),
        (
            "auth [success=ok default=die] /lib/security/pam_oath.so usersfile=/etc/users.oath",
            "shadow timeout=2",
            "auth [success=ok default=die] /lib/security/pam_oath.so usersfile=/etc/users.oath use_first_pass",
        ),
    ] {
        let before = format!("{head}{line}\n{tail}");
        let after = shadowed(&before);
        let expected = format!(
            "{head}# totpctl shadow, was: {line}\nauth    optional    pam_totp.so {asks}\n{other}\n\
             auth    optional    pam_totp.so shadow_end\n{tail}"
        );
        assert_eq!(after, expected);
        assert_eq!(shadow("x", &reading(&after)), Ok(None));
        assert_eq!(unshadow("x", &reading(&after)), Ok(Some(before.clone())));
        assert_eq!(unshadow("x", &reading(&before)), Ok(None));
    }
}

#[test]
fn a_switch_takes_the_place_and_the_control_of_the_other_module() {
    let before =
        "@include common-auth\nauth [success=ok default=die] pam_google_authenticator.so nullok\n";
    let in_shadow = shadowed(before);
    let switched = |text: &str, args: &[&str]| {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        switch("x", &args, &reading(text), &|_| true)
    };
    let after = switched(&in_shadow, &["nullok"]).unwrap().unwrap();
    let expected = "@include common-auth\n\
                    # totpctl shadow, was: auth [success=ok default=die] pam_google_authenticator.so nullok\n\
                    auth    [success=ok default=die]    pam_totp.so nullok\n";
    assert_eq!(after, expected);
    assert_eq!(switched(&after, &[]), Ok(None));
    assert_eq!(unshadow("x", &reading(&after)), Ok(Some(before.to_owned())));
    assert_eq!(shadow("x", &reading(&after)), Ok(Some(in_shadow)));
    assert_eq!(switched(before, &[]), Err(Refusal::NotShadowed));
    let optional = shadowed("@include common-auth\nauth optional pam_google_authenticator.so\n");
    assert_eq!(switched(&optional, &[]), Err(Refusal::WouldBeBroken));
}

#[test]
fn a_line_that_cannot_be_shadowed_is_named() {
    let ga = "auth required pam_google_authenticator.so";
    for (text, expected) in [
        ("@include common-auth\n".to_owned(), "no line of pam_google_authenticator"),
        (format!("{ga}\n{ga}\n"), "x:2 is the second line of its kind"),
        ("@include common-auth\n@include ga\n".to_owned(), "ga:1 is in a file that"),
        (format!("{ga} \\\n nullok\n"), "x:1 continues on the next line"),
        (format!("{ga} try_first_pass\n"), "x:1 takes or hands on a password"),
        (format!("{ga} forward_pass\n"), "x:1 takes or hands on a password"),
        (
            "auth [success=1 default=ignore] pam_google_authenticator.so\nauth requisite pam_deny.so\n"
                .to_owned(),
            "x:1 jumps over a number of lines",
        ),
        (
            format!("auth [success=1 default=ignore] pam_succeed_if.so\n{ga}\nauth required pam_unix.so\n"),
            "the line x:1 jumps over",
        ),
        (format!("auth required pam_unix.so\n{ga}\nauth required pam_totp.so\n"), "x:3 asks for the code"),
    ] {
        let refused = shadow("x", &reading(&text)).unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn lines_that_somebody_changed_are_left_to_them() {
    let whole = shadowed("@include common-auth\nauth required pam_google_authenticator.so\n");
    for (from, to) in [
        ("auth    optional    pam_totp.so shadow_end\n", ""),
        ("auth    optional    pam_totp.so shadow_end\n", "auth required pam_env.so\n"),
        ("auth    optional    pam_totp.so shadow timeout=2\n", ""),
        ("auth    optional    pam_totp.so shadow timeout=2\n", "# a remark\n"),
    ] {
        let torn = whole.replace(from, to);
        assert_ne!(torn, whole);
        assert_eq!(unshadow("x", &reading(&torn)), Err(Refusal::Torn(2)), "{torn}");
    }
    let by_hand = whole.lines().filter(|line| !line.starts_with('#'));
    let by_hand: String = by_hand.flat_map(|line| [line, "\n"]).collect();
    assert!(matches!(unshadow("x", &reading(&by_hand)), Err(Refusal::ByHand(_))));
}
