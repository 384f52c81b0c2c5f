//! Logins that enroll.

use super::*;

fn enrolling() -> Totpd {
    let reply = Ok(BeginReply::Enroll { text: "QR".into(), factor: "f-x".into(), uri: None });
    let wrong = VerifyReply::Denied { message: Some("Your phone is slow.".into()) };
    Totpd { reply, wrong, token: Some("token".into()), ..Totpd::new() }
}

#[test]
fn a_new_factor_is_shown_and_its_first_code_approves() {
    let mut login = Login::typing("123456");
    login.earlier = vec![Typed("000000".into())];
    let options = Options { enroll: true, ..Options::default() };
    assert_eq!(authenticate(&mut login, &enrolling(), &options), Outcome::Approved);
    let again = "Your phone is slow.\nCode that the app shows: ";
    assert_eq!(*login.shown.borrow(), ["QR", again]);
    assert_eq!(login.token.as_deref(), Some("token"));
}

#[test]
fn each_authentication_has_a_nonce_of_its_own() {
    let enroll = Options { enroll: true, ..Options::default() };
    let nonces = |options: &Options| {
        let totpd = enrolling();
        let mut login = Login::typing("123456");
        login.earlier = vec![Typed("000000".into())];
        authenticate(&mut login, &totpd, options);
        totpd.nonces.take()
    };
    let (one, other) = (nonces(&enroll), nonces(&enroll));
    assert_eq!(one.len(), 3);
    assert!(one[0].is_some() && one.iter().all(|nonce| *nonce == one[0]), "{one:?}");
    assert_ne!(one[0], other[0]);
    assert!(nonces(&Options::default()).iter().all(Option::is_none));
}

#[test]
fn a_user_name_changed_by_the_last_conversation_denies() {
    let mut login = Login::typing("123456");
    login.user_afterwards = "root".into();
    let skip = Totpd { reply: Ok(BeginReply::Skip { message: None }), ..Totpd::new() };
    let outcome = authenticate(&mut login, &skip, &Options::default());
    assert!(matches!(outcome, Outcome::Internal(_)), "{outcome:?}");
}

#[test]
fn hanging_up_during_enrollment_denies() {
    let options = Options { enroll: true, ..Options::default() };
    let mut login = Login::new("alice");
    let outcome = authenticate(&mut login, &enrolling(), &options);
    assert_eq!(outcome, Outcome::ConversationFailed);
    assert_eq!(login.token, None);
}

#[test]
fn three_first_codes_are_tried_and_one_without_a_reason() {
    let options = Options { enroll: true, ..Options::default() };
    let mut totpd = enrolling();
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
    assert_eq!(login.shown.borrow().len(), 3);
    assert!(login.was_delayed());
    totpd.wrong = VerifyReply::Denied { message: None };
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
    assert_eq!(login.shown.borrow().len(), 1);
}
