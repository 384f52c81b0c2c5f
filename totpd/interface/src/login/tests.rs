use super::*;
use crate::dictionary::{InvalidEntry, Value};

/// Reads back the entries that `context` writes.
fn read_back(context: &LoginContext) -> Result<LoginContext, InvalidEntry> {
    context.write(|entries| LoginContext::parse(&entries))
}

#[test]
fn every_part_of_a_context_is_read_as_it_was_written() {
    type Change = fn(&mut LoginContext);
    let parts: [(&str, Change); 13] = [
        ("service", |context| context.service = Some("sshd".into())),
        ("rhost", |context| context.rhost = Some("192.0.2.1".into())),
        ("tty", |context| context.tty = Some("/dev/pts/3".into())),
        ("ruser", |context| context.ruser = Some("bob".into())),
        ("user", |context| context.user = Some("älice".into())),
        ("factor", |context| context.factor = Some("f-aaaaaaaa".into())),
        ("nonce", |context| context.nonce = Some(Nonce::new([0x0b; 16]))),
        ("nullok", |context| context.nullok = true),
        ("enroll", |context| context.enroll = true),
        ("forward_pass", |context| context.forward_pass = true),
        ("quiet", |context| context.quiet = true),
        ("show_names", |context| context.show_names = true),
        ("prompt", |context| context.prompt = Some("Token: ".into())),
    ];
    let (none, mut all) = (LoginContext::default(), LoginContext::default());
    assert!(none.write(|entries| entries.is_empty()));
    assert_eq!(read_back(&none), Ok(none));
    for (key, change) in parts {
        let mut one = LoginContext::default();
        change(&mut one);
        change(&mut all);
        assert_eq!(
            one.write(|entries| entries.iter().map(|(key, _)| *key).collect::<Vec<_>>()),
            [key]
        );
        assert_eq!(read_back(&one), Ok(one), "{key}");
    }
    assert_eq!(all.write(|entries| entries.len()), parts.len());
    assert_eq!(read_back(&all), Ok(all));
}

#[test]
fn a_context_ignores_unknown_keys_and_refuses_wrong_types() {
    let known = [
        "service",
        "rhost",
        "tty",
        "ruser",
        "user",
        "factor",
        "nonce",
        "nullok",
        "enroll",
        "forward_pass",
        "quiet",
        "show_names",
        "prompt",
    ];
    for key in known {
        let error = LoginContext::parse(&vec![(key, Value::Number(7))]).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{key} must be a ")), "{error}");
    }
    let unknown = vec![("color", Value::Number(7)), ("service", "sshd".into())];
    let service = Some("sshd".to_owned());
    assert_eq!(LoginContext::parse(&unknown), Ok(LoginContext { service, ..Default::default() }));
}

#[test]
fn a_text_of_a_context_is_cut_and_an_empty_one_absent() {
    let long = "é".repeat(5000);
    let context = LoginContext::parse(&vec![("tty", long.as_str().into()), ("rhost", "".into())]);
    let context = context.unwrap();
    assert_eq!(context.tty.unwrap(), "é".repeat(MAX_TEXT_CHARS));
    assert_eq!(context.rhost, None);
}

#[test]
fn a_nonce_has_32_lower_case_hexadecimal_digits() {
    let good = "000102030405060708090a0b0c0d0e0f";
    let nonce = Nonce::new(std::array::from_fn(|n| n as u8));
    assert_eq!((Nonce::parse(good), nonce.to_string().as_str()), (Some(nonce), good));
    assert_eq!(Nonce::parse(&Nonce::new([0; 16]).to_string()), Some(Nonce::new([0; 16])));
    let plus = format!("+{}", &good[1..]);
    for bad in ["", "00", &good[2..], &good.to_uppercase(), &good.replace("00", "zz"), &plus] {
        assert_eq!(Nonce::parse(bad), None, "{bad}");
        if !bad.is_empty() {
            let error = LoginContext::parse(&vec![("nonce", bad.into())]).unwrap_err();
            assert_eq!(error.to_string(), "nonce must be 32 hexadecimal digits");
        }
    }
    assert_eq!(format!("{nonce:?}"), "[redacted]");
}

#[test]
fn every_reply_to_begin_is_read_as_it_was_written() {
    let (text, factor) = (|| "Code: ".to_owned(), || "f-aaaaaaaa".to_owned());
    for (reply, word, keys) in [
        (BeginReply::Prompt { text: text(), digits: 8 }, "prompt", &["prompt", "digits"][..]),
        (
            BeginReply::Enroll { text: text(), factor: factor(), uri: None },
            "enroll",
            &["prompt", "factor"],
        ),
        (
            BeginReply::Enroll { text: text(), factor: factor(), uri: Some("otpauth:".into()) },
            "enroll",
            &["prompt", "factor", "uri"],
        ),
        (BeginReply::Skip { message: None }, "skip", &[]),
        (BeginReply::Skip { message: Some(text()) }, "skip", &["message"]),
    ] {
        assert_eq!(reply.word(), word);
        assert_eq!(reply.details().keys().collect::<Vec<_>>(), keys);
        assert_eq!(BeginReply::parse(word, &reply.details()), Ok(reply));
    }
}

#[test]
fn only_known_words_open_anything() {
    let prompt = vec![("prompt", "Code: ".into()), ("digits", Value::Text("8"))];
    let six = BeginReply::Prompt { text: "Code: ".into(), digits: 6 };
    assert_eq!(BeginReply::parse("prompt", &prompt), Ok(six), "no number is as if absent");
    for (word, details) in [
        ("prompt", vec![]),
        ("prompt", vec![("prompt", Value::Flag(true))]),
        ("enroll", prompt),
        ("enroll", vec![("factor", "f-x".into())]),
        ("Enroll", vec![]),
        ("Skip", vec![]),
        ("skip ", vec![]),
        ("", vec![]),
    ] {
        assert!(BeginReply::parse(word, &details).is_err(), "{word}");
    }
    for word in ["approved ", "Approved", "skip", "Skipped", "", "prompt"] {
        assert!(VerifyReply::parse(word, &Entries::new()).is_err(), "{word}");
        assert!(!CompletionReply::parse(word, &Entries::new()).is_verified, "{word}");
    }
}

#[test]
fn every_reply_to_verify_is_read_as_it_was_written() {
    let options = || [None, Some("text".to_owned())];
    let methods = [None, Some(Method::Hotp), Some(Method::Recovery), Some(Method::Totp)];
    let mut replies = Vec::new();
    for message in options() {
        for method in methods {
            for token in options() {
                let message = message.clone();
                replies.push(("approved", VerifyReply::Approved { method, message, token }));
            }
        }
        for retry_after in [None, Some(0), Some(u32::MAX)] {
            let message = message.clone();
            replies.push(("throttled", VerifyReply::Throttled { message, retry_after }));
        }
        replies.push(("skipped", VerifyReply::Skipped { message: message.clone() }));
        replies.push(("denied", VerifyReply::Denied { message }));
    }
    for (word, reply) in replies {
        assert_eq!(reply.word(), word);
        assert_eq!(VerifyReply::parse(word, &reply.details()), Ok(reply));
    }
}

#[test]
fn a_verdict_ignores_unknown_details_and_wrong_types() {
    let details = vec![
        ("message", Value::Flag(true)),
        ("method", "palm reading".into()),
        ("token", Value::Number(1)),
        ("retry_after", "soon".into()),
        ("color", "red".into()),
    ];
    let approved = VerifyReply::Approved { method: None, message: None, token: None };
    assert_eq!(VerifyReply::parse("approved", &details), Ok(approved));
    assert_eq!(VerifyReply::parse("denied", &details), Ok(VerifyReply::Denied { message: None }));
    let throttled = VerifyReply::Throttled { message: None, retry_after: None };
    assert_eq!(VerifyReply::parse("throttled", &details), Ok(throttled));
}

#[test]
fn every_reply_to_complete_enrollment_is_read_as_written() {
    for (is_verified, word) in [(true, "approved"), (false, "denied")] {
        for message in [None, Some("Codes".to_owned())] {
            let reply = CompletionReply { is_verified, message };
            assert_eq!(reply.word(), word);
            assert_eq!(CompletionReply::parse(word, &reply.details()), reply);
        }
    }
}

#[test]
fn no_reply_prints_a_secret() {
    let secret = || Some("JBSWY3DP".to_owned());
    let text = "JBSWY3DP".to_owned();
    for printed in [
        format!("{:?}", BeginReply::Enroll { text, factor: "f-x".into(), uri: secret() }),
        format!("{:?}", VerifyReply::Approved { method: None, message: None, token: secret() }),
        format!("{:?}", CompletionReply { is_verified: true, message: secret() }),
    ] {
        assert!(!printed.contains("JBSWY"), "{printed}");
    }
}
