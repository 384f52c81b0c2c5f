//! zbus is the oracle: the answers have its bytes.

use zbus::wire::LE;

use super::*;
use crate::dictionary::Value;
use crate::login::{BeginReply, VerifyReply};
use crate::variants::{Dictionary, write};
use crate::wire::message::{Message, Reply};
use crate::{LOGIN, PATH};

const SERIAL: NonZeroU32 = NonZeroU32::new(7).unwrap();

/// Returns the call that the answers are for.
fn call() -> zbus::Message {
    let call = zbus::Message::method_call(PATH, "Begin").interface(LOGIN).serial(SERIAL);
    call.build(&("alice", Dictionary::new())).unwrap()
}

#[test]
fn a_reply_has_the_bytes_of_zbus() {
    let call = call();
    for details in [vec![], vec![("message", "Älïçé\n".into())], vec![("retry_after", 7.into())]]
    {
        let reply_of_zbus = zbus::Message::method_return(&call.header()).serial(SERIAL).endian(LE);
        let by_zbus = reply_of_zbus.build(&("denied", write(details.clone()))).unwrap();
        assert_eq!(reply(SERIAL, "denied", &details).as_deref(), Ok(by_zbus.data().bytes()));
    }
}

#[test]
fn an_error_has_the_bytes_of_zbus() {
    let (call, name) = (call(), "org.totpd.Totp1.Error.InvalidArgument");
    let by_zbus = zbus::Message::error(&call.header(), name).serial(SERIAL).endian(LE);
    let by_zbus = by_zbus.build(&"prompt must be a string").unwrap();
    let ours = error(SERIAL, name, "prompt must be a string");
    assert_eq!(ours.as_deref(), Ok(by_zbus.data().bytes()));
}

#[test]
fn a_module_reads_a_reply_as_it_was_meant() {
    let prompt = BeginReply::Prompt { text: "Code (wait 28 s): ".into(), digits: 8 };
    let key = BeginReply::Enroll {
        text: "Key: GEZD\n".into(),
        factor: "f-aaaaaaaa".into(),
        uri: Some("otpauth://totp/x".into()),
    };
    for meant in [prompt, key, BeginReply::Skip { message: None }] {
        let bytes = reply(SERIAL, meant.word(), &meant.details()).unwrap();
        let message = Message::parse(&bytes).unwrap();
        let Some(Reply::Return(body)) = message.reply_to(SERIAL).unwrap() else { panic!() };
        let (word, details) = body.word_and_details().unwrap();
        assert_eq!(BeginReply::parse(word, &details), Ok(meant));
    }
    let throttled = VerifyReply::Throttled { message: Some("wait".into()), retry_after: Some(9) };
    let bytes = reply(SERIAL, throttled.word(), &throttled.details()).unwrap();
    let by_zbus = crate::message::Message::new(bytes).unwrap();
    let (word, details): (String, Dictionary) = by_zbus.body().unwrap();
    assert_eq!((VerifyReply::parse(&word, &details), details.keys().count()), (Ok(throttled), 2));
}

#[test]
fn a_text_that_d_bus_cannot_hold_is_refused() {
    assert_eq!(reply(SERIAL, "denied", &vec![("message", "a\0b".into())]), Err(Malformed));
    assert_eq!(reply(SERIAL, "denied", &vec![("x", Value::Bytes(vec![7]))]), Err(Malformed));
    assert_eq!(error(SERIAL, "org.totpd.Totp1.Error.Internal", "a\0b"), Err(Malformed));
}
