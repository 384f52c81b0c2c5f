//! Lists of `AuthenticationMethods`.

use super::*;

#[test]
fn only_lists_that_begin_with_a_key_require_another_method() {
    for (methods, more) in [
        ("any", false),
        ("keyboard-interactive", false),
        ("publickey,keyboard-interactive", true),
        ("publickey,keyboard-interactive:pam", true),
        ("keyboard-interactive,publickey", false),
        ("publickey,keyboard-interactive publickey,publickey", true),
        ("publickey,keyboard-interactive keyboard-interactive", false),
        ("publickey,keyboard-interactive password", true),
        ("gssapi-with-mic,keyboard-interactive publickey", true),
        ("password,publickey", true),
        ("none", false),
    ] {
        let config = Effective::parse(&with(&format!("authenticationmethods {methods}\n")));
        assert_eq!(pam_is_never_first(&config), more, "{methods}");
    }
    let password = "passwordauthentication yes\nauthenticationmethods password,publickey\n";
    assert!(!pam_is_never_first(&Effective::parse(&with(password))));
    assert!(!pam_is_never_first(&Effective::parse("usepam yes\n")));
}
