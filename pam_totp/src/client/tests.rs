use totpd_interface::dictionary::{Entries, Value};
use totpd_interface::login::LoginContext;

use super::request::map_error;
use super::*;

mod exchange;

#[test]
fn every_error_of_the_bus_or_the_daemon_denies() {
    let of_daemon = |name: &str| map_error(&format!("org.totpd.Totp1.Error.{name}"), "why");
    for name in ["Internal", "StoreCorrupt", "StoreUnavailable"] {
        assert_eq!(of_daemon(name), Outcome::Unavailable("why".into()));
    }
    for name in [
        "AlreadyEnrolled",
        "Expired",
        "InvalidArgument",
        "InvalidCode",
        "LimitsExceeded",
        "NoSuchUser",
        "NotAuthorized",
        "NotEnrolled",
        "OfAnotherVersion",
        "Throttled",
    ] {
        let sentence = format!("org.totpd.Totp1.Error.{name}: why");
        assert_eq!(of_daemon(name), Outcome::Internal(sentence));
    }
    let of_bus = "org.freedesktop.DBus.Error.ServiceUnknown";
    assert_eq!(map_error(of_bus, "why"), Outcome::Unavailable(format!("{of_bus}: why")));
}

#[test]
fn an_unknown_reply_denies() {
    let prompt = || vec![("prompt", Value::Text("Code: ")), ("digits", Value::Number(8))];
    let none = Entries::new;
    let text = "Code: ".to_owned();
    let expected = BeginReply::Prompt { text, digits: 8 };
    assert_eq!(begin_reply("prompt", &prompt()), Ok(expected));
    assert_eq!(begin_reply("skip", &none()), Ok(BeginReply::Skip { message: None }));
    for (word, details) in
        [("prompt", none()), ("enroll", prompt()), ("Enroll", none()), ("Skip", none())]
    {
        assert!(matches!(begin_reply(word, &details), Err(Outcome::Internal(_))), "{word}");
    }
    let approved = VerifyReply::Approved { method: None, message: None, token: None };
    assert_eq!(verify_reply("approved", &prompt()), Ok(approved));
    let unknown = verify_reply("approved ", &prompt());
    assert!(matches!(unknown, Err(Outcome::Internal(_))));
}

#[test]
fn undelivered_requests_are_retried_and_lost_verdicts_not() {
    let long = Duration::from_secs(60);
    // Errors, one after the other, then a reply.
    for (errors, is_idempotent, tries, expected) in [
        (vec![], false, 1, Ok(true)),
        (
            vec![RequestError::NotDelivered, RequestError::NotRunning, RequestError::NoAccess],
            false,
            4,
            Ok(true),
        ),
        (vec![RequestError::NotDelivered, RequestError::ReplyLost], false, 2, Ok(false)),
        (vec![RequestError::ReplyLost, RequestError::ReplyLost], true, 3, Ok(true)),
        (vec![RequestError::Timeout], true, 1, Err(())),
        (vec![RequestError::Fatal(Outcome::Internal(String::new()))], true, 1, Err(())),
    ] {
        let (mut errors, mut asked) = (errors.into_iter(), 0);
        let result = retry(long, is_idempotent, |_| {
            asked += 1;
            errors.next().map_or(Ok(()), Err)
        });
        assert_eq!(result.map(|reply| reply.is_some()).map_err(|_| ()), expected);
        assert_eq!(asked, tries);
    }
}

#[test]
fn retries_pause_and_end_at_the_timeout() {
    let (start, time, mut asked) = (Instant::now(), Duration::from_millis(1500), 0);
    let result = retry::<()>(time, true, |deadline| {
        assert!(deadline > start && deadline <= Instant::now() + time);
        asked += 1;
        Err(RequestError::NotDelivered)
    });
    assert_eq!(result, Err(Outcome::Unavailable("no answer within 1 s".into())));
    assert!(start.elapsed() <= time + Duration::from_millis(500));
    assert!((2..100).contains(&asked), "{asked}");
}

#[test]
fn what_uses_nothing_up_is_sent_again_after_its_reply_was_lost() {
    let context = &LoginContext::default();
    assert!(is_idempotent(&Call::Begin { user: "alice", context }));
    assert!(is_idempotent(&Call::Guard { user: "alice", context }));
    assert!(is_idempotent(&Call::PasswordChanged { user: "alice", context }));
    assert!(!is_idempotent(&Call::Verify { user: "alice", code: "123456", context }));
    assert!(!is_idempotent(&Call::CompleteEnrollment { token: "token", context }));
}
