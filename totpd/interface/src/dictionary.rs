//! The one reader and the one writer of dictionaries `a{sv}`.

use std::fmt;

/// A value of a dictionary, of a type that the contract has. It may be a secret, so it is never
/// printed.
#[derive(Clone, Eq, PartialEq)]
pub enum Value<'a> {
    /// `ay`.
    Bytes(Vec<u8>),
    /// `b`.
    Flag(bool),
    /// `u`.
    Number(u32),
    /// `t`.
    Number64(u64),
    /// `s`.
    Text(&'a str),
    /// `as`.
    Texts(Vec<String>),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Value<'_> {
    /// Returns the bytes that the value counts as in a [`Budget`].
    pub(crate) fn weight(&self) -> usize {
        let text = match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(|text| text.len().max(MIN_VALUE_BYTES)).sum(),
            Self::Flag(_) | Self::Number(_) | Self::Number64(_) => MIN_VALUE_BYTES,
        };
        text.max(MIN_VALUE_BYTES)
    }
}

/// The part of a dictionary from a caller that the daemon reads: [`MAX_ENTRIES`] entries and
/// [`MAX_TEXT_BYTES`] bytes of text.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    entries: usize,
    text: usize,
}

impl Budget {
    /// Counts an entry with a value of that weight. Reports whether it is within the budget.
    pub(crate) fn admits(&mut self, key: &str, weight: usize) -> bool {
        self.entries += 1;
        self.text += key.len() + weight;
        self.entries <= MAX_ENTRIES && self.text <= MAX_TEXT_BYTES
    }

    /// Returns the number of entries that were counted.
    #[cfg(feature = "zbus")]
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }
}

/// The maximum number of entries of a dictionary. The longest context and the longest options have
/// half as many.
pub const MAX_ENTRIES: usize = 32;
/// The maximum number of bytes of text in a dictionary, with keys and values together.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The bytes that a value counts as at least, so that thousands of empty ones reach the limit too.
pub(crate) const MIN_VALUE_BYTES: usize = 8;

/// The written form of a typed part of the contract: distinct keys, and their values.
pub type Entries<'a> = Vec<(&'static str, Value<'a>)>;

/// Adds an entry if there is a text for it.
pub(crate) fn add_text<'a>(entries: &mut Entries<'a>, key: &'static str, text: Option<&'a str>) {
    if let Some(text) = text {
        entries.push((key, Value::Text(text)));
    }
}

/// The error of an entry that the contract does not have. Its text is `KEY must be WANTED`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidEntry {
    /// The key. An unknown key came from outside and must be escaped.
    pub key: String,
    /// The value that the contract wants, such as `a string`.
    pub wanted: String,
}

impl InvalidEntry {
    /// Returns the error for `key`.
    #[must_use]
    pub fn new(key: &str, wanted: &str) -> Self {
        Self { key: key.to_owned(), wanted: wanted.to_owned() }
    }
}

impl fmt::Display for InvalidEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.key, self.wanted)
    }
}

impl std::error::Error for InvalidEntry {}

/// A dictionary that can be read. An absent key reads as `None`. A value of another type is an
/// [`InvalidEntry`].
pub trait DictReader {
    /// Returns the keys, in any order.
    fn keys(&self) -> impl Iterator<Item = &str>;

    /// Returns the value under `key`, or `None` if there is no such key. Returns `Some(None)` if
    /// the contract does not have the type of the value.
    fn value(&self, key: &str) -> Option<Option<Value<'_>>>;

    /// Returns the first key that is not in `known`.
    fn unknown_key(&self, known: &[&str]) -> Option<&str> {
        self.keys().find(|key| !known.contains(key))
    }

    /// Reads a string.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn text(&self, key: &str) -> Result<Option<&str>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Text(text))) => Ok(Some(text)),
            Some(_) => Err(InvalidEntry::new(key, "a string")),
        }
    }

    /// Reads a list of strings.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Texts(texts))) => Ok(Some(texts)),
            Some(_) => Err(InvalidEntry::new(key, "a list of strings")),
        }
    }

    /// Reads an array of bytes.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Bytes(bytes))) => Ok(Some(bytes)),
            Some(_) => Err(InvalidEntry::new(key, "an array of bytes")),
        }
    }

    /// Reads a boolean.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn flag(&self, key: &str) -> Result<Option<bool>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Flag(flag))) => Ok(Some(flag)),
            Some(_) => Err(InvalidEntry::new(key, "a boolean")),
        }
    }

    /// Reads an unsigned 32-bit number.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn number(&self, key: &str) -> Result<Option<u32>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Number(number))) => Ok(Some(number)),
            Some(_) => Err(InvalidEntry::new(key, "an unsigned 32-bit number")),
        }
    }

    /// Reads an unsigned 64-bit number.
    ///
    /// # Errors
    /// [`InvalidEntry`] if the value has another type.
    fn number64(&self, key: &str) -> Result<Option<u64>, InvalidEntry> {
        match self.value(key) {
            None => Ok(None),
            Some(Some(Value::Number64(number))) => Ok(Some(number)),
            Some(_) => Err(InvalidEntry::new(key, "an unsigned 64-bit number")),
        }
    }
}

impl DictReader for Entries<'_> {
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| *key)
    }

    fn value(&self, key: &str) -> Option<Option<Value<'_>>> {
        let (_, value) = self.iter().find(|(name, _)| *name == key)?;
        Some(Some(value.clone()))
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
