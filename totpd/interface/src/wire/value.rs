//! Variants: the values of a dictionary, and those that nobody wants.

use crate::dictionary::{DictReader, Value};
use crate::wire::Malformed;
use crate::wire::reader::Reader;
use crate::wire::signature::{alignment, check, split_first};

/// The details of a reply or the context of a question, in the bytes of its message. If a key comes
/// twice, the last one counts.
#[derive(Debug)]
pub struct Details<'a>(Vec<(&'a str, Option<Value<'a>>)>);

impl<'a> Details<'a> {
    /// Reads a dictionary `a{sv}`.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let length = reader.length()?;
        reader.pad(8)?;
        let end = reader.place().checked_add(length).ok_or(Malformed)?;
        let mut entries = Vec::new();
        while reader.place() < end {
            reader.pad(8)?;
            entries.push((reader.text()?, variant(reader)?));
        }
        if reader.place() == end { Ok(Self(entries)) } else { Err(Malformed) }
    }

    /// Returns the keys, each with its value. `None`: it has a type that no login has.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Option<&Value<'a>>)> {
        self.0.iter().map(|(key, value)| (*key, value.as_ref()))
    }
}

impl DictReader for Details<'_> {
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| *key)
    }

    fn value(&self, key: &str) -> Option<Option<Value<'_>>> {
        let (_, value) = self.0.iter().rfind(|(name, _)| *name == key)?;
        Some(value.clone())
    }
}

/// Reads a variant. `None`: it has a type that no reply of a login has.
fn variant<'a>(reader: &mut Reader<'a>) -> Result<Option<Value<'a>>, Malformed> {
    let kind = kind_of_variant(reader)?;
    match kind {
        b"s" => reader.text().map(|text| Some(Value::Text(text))),
        b"b" => reader.flag().map(|flag| Some(Value::Flag(flag))),
        b"u" => reader.number().map(|number| Some(Value::Number(number))),
        b"t" => reader.number64().map(|number| Some(Value::Number64(number))),
        _ => skip(reader, kind, 3).map(|()| None),
    }
}

/// Skips a variant.
pub(super) fn skip_variant(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    skip(reader, b"v", 2)
}

/// Reads the one type of a variant.
fn kind_of_variant<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    match split_first(reader.signature()?.as_bytes())? {
        (kind, []) => Ok(kind),
        _ => Err(Malformed),
    }
}

/// Skips a value of a complete type that stands in `depth` containers.
fn skip(reader: &mut Reader<'_>, kind: &[u8], depth: u32) -> Result<(), Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed);
    }
    match kind {
        [b'b'] => reader.flag().map(drop),
        [b's' | b'o'] => reader.text().map(drop),
        [b'g'] => check(reader.signature()?.as_bytes()),
        [b'v'] => {
            let inner = kind_of_variant(reader)?;
            skip(reader, inner, depth + 1)
        }
        [b'a', element @ ..] => skip_array(reader, element, depth + 1),
        [b'(' | b'{', fields @ .., b')' | b'}'] => {
            reader.pad(8)?;
            let mut fields = fields;
            while !fields.is_empty() {
                let (field, rest) = split_first(fields)?;
                skip(reader, field, depth + 1)?;
                fields = rest;
            }
            Ok(())
        }
        // No descriptor comes with a message of a login.
        [b'h'] => Err(Malformed),
        number => {
            reader.pad(alignment(number))?;
            reader.take(alignment(number)).map(drop)
        }
    }
}

fn skip_array(reader: &mut Reader<'_>, element: &[u8], depth: u32) -> Result<(), Malformed> {
    let length = reader.length()?;
    reader.pad(alignment(element))?;
    let end = reader.place().checked_add(length).ok_or(Malformed)?;
    while reader.place() < end {
        skip(reader, element, depth)?;
    }
    if reader.place() == end { Ok(()) } else { Err(Malformed) }
}

/// The maximum number of containers around a value, variants included.
const MAX_DEPTH: u32 = 64;
