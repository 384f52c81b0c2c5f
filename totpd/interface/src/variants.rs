//! Dictionaries in the types of zbus.

use std::collections::HashMap;

use zbus::{OwnedVariant, Variant};

use crate::dictionary::{DictReader, Entries, Value};

/// A dictionary `a{sv}`: a context, options, or details.
pub type Dictionary = HashMap<String, OwnedVariant>;

/// A dictionary under construction.
#[derive(Debug, Default)]
pub struct DictBuilder(Dictionary);

impl DictBuilder {
    /// Returns an empty dictionary.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. Leaves out a value that holds a file descriptor, because it cannot be owned.
    #[must_use]
    pub fn with<'v>(mut self, key: &str, value: impl Into<Variant<'v>>) -> Self {
        if let Ok(value) = value.into().try_into_owned() {
            self.0.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds a key if there is a value for it.
    #[must_use]
    pub fn with_some<'v>(self, key: &str, value: Option<impl Into<Variant<'v>>>) -> Self {
        match value {
            None => self,
            Some(value) => self.with(key, value),
        }
    }
}

impl From<DictBuilder> for Dictionary {
    fn from(builder: DictBuilder) -> Self {
        builder.0
    }
}

/// Writes the entries of a typed part of the contract.
#[must_use]
pub fn write(entries: Entries<'_>) -> Dictionary {
    let add = |builder: DictBuilder, (key, value)| builder.with(key, value);
    entries.into_iter().fold(DictBuilder::new(), add).into()
}

impl DictReader for Dictionary {
    fn keys(&self) -> impl Iterator<Item = &str> {
        HashMap::keys(self).map(String::as_str)
    }

    fn value(&self, key: &str) -> Option<Option<Value<'_>>> {
        self.get(key).map(read)
    }
}

fn read(value: &OwnedVariant) -> Option<Value<'_>> {
    let array = || value.try_clone().ok();
    value
        .downcast_ref::<&str>()
        .map(Value::Text)
        .or_else(|_| value.downcast_ref().map(Value::Flag))
        .or_else(|_| value.downcast_ref().map(Value::Number))
        .or_else(|_| value.downcast_ref().map(Value::Number64))
        .ok()
        .or_else(|| Vec::try_from(array()?).ok().map(Value::Texts))
        .or_else(|| Vec::try_from(array()?).ok().map(Value::Bytes))
}

impl<'a> From<Value<'a>> for Variant<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Bytes(bytes) => bytes.into(),
            Value::Flag(flag) => flag.into(),
            Value::Number(number) => number.into(),
            Value::Number64(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::Texts(texts) => texts.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<(&'static str, Value<'static>)> {
        vec![
            ("bytes", Value::Bytes(vec![7, 0, 255])),
            ("flag", Value::Flag(true)),
            ("number", Value::Number(u32::MAX)),
            ("number64", Value::Number64(u64::MAX)),
            ("text", Value::Text("Älïçé\n")),
            ("texts", Value::Texts(vec!["sshd".into(), String::new()])),
        ]
    }

    #[test]
    fn every_value_is_read_as_it_was_written() {
        let written = write(values());
        assert_eq!(written.len(), values().len());
        for (key, value) in values() {
            assert!(DictReader::value(&written, key) == Some(Some(value)), "{key}");
        }
        assert_eq!(written.text("text"), Ok(Some("Älïçé\n")));
        assert_eq!(written.flag("flag"), Ok(Some(true)));
        assert_eq!(written.number("number"), Ok(Some(u32::MAX)));
        assert_eq!(written.number64("number64"), Ok(Some(u64::MAX)));
        assert_eq!(written.bytes("bytes"), Ok(Some(vec![7, 0, 255])));
        assert_eq!(written.texts("texts"), Ok(Some(vec!["sshd".into(), String::new()])));
        assert_eq!(write(vec![("none", Value::Texts(vec![]))]).texts("none"), Ok(Some(vec![])));
    }

    #[test]
    fn a_value_of_another_type_is_refused_by_its_key() {
        let written = write(values());
        for (key, _) in values() {
            let readers = [
                ("text", written.text(key).map(drop)),
                ("texts", written.texts(key).map(drop)),
                ("bytes", written.bytes(key).map(drop)),
                ("flag", written.flag(key).map(drop)),
                ("number", written.number(key).map(drop)),
                ("number64", written.number64(key).map(drop)),
            ];
            for (reader, result) in readers {
                let error = result.err().map(|invalid| invalid.to_string());
                let starts = |text: &String| text.starts_with(&format!("{key} must be a"));
                assert_eq!(
                    error.is_some_and(|text| starts(&text)),
                    reader != key,
                    "{reader} {key}"
                );
            }
        }
        let other: Dictionary = DictBuilder::new().with("x", 1_i64).with("y", vec![1_u32]).into();
        assert!(other.number64("x").is_err() && other.bytes("y").is_err());
        assert!(other.text("z") == Ok(None) && other.flag("z") == Ok(None));
        assert_eq!(other.unknown_key(&["x"]), Some("y"));
        assert_eq!(other.unknown_key(&["x", "y", "z"]), None);
    }

    #[test]
    fn no_value_is_printed() {
        assert!(!format!("{:?}", Value::Text("secret")).contains("secret"));
    }
}
