//! Answers that an earlier module asked for, or that a later one gets the rest of.

use super::*;

#[test]
fn an_earlier_answer_is_tried_only_if_it_can_be_a_code() {
    let typed = |text: &str| Some(Typed(text.into()));
    for (mode, first, outcome, asked) in [
        (FirstPass::Only, typed("123456"), Outcome::Approved, 2),
        (FirstPass::Only, typed("000000"), Outcome::Denied, 2),
        (FirstPass::Only, typed("my password"), Outcome::Denied, 1),
        (FirstPass::Only, None, Outcome::Denied, 1),
        (FirstPass::Try, typed("123456"), Outcome::Approved, 2),
        (FirstPass::Try, typed("000000"), Outcome::Approved, 3),
        (FirstPass::Try, typed("my password"), Outcome::Approved, 2),
        (FirstPass::Try, None, Outcome::Approved, 2),
        (FirstPass::Only, typed("123 456"), Outcome::Denied, 2),
    ] {
        let mut login = Login { first_pass: first, ..Login::typing("123456") };
        let totpd = Totpd::new();
        let options = Options { first_pass: mode, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), outcome, "{mode:?}");
        assert_eq!(totpd.asked.borrow().len(), asked, "{mode:?} {:?}", totpd.asked);
        assert!(!totpd.asked.borrow().iter().any(|asked| asked.contains("password")));
    }
}

#[test]
fn forward_pass_splits_code_and_password_on_any_verdict() {
    for (answer, code, password, outcome) in [
        ("secret123456", "123456", "secret", Outcome::Approved),
        ("hunter2123456", "123456", "hunter2", Outcome::Approved),
        ("pass word 123456", "123456", "pass word ", Outcome::Approved),
        ("123456", "123456", "", Outcome::Approved),
        ("secret000000", "000000", "secret", Outcome::Denied),
        ("secret", "", "secret", Outcome::Denied),
        ("12345", "", "12345", Outcome::Denied),
        ("", "", "", Outcome::Denied),
        ("pässwörd123456", "123456", "pässwörd", Outcome::Approved),
        ("secret0123-4567-89AB-CDEF", "0123-4567-89AB-CDEF", "secret", Outcome::Denied),
        ("secretA123-4567-8901-2345", "A123-4567-8901-2345", "secret", Outcome::Denied),
        ("secret123 456", "123 456", "secret", Outcome::Denied),
        ("secret123-456\r", "123-456\r", "secret", Outcome::Denied),
        ("secret0123 4567 89AB CDEF", "0123 4567 89AB CDEF", "secret", Outcome::Denied),
        ("secret0123456789ABCDEF", "", "secret0123456789ABCDEF", Outcome::Denied),
        ("secret0123-4567-89AB_CDEF", "", "secret0123-4567-89AB_CDEF", Outcome::Denied),
        // The fake password of sshd is no password, and the daemon names the cause.
        ("\u{8}\n\r\u{7f}INC", "\u{8}\n\r\u{7f}INC", "\u{8}\n\r\u{7f}INC", Outcome::Denied),
    ] {
        let (mut login, totpd) = (Login::typing(answer), Totpd::new());
        let options = Options { forward_pass: true, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), outcome, "{answer}");
        assert_eq!(totpd.asked.borrow()[1], format!("verify alice {code}"));
        assert_eq!(login.authtok.as_deref(), Some(password.as_bytes()), "{answer}");
    }
    // The module splits the answer that an earlier module asked for in the same way.
    let mut login = Login { first_pass: Some(Typed("secret123456".into())), ..Login::new("alice") };
    let only = Options { forward_pass: true, first_pass: FirstPass::Only, ..Options::default() };
    assert_eq!(authenticate(&mut login, &Totpd::new(), &only), Outcome::Approved);
    assert_eq!(login.authtok.as_deref(), Some(b"secret".as_slice()));
    for mode in [FirstPass::Only, FirstPass::Try] {
        let first_pass = Some(Typed("secret123-456".into()));
        let mut login = Login { first_pass, ..Login::typing("") };
        let (options, totpd) =
            (Options { forward_pass: true, first_pass: mode, ..Options::default() }, Totpd::new());
        assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
        assert_eq!(totpd.asked.borrow()[1], "verify alice 123-456", "{mode:?}");
    }
    // The module takes no longer code than the daemon says.
    let mut login = Login::typing("secret12345678");
    let reply = Ok(BeginReply::Prompt { text: COMBINED_PROMPT.into(), digits: 8 });
    let totpd = Totpd { reply, ..Totpd::new() };
    let options = Options { forward_pass: true, ..Options::default() };
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
    assert_eq!(totpd.asked.borrow()[1], "verify alice 12345678");
}
