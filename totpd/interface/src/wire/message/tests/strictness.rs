//! What is refused or skipped, byte by byte.

use super::super::*;
use super::SERIAL;
use crate::dictionary::{DictReader, Value};

fn padded(mut bytes: Vec<u8>, alignment: usize) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes(), &[0]].concat()
}

fn signature(signature: &str) -> Vec<u8> {
    [&[signature.len() as u8], signature.as_bytes(), &[0]].concat()
}

/// Returns a field of a header. It starts at a multiple of eight, and so its value at one of four.
fn field(code: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    [&[code, 1, kind, 0], value].concat()
}

fn reply_serial() -> Vec<u8> {
    field(5, b'u', &SERIAL.get().to_le_bytes())
}

fn signature_of_reply() -> Vec<u8> {
    field(8, b'g', &signature("sa{sv}"))
}

/// Returns the elements of an array, each of which starts at a multiple of eight.
fn joined(elements: &[Vec<u8>]) -> Vec<u8> {
    let add = |joined, element: &Vec<u8>| [padded(joined, 8), element.clone()].concat();
    elements.iter().fold(Vec::new(), add)
}

fn message(kind: u8, fields: &[Vec<u8>], body: &[u8]) -> Vec<u8> {
    let fields = joined(fields);
    let start = [b'l', kind, 0, 1];
    let numbers = [body.len() as u32, 9, fields.len() as u32].map(u32::to_le_bytes);
    let header = [&start[..], numbers.as_flattened(), &fields].concat();
    [padded(header, 8), body.to_vec()].concat()
}

/// Returns the body of a reply with the word `skip` and these entries.
fn body(entries: &[Vec<u8>]) -> Vec<u8> {
    let entries = joined(entries);
    let word = padded(text("skip"), 4);
    let length = (entries.len() as u32).to_le_bytes();
    [padded([word, length.to_vec()].concat(), 8), entries].concat()
}

fn entry(key: &str, kind: &str, alignment: usize, value: &[u8]) -> Vec<u8> {
    let start = [text(key), signature(kind)].concat();
    [padded(start, alignment), value.to_vec()].concat()
}

fn reply(fields: &[Vec<u8>]) -> Vec<u8> {
    message(2, fields, &body(&[]))
}

fn word_of(bytes: &[u8]) -> Result<Option<String>, Malformed> {
    match Message::parse(bytes)?.reply_to(SERIAL)? {
        Some(Reply::Return(body)) => body.word_and_details().map(|(word, _)| Some(word.into())),
        Some(Reply::Error { name, .. }) => Ok(Some(name.into())),
        None => Ok(None),
    }
}

#[test]
fn a_header_is_read_as_the_specification_says() {
    let (serial, kind) = (reply_serial(), signature_of_reply());
    let good = [serial.clone(), kind.clone()];
    let skip = Ok(Some("skip".to_owned()));
    assert_eq!(word_of(&reply(&good)), skip);
    let unknown = field(10, b'v', &[1, b's', 0, 0, 1, 0, 0, 0, b'x', 0]);
    assert_eq!(word_of(&reply(&[serial.clone(), unknown, kind.clone()])), skip);
    let strange_name = field(2, b's', &text("no interface"));
    assert_eq!(word_of(&reply(&[serial.clone(), strange_name, kind.clone()])), skip);
    for kind in [1, 4, 5, 255] {
        assert_eq!(word_of(&message(kind, &good, &body(&[]))), Ok(None), "{kind}");
    }
    let other = field(5, b'u', &8_u32.to_le_bytes());
    assert_eq!(word_of(&reply(&[other, kind.clone()])), Ok(None));

    let bad_fields = [
        vec![serial.clone(), kind.clone(), serial.clone()],
        vec![field(0, b's', &text("x")), serial.clone(), kind.clone()],
        vec![field(5, b's', &text("7")), kind.clone()],
        vec![field(5, b'u', &[0; 4]), kind.clone()],
        vec![serial.clone(), field(8, b'g', &signature("sa{sv"))],
        vec![serial.clone(), field(7, b's', &[1, 0, 0, 0, b'x', b'y']), kind.clone()],
        vec![serial.clone(), field(7, b's', &[1, 0, 0, 0, 0, 0]), kind.clone()],
        vec![serial.clone(), field(7, b's', &[1, 0, 0, 0, 0xff, 0]), kind.clone()],
        vec![serial.clone(), field(7, b's', &[255, 255, 255, 255, b'x', 0]), kind.clone()],
    ];
    for fields in bad_fields {
        assert_eq!(word_of(&reply(&fields)), Err(Malformed), "{fields:?}");
    }
    // Byte by byte: order, kind, version, serial, padding of the header.
    let good = reply(&good);
    let padding = crate::wire::lengths(good.first_chunk().unwrap()).unwrap().header - 1;
    for (place, byte) in [(0, b'x'), (1, 0), (3, 0), (3, 2), (8, 0), (padding, 1)] {
        let mut bad = good.clone();
        bad[place] = byte;
        assert_eq!(word_of(&bad), Err(Malformed), "byte {place}");
    }
}

#[test]
fn a_body_is_of_the_type_that_the_header_says() {
    for (kind, expected) in [("sa{sv}", true), ("sa{ss}", false), ("s", false), ("sa{sv}s", false)]
    {
        let bytes = reply(&[reply_serial(), field(8, b'g', &signature(kind))]);
        assert_eq!(word_of(&bytes).is_ok(), expected, "{kind}");
    }
    assert_eq!(word_of(&reply(&[reply_serial()])), Err(Malformed));
    let longer = [body(&[]), vec![0; 8]].concat();
    let fields = [reply_serial(), signature_of_reply()];
    assert_eq!(word_of(&message(2, &fields, &longer)), Err(Malformed));
}

#[test]
fn an_error_has_a_name_and_perhaps_a_sentence() {
    let (name, sentence) = (field(4, b's', &text("a.b")), field(8, b'g', &signature("s")));
    let read = |fields: &[Vec<u8>], body: &[u8]| {
        let bytes = message(3, fields, body);
        let parsed = Message::parse(&bytes)?.reply_to(SERIAL)?;
        let Some(Reply::Error { name, text }) = parsed else { panic!("no error") };
        Ok((name.to_owned(), text.to_owned()))
    };
    let both = [reply_serial(), name.clone(), sentence.clone()];
    assert_eq!(read(&both, &text("why")), Ok(("a.b".into(), "why".into())));
    assert_eq!(read(&[reply_serial(), name], &[]), Ok(("a.b".into(), String::new())));
    assert_eq!(read(&[reply_serial(), sentence], &text("why")), Err(Malformed));
    assert_eq!(read(&both, b"\x09\0\0\0why\0"), Err(Malformed));
}

#[test]
fn values_that_nobody_reads_are_checked_and_skipped() {
    let deep = |depth: usize| {
        let variants = "v".repeat(depth).bytes().flat_map(|_| signature("v")).collect::<Vec<_>>();
        entry("deep", "v", 1, &[variants, signature("y"), vec![7]].concat())
    };
    let array = |kind: &str, bytes: u32| entry("array", kind, 4, &bytes.to_le_bytes());
    for (skipped, is_good) in [
        (entry("byte", "y", 1, &[7]), true),
        (entry("flag", "b", 4, &[1, 0, 0, 0]), true),
        (entry("flag", "b", 4, &[2, 0, 0, 0]), false),
        (entry("path", "o", 4, &text("/")), true),
        (entry("type", "g", 1, &signature("a{sv}")), true),
        (entry("type", "g", 1, &signature("a")), false),
        (entry("two", "yy", 1, &[7, 7]), false),
        (entry("none", "", 1, &[]), false),
        (entry("descriptor", "h", 4, &[0; 4]), false),
        (array("as", 0), true),
        (array("as", 4), false),
        (array("ay", u32::MAX), false),
        (deep(59), true),
        (deep(100), false),
    ] {
        let last = entry("last", "s", 4, &text("x"));
        let fields = [reply_serial(), signature_of_reply()];
        let bytes = message(2, &fields, &body(&[skipped.clone(), last]));
        let message = Message::parse(&bytes).unwrap();
        let Ok(Some(Reply::Return(body))) = message.reply_to(SERIAL) else { panic!("no reply") };
        match body.word_and_details() {
            Ok((_, details)) => assert!(is_good && details.text("last") == Ok(Some("x"))),
            Err(Malformed) => assert!(!is_good, "{skipped:?}"),
        }
    }
}

#[test]
fn the_last_entry_of_a_key_counts() {
    let twice = [entry("a", "s", 4, &text("one")), entry("a", "u", 4, &[2, 0, 0, 0])];
    let bytes = message(2, &[reply_serial(), signature_of_reply()], &body(&twice));
    let message = Message::parse(&bytes).unwrap();
    let Ok(Some(Reply::Return(body))) = message.reply_to(SERIAL) else { panic!("no reply") };
    let (_, details) = body.word_and_details().unwrap();
    assert_eq!(details.value("a"), Some(Some(Value::Number(2))));
    assert!(details.text("a").is_err() && details.value("b").is_none());
}

#[test]
fn no_part_of_a_message_is_printed() {
    let token = entry("token", "s", 4, &text("JBSWY3DP"));
    let bytes = message(2, &[reply_serial(), signature_of_reply()], &body(&[token]));
    let message = Message::parse(&bytes).unwrap();
    let reply = message.reply_to(SERIAL).unwrap();
    let printed = format!("{message:?} {reply:?}");
    assert!(printed.contains("[redacted]"), "{printed}");
    let Some(Reply::Return(body)) = reply else { panic!("no reply") };
    let printed = printed + &format!("{:?}", body.word_and_details().unwrap());
    let secret = b"JBSWY3DP".map(|byte| byte.to_string()).join(", ");
    assert!(!printed.contains("JBSWY3DP") && !printed.contains(&secret), "{printed}");
}
