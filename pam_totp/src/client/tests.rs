use super::*;

#[test]
fn jitter_stays_within_a_quarter_and_differs() {
    let two = Duration::from_secs(2);
    let drawn: Vec<_> = (0..200).map(|_| jittered(two)).collect();
    assert!(drawn.iter().all(|time| (1500..=2500).contains(&time.as_millis())), "{drawn:?}");
    assert!(drawn.iter().any(|time| time.as_millis() < 1800));
    assert!(drawn.iter().any(|time| time.as_millis() > 2200));
}

#[test]
fn a_pause_may_be_any_part() {
    let pauses: Vec<_> = (0..200).map(|_| some_of(PAUSE).as_millis()).collect();
    assert!(pauses.iter().all(|ms| *ms < 200), "{pauses:?}");
    assert!(pauses.iter().any(|ms| *ms < 60) && pauses.iter().any(|ms| *ms > 140));
}

#[test]
fn no_error_of_the_bus_or_the_daemon_is_anything_but_a_refusal() {
    let text = || "why".to_owned();
    for error in [
        Error::Bus(zbus::Error::InvalidReply),
        Error::Internal(text()),
        Error::StoreCorrupt(text()),
        Error::StoreUnavailable(text()),
    ] {
        assert!(matches!(outcome(error), Outcome::Unavailable(_)));
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
        assert!(matches!(outcome(error), Outcome::Misused(_)));
    }
}

fn answer(word: &str, details: &[(&str, Variant<'_>)]) -> Answer {
    let owned = |(key, value): &(&str, Variant<'_>)| {
        ((*key).to_owned(), value.try_clone().unwrap().try_into_owned().unwrap())
    };
    (word.to_owned(), details.iter().map(owned).collect())
}

#[test]
fn only_words_that_are_known_mean_anything() {
    let prompt = [("prompt", Variant::from("Code: ")), ("digits", Variant::from(8_u32))];
    let text = || "Code: ".to_owned();
    assert_eq!(begun(answer("prompt", &prompt)), Ok(Begun::Prompt { text: text(), digits: 8 }));
    let older = Ok(Begun::Prompt { text: text(), digits: 6 });
    assert_eq!(begun(answer("prompt", &prompt[..1])), older);
    assert_eq!(begun(answer("skip", &[])), Ok(Begun::Skip));
    for other in [
        answer("prompt", &[]),
        answer("enroll", &prompt),
        answer("Enroll", &[]),
        answer("Skip", &[]),
    ] {
        assert!(matches!(begun(other), Err(Outcome::Misused(_))));
    }
    let enroll = [("prompt", Variant::from("Code: ")), ("factor", Variant::from("f-x"))];
    let factor = "f-x".to_owned();
    assert_eq!(begun(answer("enroll", &enroll)), Ok(Begun::Enroll { text: text(), factor }));
    let silent = Verdict::Approved { message: None, token: None };
    assert_eq!(verdict(answer("approved", &[])), Ok(silent));
    let codes = [("message", Variant::from("News.")), ("token", Variant::from("abc"))];
    let told = Verdict::Approved { message: Some("News.".into()), token: Some("abc".into()) };
    assert_eq!(verdict(answer("approved", &codes)), Ok(told));
    assert_eq!(verdict(answer("denied", &prompt)), Ok(Verdict::Denied { message: None }));
    let why = Verdict::Denied { message: Some("News.".into()) };
    assert_eq!(verdict(answer("denied", &codes)), Ok(why));
    let told = [("message", Variant::from("Try again."))];
    let message = Some("Try again.".to_owned());
    assert_eq!(verdict(answer("throttled", &told)), Ok(Verdict::Throttled { message }));
    assert_eq!(verdict(answer("throttled", &[])), Ok(Verdict::Throttled { message: None }));
    assert!(matches!(verdict(answer("approved ", &[])), Err(Outcome::Misused(_))));
}

#[test]
fn what_was_not_heard_is_asked_again_and_a_lost_verdict_is_not() {
    let long = Duration::from_secs(60);
    // Troubles, one after the other, then an answer; and whether the question is asked but once.
    for (troubles, once, tries, expected) in [
        (vec![], true, 1, Ok(true)),
        (vec![Trouble::NotHeard, Trouble::NotRunning, Trouble::NoWay], true, 4, Ok(true)),
        (vec![Trouble::NotHeard, Trouble::AnswerLost], true, 2, Ok(false)),
        (vec![Trouble::AnswerLost, Trouble::AnswerLost], false, 3, Ok(true)),
        (vec![Trouble::TooLate], false, 1, Err(())),
        (vec![Trouble::Lasting(Error::Internal(String::new()))], false, 1, Err(())),
    ] {
        let (mut troubles, mut asked) = (troubles.into_iter(), 0);
        let done = repeated(long, once, |_| {
            asked += 1;
            troubles.next().map_or_else(|| Ok(answer("denied", &[])), Err)
        });
        assert_eq!(done.map(|answer| answer.is_some()).map_err(|_| ()), expected);
        assert_eq!(asked, tries);
    }
}

#[test]
fn it_is_tried_until_the_time_is_over_and_not_without_pause() {
    let (start, time, mut asked) = (Instant::now(), Duration::from_millis(1500), 0);
    let done = repeated(time, false, |deadline| {
        assert!(deadline > start && deadline <= Instant::now() + time);
        asked += 1;
        Err(Trouble::NotHeard)
    });
    assert_eq!(done, Err(Outcome::Unavailable("no answer within 1 s".into())));
    assert!(start.elapsed() <= time + Duration::from_millis(500));
    assert!((2..100).contains(&asked), "{asked}");
}

#[test]
fn a_context_goes_over_whole() {
    let context = Context {
        items: vec![("service", "sshd".into()), ("rhost", "192.0.2.1".into())],
        nullok: true,
        enroll: true,
        show_names: true,
        quiet: true,
        factor: Some("f-x".into()),
        nonce: Some("00".into()),
        prompt: Some("Token: ".into()),
    };
    let sent = dictionary(&context);
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
    assert!(dictionary(&Context::default()).is_empty());
    let none = Dictionary::new();
    assert!(!Question::Begin("alice", &none).is_asked_once());
    assert!(Question::Verify("alice", "123456", &none).is_asked_once());
}
