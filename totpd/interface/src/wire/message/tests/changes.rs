//! Messages of zbus with a few bytes changed: both readers read the same, or one refuses.

use proptest::sample::{Index, select};
use zbus::OwnedVariant;
use zbus::wire::serialized::{Context, Data};
use zbus::wire::to_bytes;

use super::*;

/// A change of one place of a message.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) enum Change {
    Set(Index, u8),
    Add(Index, i8),
    Insert(Index, u8, usize),
    Remove(Index, usize),
    Cut(Index),
}

/// Returns one to three changes, and whether the length of the body is corrected after them.
pub(in crate::wire) fn changes() -> impl Strategy<Value = (Vec<Change>, bool)> {
    let byte = || {
        prop_oneof![any::<u8>(), 0..9_u8, select(b"ybnqiuxtdsogavh(){}".to_vec()), 0xef..0xf5_u8]
    };
    let change = prop_oneof![
        6 => (any::<Index>(), byte()).prop_map(|(place, byte)| Change::Set(place, byte)),
        3 => (any::<Index>(), -8..9_i8).prop_map(|(place, more)| Change::Add(place, more)),
        2 => (any::<Index>(), byte(), 1..9_usize)
            .prop_map(|(place, byte, count)| Change::Insert(place, byte, count)),
        2 => (any::<Index>(), 1..9_usize).prop_map(|(place, count)| Change::Remove(place, count)),
        1 => any::<Index>().prop_map(Change::Cut),
    ];
    (vec(change, 1..4), prop::bool::weighted(0.8))
}

/// Returns the message with these changes.
pub(in crate::wire) fn changed(mut bytes: Vec<u8>, changes: &(Vec<Change>, bool)) -> Vec<u8> {
    for change in &changes.0 {
        if bytes.is_empty() {
            break;
        }
        match *change {
            Change::Set(place, byte) => *place.get_mut(&mut bytes) = byte,
            Change::Add(place, more) => {
                let byte = place.get_mut(&mut bytes);
                *byte = byte.wrapping_add_signed(more);
            }
            Change::Insert(place, byte, count) => {
                let place = place.index(bytes.len());
                bytes.splice(place..place, vec![byte; count]);
            }
            Change::Remove(place, count) => {
                let place = place.index(bytes.len());
                bytes.drain(place..bytes.len().min(place + count));
            }
            Change::Cut(place) => bytes.truncate(place.index(bytes.len())),
        }
    }
    let lengths = bytes.first_chunk().and_then(|start| lengths(start).ok());
    let body = lengths.and_then(|lengths| bytes.len().checked_sub(lengths.header));
    if let Some(body) = body.filter(|_| changes.1) {
        let number = if bytes[0] == b'B' { u32::to_be_bytes } else { u32::to_le_bytes };
        bytes[4..8].copy_from_slice(&number(body as u32));
    }
    bytes
}

/// Reports whether zbus writes the body of this message as it is, from what it read. D-Bus has one
/// form for each value. A body in another form is malformed, even if zbus reads it.
///
/// A structure has the form of an entry, and keeps the order of the entries.
pub(super) fn is_as_written(bytes: &[u8]) -> bool {
    let message = crate::message::Message::new(bytes.to_vec()).unwrap();
    let signature = message.header().unwrap().signature().to_string_no_parens();
    let header = lengths(bytes.first_chunk().unwrap()).unwrap().header;
    let context = Context::new(if bytes[0] == b'B' { BE } else { LE }, 0);
    let body = Data::new(bytes[header..].to_vec(), context);
    let again = match signature.as_str() {
        "s" => to_bytes(context, &body.deserialize::<String>().unwrap().0),
        "sa{sv}" => {
            type Reply = (String, Vec<(String, OwnedVariant)>);
            to_bytes(context, &body.deserialize::<Reply>().unwrap().0)
        }
        other => panic!("nobody reads the body of {other}"),
    };
    again.is_ok_and(|again| again.bytes() == body.bytes())
}

/// Reports whether both have the same header, but for the length of the body.
fn same_header(one: &[u8], other: &[u8]) -> bool {
    let header = lengths(one.first_chunk().unwrap()).unwrap().header;
    let same = |from: usize, to: usize| one.get(from..to) == other.get(from..to);
    same(0, 4) && same(8, header)
}

/// Reports whether one reader may take the message `changed` and the other refuse it.
///
/// In the header, zbus refuses a field of an unknown code, a kind of the future, and names that
/// nobody reads. The specification lets others skip them. libdbus, and this reader, refuse a field
/// that comes twice and padding that is not zero.
///
/// In the body, this reader takes nothing that zbus refuses. zbus does not look at the byte after a
/// string or a signature, which is zero, and takes a variant of several types for a structure.
fn may_differ(bytes: &[u8], changed: &[u8], is_taken: bool) -> bool {
    !same_header(bytes, changed) || (!is_taken && !is_as_written(changed))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn changed_messages_are_read_as_zbus_reads_them_or_refused(
        bytes in message(),
        changes in changes(),
    ) {
        let changed = changed(bytes.clone(), &changes);
        let (ours, zbus) = (seen(&changed), seen_by_zbus(&changed));
        let is_same = ours == zbus;
        let is_right = is_same
            || (ours.is_ok() != zbus.is_ok() && may_differ(&bytes, &changed, ours.is_ok()));
        prop_assert!(is_right, "{ours:?}\n{zbus:?}\n{bytes:?}\n{changed:?}");
    }
}

/// The length of the first text is one less than it was. Then its last byte stands where a text
/// ends in zero, and its zero is padding.
#[test]
fn a_text_that_ends_in_another_byte_than_zero_is_refused() {
    let texts = Variant::from(vec!["ab", ""]);
    for endian in [LE, BE] {
        let call = zbus::Message::method_call("/org/totpd/Totp1", "Begin").serial(SERIAL);
        let call = call.build(&()).unwrap();
        let details = Dictionary::from([("texts".into(), texts.try_to_owned().unwrap())]);
        let reply = zbus::Message::method_return(&call.header()).endian(endian);
        let reply = reply.build(&("skip", details)).unwrap();
        let mut bytes = reply.data().bytes().to_vec();
        assert!(seen(&bytes).is_ok() && is_as_written(&bytes));
        let text = bytes.windows(2).rposition(|two| two == b"ab").unwrap();
        let length = if endian == BE { text - 1 } else { text - 4 };
        assert_eq!(bytes[length], 2);
        bytes[length] = 1;
        assert_eq!(seen(&bytes), Err(Malformed));
        assert!(seen_by_zbus(&bytes).is_ok() && !is_as_written(&bytes));
    }
}
