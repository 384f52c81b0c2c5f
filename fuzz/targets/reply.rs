//! A reply as the module reads it. What it takes, zbus takes too, and as the same.
#![no_main]

use std::num::NonZeroU32;

use libfuzzer_sys::fuzz_target;
use totpd_interface::login::{BeginReply, CompletionReply, VerifyReply};
use totpd_interface::wire::message::{Message, Reply};
use totpd_interface::{Dictionary, message};

fuzz_target!(|bytes: &[u8]| {
    let serial = NonZeroU32::MIN;
    let Ok(message) = Message::parse(bytes) else { return };
    let Ok(Some(Reply::Return(body))) = message.reply_to(serial) else { return };
    let Ok((word, details)) = body.word_and_details() else { return };
    let begin = BeginReply::parse(word, &details);
    let verify = VerifyReply::parse(word, &details);
    let completion = CompletionReply::parse(word, &details);
    // zbus refuses a header with fields and names that the specification lets others skip.
    let by_zbus = message::Message::new(bytes.to_vec()).unwrap();
    if by_zbus.header().is_err() {
        return;
    }
    let (word, details) = by_zbus.body::<(String, Dictionary)>().unwrap();
    // zbus takes a text out of a variant in a variant. No login has one.
    if details.values().any(|value| value.value_signature().to_string() == "v") {
        return;
    }
    assert_eq!(begin, BeginReply::parse(&word, &details));
    assert_eq!(verify, VerifyReply::parse(&word, &details));
    assert!(completion == CompletionReply::parse(&word, &details));
});
