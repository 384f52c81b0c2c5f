//! A message of the private socket, and the context in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd::access::login_context::login_source;
use totpd_interface::Dictionary;
use totpd_interface::login::{BeginReply, CompletionReply, LoginContext, VerifyReply};
use totpd_interface::message::Message;
use totpd_interface::wire::take_message;

fuzz_target!(|bytes: &[u8]| {
    let mut stream = bytes.to_vec();
    while let Ok(Some(message)) = take_message(&mut stream) {
        assert!(!message.is_empty());
    }
    let Ok(message) = Message::new(bytes.to_vec()) else { return };
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
    }
});
