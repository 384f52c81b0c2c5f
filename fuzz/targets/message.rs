//! A message of the private socket, and the context in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd::access::login_context::login_source;
use totpd_interface::Dictionary;
use totpd_interface::arguments::Arguments;
use totpd_interface::login::{BeginReply, CompletionReply, GuardReply, LoginContext, VerifyReply};
use totpd_interface::message::Message;
use totpd_interface::wire::question::{Method, Question};
use totpd_interface::wire::take_message;

fuzz_target!(|bytes: &[u8]| {
    let mut stream = bytes.to_vec();
    while let Ok(Some(message)) = take_message(&mut stream) {
        assert!(!message.is_empty());
    }
    let question = Question::parse(bytes);
    let Ok(message) = Message::new(bytes.to_vec()) else { return assert!(question.is_none()) };
    if let Some(question) = question {
        // The daemon answers it without zbus, which reads it as the same.
        assert_eq!(message.header().unwrap().primary().serial_num(), question.serial);
        let entries = match question.method {
            Method::Verify { user, code } => {
                let (name, typed, Arguments(entries)): (String, String, _) =
                    message.body().unwrap();
                assert_eq!((name.as_str(), typed.as_str()), (user, code));
                entries
            }
            Method::Begin { user: text }
            | Method::CompleteEnrollment { token: text }
            | Method::Guard { user: text }
            | Method::PasswordChanged { user: text } => {
                let (read, Arguments(entries)): (String, _) = message.body().unwrap();
                assert_eq!(read, text);
                entries
            }
        };
        assert_eq!(LoginContext::parse(&question.context), LoginContext::parse(&entries));
    }
    let _ = message.header();
    let _ = message.body::<(String, String, Dictionary)>();
    if let Ok((word, entries)) = message.body::<(String, Dictionary)>() {
        if let Ok(context) = LoginContext::parse(&entries) {
            let _ = login_source(&context, 0);
            assert!(context.rhost.is_none_or(|text| text.chars().count() <= 256));
        }
        let _ = BeginReply::parse(&word, &entries);
        let _ = VerifyReply::parse(&word, &entries);
        let _ = CompletionReply::parse(&word, &entries);
        let _ = GuardReply::parse(&word, &entries);
    }
});
