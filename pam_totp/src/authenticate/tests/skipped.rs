use super::*;

#[test]
fn only_the_daemon_can_skip_the_code() {
    let totpd = Totpd { reply: Ok(BeginReply::Skip { message: None }), ..Totpd::new() };
    let mut login = Login::typing("123456");
    let options = Options { nullok: true, ..Options::default() };
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Skipped);
    assert!(login.shown.borrow().is_empty());
}

#[test]
fn a_login_that_needs_no_code_says_so_by_verify_with_forward_pass() {
    // Whatever is typed: the code at its end is no password.
    for (typed, asked, password) in
        [("secret654321", "verify alice 654321", "secret"), ("secret", "verify alice ", "secret")]
    {
        let wrong = VerifyReply::Skipped { message: None };
        let totpd = Totpd { wrong, ..Totpd::new() };
        let mut login = Login::typing(typed);
        let options = Options { forward_pass: true, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Skipped);
        assert_eq!(login.authtok.as_deref(), Some(password.as_bytes()));
        assert_eq!(*totpd.asked.borrow(), ["begin alice", asked]);
        assert!(!login.was_delayed());
    }
}

#[test]
fn what_the_person_should_know_is_information_unless_quiet() {
    let text = "Enroll a second factor: 12 days left, run totpctl enroll";
    for (quiet, shown) in [(false, vec![format!("info: {text}")]), (true, vec![])] {
        let message = Some(text.to_owned());
        let totpd = Totpd { reply: Ok(BeginReply::Skip { message }), ..Totpd::new() };
        let mut login = Login::typing("");
        let options = Options { quiet, ..Options::default() };
        assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Skipped);
        assert_eq!(*login.shown.borrow(), shown);
    }
}

#[test]
fn a_skipped_login_of_another_user_is_refused() {
    for (reply, wrong) in [
        (Ok(BeginReply::Skip { message: None }), VerifyReply::Denied { message: None }),
        (Totpd::new().reply, VerifyReply::Skipped { message: None }),
    ] {
        let totpd = Totpd { reply, wrong, ..Totpd::new() };
        let mut login = Login { user_afterwards: b"bob".to_vec(), ..Login::typing("000000") };
        let outcome = authenticate(&mut login, &totpd, &Options::default());
        assert!(matches!(outcome, Outcome::Internal(_)), "{outcome:?}");
    }
}
