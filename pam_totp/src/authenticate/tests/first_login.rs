//! Logins that enrol.

use super::*;

fn enrolling() -> Totpd {
    let begun = Ok(Begun::Enroll { text: "QR".into(), factor: "f-x".into() });
    let wrong = Verdict::Denied { message: Some("Your phone is slow.".into()) };
    Totpd { begun, wrong, keep: Some("Keep these.".into()), ..Totpd::new() }
}

#[test]
fn a_new_factor_is_shown_and_its_first_code_lets_in() {
    let mut login = Login::typing("123456");
    login.earlier = vec![Typed("000000".into())];
    let options = Options { enroll: true, ..Options::default() };
    assert_eq!(authenticate(&mut login, &enrolling(), &options), Outcome::Approved);
    let again = "Your phone is slow.\nCode that the app shows: ";
    assert_eq!(*login.shown.borrow(), ["QR", again, "Keep these."]);
}

#[test]
fn hanging_up_in_an_enrolment_is_no_way_in_and_at_the_codes_no_way_out() {
    let options = Options { enroll: true, ..Options::default() };
    let mut login = Login::of("alice");
    let outcome = authenticate(&mut login, &enrolling(), &options);
    assert_eq!(outcome, Outcome::ConversationFailed);
    login.earlier = vec![Typed("123456".into())];
    assert_eq!(authenticate(&mut login, &enrolling(), &options), Outcome::Approved);
}

#[test]
fn first_codes_are_tried_five_times_at_most_and_once_without_a_reason() {
    let options = Options { enroll: true, ..Options::default() };
    let mut totpd = enrolling();
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
    assert_eq!(login.shown.borrow().len(), 5);
    assert!(login.was_delayed());
    totpd.wrong = Verdict::Denied { message: None };
    let mut login = Login::typing("000000");
    assert_eq!(authenticate(&mut login, &totpd, &options), Outcome::Denied);
    assert_eq!(login.shown.borrow().len(), 1);
}
