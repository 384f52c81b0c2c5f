//! A dictionary from a caller, with limits on the part of it that the daemon reads.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use zbus::wire::Signature;
use zbus::{OwnedVariant, Type, Variant};

use crate::dictionary::{Budget, MAX_ENTRIES, MAX_TEXT_BYTES, MIN_VALUE_BYTES};
use crate::variants::Dictionary;

/// A dictionary `a{sv}` of at most [`MAX_ENTRIES`] entries and [`MAX_TEXT_BYTES`] bytes of text.
/// Decoding stops at a limit.
#[derive(Debug, Default)]
pub struct Arguments(pub Dictionary);

impl Type for Arguments {
    const SIGNATURE: &'static Signature = Dictionary::SIGNATURE;
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Arguments;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {MAX_ENTRIES} entries and {MAX_TEXT_BYTES} bytes of text")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arguments, A::Error> {
        let (mut dictionary, mut budget) = (Dictionary::new(), Budget::default());
        while let Some((key, value)) = map.next_entry::<String, OwnedVariant>()? {
            if !budget.admits(&key, weight(&value)) {
                return Err(A::Error::invalid_length(budget.entries(), &self));
            }
            dictionary.insert(key, value);
        }
        Ok(Arguments(dictionary))
    }
}

/// Returns the bytes of text in a value. Other values and empty ones count as eight bytes, so that
/// thousands of them reach the limit too.
fn weight(value: &Variant<'_>) -> usize {
    let text = match value {
        Variant::U8(_) => return 1,
        Variant::Str(text) => text.len(),
        Variant::ObjectPath(path) => path.len(),
        Variant::Array(values) => values.iter().map(weight).sum(),
        Variant::Variant(value) => MIN_VALUE_BYTES + weight(value),
        Variant::Structure(fields) => fields.fields().iter().map(weight).sum(),
        Variant::Dict(entries) => {
            entries.iter().map(|(key, value)| weight(key) + weight(value)).sum()
        }
        _ => MIN_VALUE_BYTES,
    };
    text.max(MIN_VALUE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::Value;
    use crate::message::Message;
    use crate::wire::Malformed;

    fn sent(dictionary: &Dictionary) -> Result<Dictionary, Malformed> {
        let call = zbus::Message::method_call("/org/totpd/Totp1", "Begin");
        let message = call.build(&("alice", dictionary)).unwrap();
        let received = Message::new(message.data().bytes().to_vec()).unwrap();
        received.body::<(String, Arguments)>().map(|(_, Arguments(read))| read)
    }

    #[test]
    fn a_value_weighs_the_same_with_and_without_zbus() {
        for (with, without) in [
            (Variant::from("short"), Value::Text("short")),
            (Variant::from("longer text"), Value::Text("longer text")),
            (Variant::from(vec![7_u8; 20]), Value::Bytes(vec![7; 20])),
            (
                Variant::from(vec!["short", "longer text"]),
                Value::Texts(vec!["short".into(), "longer text".into()]),
            ),
            (Variant::from(true), Value::Flag(true)),
            (Variant::from(7_u32), Value::Number(7)),
            (Variant::from(7_u64), Value::Number64(7)),
        ] {
            assert_eq!(weight(&with), without.weight(), "{with:?}");
        }
    }

    fn with(entries: usize, value: &Variant<'_>) -> Dictionary {
        let value = || value.try_to_owned().unwrap();
        (0..entries).map(|number| (format!("k{number:03}"), value())).collect()
    }

    #[test]
    fn dictionaries_of_modules_and_managers_are_read_unchanged() {
        let mut options = with(20, &Variant::from("a value of some length"));
        options.insert("secret".into(), Variant::from(vec![7_u8; 64]).try_into_owned().unwrap());
        options.insert("services".into(), Variant::from(vec!["sshd"; 8]).try_into_owned().unwrap());
        assert_eq!(sent(&options).unwrap(), options);
        assert_eq!(sent(&Dictionary::new()).unwrap(), Dictionary::new());
    }

    #[test]
    fn at_most_thirty_two_entries_are_read() {
        assert_eq!(sent(&with(32, &Variant::from(true))).unwrap().len(), 32);
        assert_eq!(sent(&with(33, &Variant::from(true))), Err(Malformed));
    }

    #[test]
    fn at_most_four_kib_of_text_are_read() {
        let text = |length: usize| with(1, &Variant::from("x".repeat(length).as_str()));
        assert!(sent(&text(MAX_TEXT_BYTES - 4)).is_ok());
        assert_eq!(sent(&text(MAX_TEXT_BYTES - 3)), Err(Malformed));
        let many: Vec<Variant<'_>> = (0..600).map(|_| Variant::from(1_u8)).collect();
        assert_eq!(sent(&with(1, &Variant::from(many))), Err(Malformed), "nested values count");
        for nothing in [Variant::from(""), Variant::from(Vec::<String>::new())] {
            let thousands = vec![nothing; 1000];
            assert_eq!(
                sent(&with(1, &Variant::from(thousands))),
                Err(Malformed),
                "so does nothing"
            );
        }
    }
}
