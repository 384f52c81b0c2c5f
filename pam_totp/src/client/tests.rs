use totpd_interface::{DictBuilder, Dictionary};

use super::*;

#[test]
fn every_error_of_the_bus_or_the_daemon_denies() {
    let text = || "why".to_owned();
    for error in [
        Error::Bus(zbus::Error::InvalidReply),
        Error::Internal(text()),
        Error::StoreCorrupt(text()),
        Error::StoreUnavailable(text()),
    ] {
        assert!(matches!(map_error(error), Outcome::Unavailable(_)));
    }
    for error in [
        Error::AlreadyEnrolled(text()),
        Error::InvalidCode(text()),
        Error::Expired(text()),
        Error::InvalidArgument(text()),
        Error::NotAuthorized(text()),
        Error::NotEnrolled(text()),
        Error::NoSuchUser(text()),
        Error::Throttled(text()),
    ] {
        assert!(matches!(map_error(error), Outcome::Internal(_)));
    }
}

fn reply(word: &str, details: DictBuilder) -> Reply {
    (word.to_owned(), details.into())
}

#[test]
fn an_unknown_reply_denies() {
    let prompt = || DictBuilder::new().with("prompt", "Code: ").with("digits", 8_u32);
    let text = "Code: ".to_owned();
    let expected = BeginReply::Prompt { text, digits: 8 };
    assert_eq!(begin_reply(reply("prompt", prompt())), Ok(expected));
    assert_eq!(begin_reply(reply("skip", DictBuilder::new())), Ok(BeginReply::Skip));
    for other in [
        reply("prompt", DictBuilder::new()),
        reply("enroll", prompt()),
        reply("Enroll", DictBuilder::new()),
        reply("Skip", DictBuilder::new()),
    ] {
        assert!(matches!(begin_reply(other), Err(Outcome::Internal(_))));
    }
    let approved = VerifyReply::Approved { method: None, message: None, token: None };
    assert_eq!(verify_reply(reply("approved", prompt())), Ok(approved));
    let unknown = verify_reply(reply("approved ", prompt()));
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
        (vec![RequestError::Fatal(Error::Internal(String::new()))], true, 1, Err(())),
    ] {
        let (mut errors, mut asked) = (errors.into_iter(), 0);
        let result = retry(long, is_idempotent, |_| {
            asked += 1;
            errors.next().map_or_else(|| Ok(reply("denied", DictBuilder::new())), Err)
        });
        assert_eq!(result.map(|reply| reply.is_some()).map_err(|_| ()), expected);
        assert_eq!(asked, tries);
    }
}

#[test]
fn retries_pause_and_end_at_the_timeout() {
    let (start, time, mut asked) = (Instant::now(), Duration::from_millis(1500), 0);
    let result = retry(time, true, |deadline| {
        assert!(deadline > start && deadline <= Instant::now() + time);
        asked += 1;
        Err(RequestError::NotDelivered)
    });
    assert_eq!(result, Err(Outcome::Unavailable("no answer within 1 s".into())));
    assert!(start.elapsed() <= time + Duration::from_millis(500));
    assert!((2..100).contains(&asked), "{asked}");
}

#[test]
fn only_begin_is_sent_again_after_its_reply_was_lost() {
    let none = Dictionary::new();
    assert!(Request::Begin("alice", &none).is_idempotent());
    assert!(!Request::Verify("alice", "123456", &none).is_idempotent());
    assert!(!Request::CompleteEnrollment("token", &none).is_idempotent());
}
