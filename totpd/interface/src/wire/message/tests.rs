//! zbus is the oracle: what it reads, this file reads, and as the same.

use std::collections::BTreeMap;

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use zbus::Variant;
use zbus::message::Type;
use zbus::wire::{BE, LE};

use super::*;
use crate::dictionary::{DictReader, Value};
use crate::variants::Dictionary;
use crate::wire::lengths;

pub(in crate::wire) mod changes;
mod strictness;

const SERIAL: NonZeroU32 = NonZeroU32::new(7).unwrap();

/// What a message is to the caller, as far as a login reads it.
#[derive(Debug, Eq, PartialEq)]
enum Seen {
    Return(String, BTreeMap<String, Option<Value<'static>>>),
    Error(String, String),
    NoReply,
}

fn seen_by_zbus(bytes: &[u8]) -> Result<Seen, Malformed> {
    let message = crate::message::Message::new(bytes.to_vec())?;
    let header = message.header()?;
    if header.reply_serial() != Some(SERIAL) {
        return Ok(Seen::NoReply);
    }
    match (header.message_type(), header.error_name()) {
        (Type::MethodReturn, _) => {
            let (word, details): (String, Dictionary) = message.body()?;
            let mut read = values(&details);
            for (key, _) in
                details.iter().filter(|(_, value)| matches!(***value, Variant::Variant(_)))
            {
                // zbus takes a text out of a variant in a variant. No login has one.
                read.insert(key.clone(), None);
            }
            Ok(Seen::Return(word, read))
        }
        (Type::Error, Some(name)) => {
            let is_text = header.signature().to_string_no_parens() == "s";
            let text = if is_text { message.body()? } else { String::new() };
            Ok(Seen::Error(name.to_string(), text))
        }
        (Type::Error, None) => Err(Malformed),
        _ => Ok(Seen::NoReply),
    }
}

fn seen(bytes: &[u8]) -> Result<Seen, Malformed> {
    match Message::parse(bytes)?.reply_to(SERIAL)? {
        None => Ok(Seen::NoReply),
        Some(Reply::Error { name, text }) => Ok(Seen::Error(name.into(), text.into())),
        Some(Reply::Return(body)) => {
            let (word, details) = body.word_and_details()?;
            Ok(Seen::Return(word.into(), values(&details)))
        }
    }
}

/// Returns the entries with the values that a reply of a login has.
fn values(details: &impl DictReader) -> BTreeMap<String, Option<Value<'static>>> {
    let value = |key: &str| {
        let text = || Some(Value::Bytes(details.text(key).ok()??.as_bytes().to_vec()));
        let flag = || details.flag(key).ok()?.map(Value::Flag);
        let number = || details.number(key).ok()?.map(Value::Number);
        let number64 = || details.number64(key).ok()?.map(Value::Number64);
        text().or_else(flag).or_else(number).or_else(number64)
    };
    details.keys().map(|key| (key.to_owned(), value(key))).collect()
}

pub(in crate::wire) fn text() -> impl Strategy<Value = String> {
    "[^\0]{0,12}"
}

fn variant() -> impl Strategy<Value = Variant<'static>> {
    let basic = prop_oneof![
        4 => text().prop_map(Variant::from),
        2 => any::<bool>().prop_map(Variant::from),
        2 => any::<u32>().prop_map(Variant::from),
        2 => any::<u64>().prop_map(Variant::from),
        1 => any::<u8>().prop_map(Variant::from),
        1 => any::<i16>().prop_map(Variant::from),
        1 => any::<f64>().prop_map(Variant::from),
        1 => vec(any::<u8>(), 0..9).prop_map(Variant::from),
        1 => vec(text(), 0..4).prop_map(Variant::from),
        1 => vec(any::<u64>(), 0..3).prop_map(Variant::from),
        1 => (any::<u8>(), text(), any::<i64>()).prop_map(Variant::from),
    ];
    basic.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| Variant::Variant(Box::new(value))),
            vec(inner.clone(), 0..3).prop_map(Variant::from),
            hash_map(text(), inner, 0..3).prop_map(Variant::from),
        ]
    })
}

pub(in crate::wire) fn dictionary() -> impl Strategy<Value = Dictionary> {
    let owned = variant().prop_filter_map("it has no descriptor", |v| v.try_into_owned().ok());
    hash_map(text(), owned, 0..6)
}

/// Returns the bytes of messages of all kinds, in either byte order, as zbus writes them.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let parts = (0..6_u8, any::<bool>(), prop_oneof![Just(7_u32), 1..9_u32], any::<bool>());
    (parts, text(), dictionary()).prop_map(|((kind, is_big, serial, has_sender), word, details)| {
        let call = zbus::Message::method_call("/org/totpd/Totp1", "Begin").interface(crate::LOGIN);
        let call = call.serial(NonZeroU32::new(serial).unwrap()).sender(":1.5").build(&()).unwrap();
        let header = call.header();
        let answer = match kind {
            0 | 1 => zbus::Message::method_return(&header),
            2 | 3 => zbus::Message::error(&header, "org.totpd.Totp1.Error.Throttled"),
            4 => zbus::Message::signal("/org/freedesktop/DBus", BUS, "NameAcquired"),
            _ => zbus::Message::method_call("/org/totpd/Totp1", "Begin"),
        };
        let answer = answer.endian(if is_big { BE } else { LE });
        let answer = if has_sender { answer.sender(":1.7") } else { answer };
        let built = match kind {
            1 => answer.build(&()),
            2 => answer.build(&word),
            3 => answer.build(&(word, 7_u32)),
            _ => answer.build(&(word, details)),
        };
        built.unwrap().data().bytes().to_vec()
    })
}

const BUS: &str = "org.freedesktop.DBus";

pub(in crate::wire) fn cases() -> ProptestConfig {
    #[expect(clippy::disallowed_methods, reason = "a test, which no caller of a program runs")]
    let is_nightly = std::env::var_os("TEST_SCALE").is_some_and(|scale| scale == "1");
    ProptestConfig {
        cases: if is_nightly { 1_000_000 } else { 2_000 },
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn messages_are_read_as_zbus_reads_them(bytes in message()) {
        prop_assert_eq!(seen(&bytes), seen_by_zbus(&bytes));
    }

    #[test]
    fn an_answer_is_one_by_its_header_alone(bytes in message()) {
        let header = lengths(bytes.first_chunk().unwrap()).unwrap().header;
        let is_answer = seen_by_zbus(&bytes) != Ok(Seen::NoReply);
        prop_assert_eq!(is_answer_to(SERIAL, &bytes[..header]), is_answer);
    }

    #[test]
    fn no_header_makes_the_search_for_an_answer_panic(mut bytes: Vec<u8>) {
        let _ = is_answer_to(SERIAL, &bytes);
        bytes.splice(0..0, *b"l\x02\0\x01\0\0\0\0\x01\0\0\0");
        let _ = is_answer_to(SERIAL, &bytes);
    }

    #[test]
    fn no_part_of_a_message_is_a_message(bytes in message(), place: prop::sample::Index) {
        let part = &bytes[..place.index(bytes.len())];
        prop_assert_eq!(seen(part), Err(Malformed));
        prop_assert_eq!(seen(&[&bytes, &[0][..]].concat()), Err(Malformed));
    }
}
