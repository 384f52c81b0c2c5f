//! Values of JSON that another program wrote as a number one time and as text another.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::reading::Refusal;

/// A number, a text or nothing, as text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Loose(pub(crate) Option<String>);

impl Loose {
    /// Returns the text, if there is more than blanks.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Returns a copy of the text.
    pub(crate) fn owned(&self) -> Option<String> {
        self.text().map(ToOwned::to_owned)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl Visitor<'_> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text or null")
    }

    fn visit_unit<E: Error>(self) -> Result<Loose, E> {
        Ok(Loose(None))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_owned())))
    }
}

/// A list of at most [`MAX_ITEMS`] items. A hostile file has millions of empty ones.
pub(crate) struct Bounded<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor(PhantomData))
    }
}

struct BoundedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BoundedVisitor<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX_ITEMS} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounded<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == MAX_ITEMS {
                return Err(A::Error::invalid_length(MAX_ITEMS + 1, &self));
            }
            items.push(item);
        }
        Ok(Bounded(items))
    }
}

/// Returns the refusal of an error. Its text has the place, and may quote the file, which has
/// secrets; so only the place is kept.
pub(crate) fn refusal(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Data => "the JSON has something else",
        _ => "it is no JSON",
    };
    Refusal::Syntax(format!("{what} at line {line}, column {column}"))
}

/// More than an app or a server has in a file of the greatest size.
pub(crate) const MAX_ITEMS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_in_either_form() {
        for (json, expected) in [
            ("6", Some("6")),
            ("\" 6 \"", Some("6")),
            ("-6", Some("-6")),
            ("1.5", Some("1.5")),
            ("true", Some("true")),
            ("null", None),
            ("\"\"", None),
        ] {
            let loose: Loose = serde_json::from_str(json).unwrap();
            assert_eq!(loose.text(), expected, "{json}");
        }
        assert!(serde_json::from_str::<Loose>("[1]").is_err());
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let list = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!(
            serde_json::from_str::<Bounded<u8>>(&list(MAX_ITEMS)).unwrap().0.len(),
            MAX_ITEMS
        );
        assert!(serde_json::from_str::<Bounded<u8>>(&list(MAX_ITEMS + 1)).is_err());
    }

    #[test]
    fn a_refusal_tells_no_secret() {
        let error = serde_json::from_str::<u8>("\"JBSWY3DPEHPK3PXP\"").unwrap_err();
        assert!(!refusal(&error).to_string().contains("JBSW"));
    }
}
