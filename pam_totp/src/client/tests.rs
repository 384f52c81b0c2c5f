use super::*;

#[test]
fn no_error_of_the_bus_or_the_daemon_is_anything_but_a_refusal() {
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

fn reply(word: &str, details: &[(&str, Variant<'_>)]) -> Reply {
    let owned = |(key, value): &(&str, Variant<'_>)| {
        ((*key).to_owned(), value.try_clone().unwrap().try_into_owned().unwrap())
    };
    (word.to_owned(), details.iter().map(owned).collect())
}

#[test]
fn only_words_that_are_known_mean_anything() {
    let prompt = [("prompt", Variant::from("Code: ")), ("digits", Variant::from(8_u32))];
    let text = || "Code: ".to_owned();
    assert_eq!(
        parse_begin_reply(reply("prompt", &prompt)),
        Ok(BeginReply::Prompt { text: text(), digits: 8 })
    );
    let older = Ok(BeginReply::Prompt { text: text(), digits: 6 });
    assert_eq!(parse_begin_reply(reply("prompt", &prompt[..1])), older);
    assert_eq!(parse_begin_reply(reply("skip", &[])), Ok(BeginReply::Skip));
    for other in
        [reply("prompt", &[]), reply("enroll", &prompt), reply("Enroll", &[]), reply("Skip", &[])]
    {
        assert!(matches!(parse_begin_reply(other), Err(Outcome::Internal(_))));
    }
    let enroll = [("prompt", Variant::from("Code: ")), ("factor", Variant::from("f-x"))];
    let factor = "f-x".to_owned();
    assert_eq!(
        parse_begin_reply(reply("enroll", &enroll)),
        Ok(BeginReply::Enroll { text: text(), factor })
    );
    let silent = Verdict::Approved { message: None, token: None };
    assert_eq!(parse_verdict(reply("approved", &[])), Ok(silent));
    let codes = [("message", Variant::from("News.")), ("token", Variant::from("abc"))];
    let expected = Verdict::Approved { message: Some("News.".into()), token: Some("abc".into()) };
    assert_eq!(parse_verdict(reply("approved", &codes)), Ok(expected));
    assert_eq!(parse_verdict(reply("denied", &prompt)), Ok(Verdict::Denied { message: None }));
    let why = Verdict::Denied { message: Some("News.".into()) };
    assert_eq!(parse_verdict(reply("denied", &codes)), Ok(why));
    let details = [("message", Variant::from("Try again."))];
    let message = Some("Try again.".to_owned());
    assert_eq!(parse_verdict(reply("throttled", &details)), Ok(Verdict::Throttled { message }));
    assert_eq!(parse_verdict(reply("throttled", &[])), Ok(Verdict::Throttled { message: None }));
    assert!(matches!(parse_verdict(reply("approved ", &[])), Err(Outcome::Internal(_))));
}

#[test]
fn what_was_not_heard_is_asked_again_and_a_lost_verdict_is_not() {
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
            errors.next().map_or_else(|| Ok(reply("denied", &[])), Err)
        });
        assert_eq!(result.map(|reply| reply.is_some()).map_err(|_| ()), expected);
        assert_eq!(asked, tries);
    }
}

#[test]
fn it_is_tried_until_the_time_is_over_and_not_without_pause() {
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
fn a_context_goes_over_whole() {
    let context = LoginContext {
        items: vec![("service", "sshd".into()), ("rhost", "192.0.2.1".into())],
        nullok: true,
        enroll: true,
        show_names: true,
        quiet: true,
        factor: Some("f-x".into()),
        nonce: Some("00".into()),
        prompt: Some("Token: ".into()),
    };
    let sent = context_dictionary(&context);
    let text = |key: &str| super::text(&sent, key);
    assert_eq!(text("service").as_deref(), Some("sshd"));
    assert_eq!(text("rhost").as_deref(), Some("192.0.2.1"));
    assert_eq!(text("prompt").as_deref(), Some("Token: "));
    assert_eq!(sent["nullok"].downcast_ref::<bool>(), Ok(true));
    assert_eq!(sent["enroll"].downcast_ref::<bool>(), Ok(true));
    assert_eq!(sent["show_names"].downcast_ref::<bool>(), Ok(true));
    assert_eq!(text("factor").as_deref(), Some("f-x"));
    assert_eq!(text("nonce").as_deref(), Some("00"));
    assert_eq!(sent["quiet"].downcast_ref::<bool>(), Ok(true));
    assert_eq!(sent.len(), 9);
    assert!(context_dictionary(&LoginContext::default()).is_empty());
    let none = Dictionary::new();
    assert!(Request::Begin("alice", &none).is_idempotent());
    assert!(!Request::Verify("alice", "123456", &none).is_idempotent());
    assert!(!Request::CompleteEnrollment("token", &none).is_idempotent());
}
