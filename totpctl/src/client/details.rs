//! Dictionaries of the bus: written from values, read as JSON.

use serde_json::{Map, Value};
use totpd_interface::DictBuilder;
use totpd_interface::Dictionary;
use totpd_journal::escape::escape;
use zbus::Variant;

/// Returns the dictionary of the entries that have a value.
pub(crate) fn dictionary<'v>(
    entries: impl IntoIterator<Item = (&'static str, Option<Variant<'v>>)>,
) -> Dictionary {
    let add = |builder: DictBuilder, (key, value)| builder.with_some(key, value);
    entries.into_iter().fold(DictBuilder::new(), add).into()
}

/// Returns a dictionary as a JSON object, with its keys in order.
pub(crate) fn object(dictionary: &Dictionary) -> Map<String, Value> {
    let mut keys: Vec<_> = dictionary.iter().collect();
    keys.sort_by_key(|(key, _)| *key);
    keys.into_iter().map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// Returns the text under `key` as a terminal may have it; empty if there is none.
pub(crate) fn escape_text(dictionary: &Map<String, Value>, key: &str) -> String {
    escape(&text(dictionary, key)).into_owned()
}

/// Returns the text under `key`; empty if there is none.
pub(crate) fn text(dictionary: &Map<String, Value>, key: &str) -> String {
    dictionary.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the number under `key`.
pub(crate) fn number(dictionary: &Map<String, Value>, key: &str) -> Option<u64> {
    dictionary.get(key).and_then(Value::as_u64)
}

/// Reports whether `key` is true.
pub(crate) fn flag(dictionary: &Map<String, Value>, key: &str) -> bool {
    dictionary.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Returns the texts in the list under `key`.
pub(crate) fn texts(dictionary: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = dictionary.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// Returns the objects in the list under `key`.
pub(crate) fn objects<'a>(
    dictionary: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    let list = dictionary.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

fn plain(value: &Variant<'_>) -> Value {
    match value {
        Variant::Bool(value) => (*value).into(),
        Variant::U8(value) => (*value).into(),
        Variant::U16(value) => (*value).into(),
        Variant::U32(value) => (*value).into(),
        Variant::U64(value) => (*value).into(),
        Variant::I16(value) => (*value).into(),
        Variant::I32(value) => (*value).into(),
        Variant::I64(value) => (*value).into(),
        Variant::F64(value) => (*value).into(),
        Variant::Str(value) => value.as_str().into(),
        Variant::Variant(inner) => plain(inner),
        Variant::Array(items) => items.iter().map(plain).collect(),
        Variant::Dict(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| (plain(key).as_str().unwrap_or_default().to_owned(), value))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries
                .into_iter()
                .map(|(key, value)| (key, plain(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_dictionary_becomes_json() {
        let inner = HashMap::from([("factor".to_owned(), Variant::from("f-aaaaaaaa"))]);
        let state: Dictionary = [
            ("uid", Variant::from(1000_u32)),
            ("enrolled", true.into()),
            ("factors", vec![inner].into()),
            ("user", "alice".into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.try_into_owned().unwrap()))
        .collect();
        let object = object(&state);
        let expected =
            r#"{"enrolled":true,"factors":[{"factor":"f-aaaaaaaa"}],"uid":1000,"user":"alice"}"#;
        assert_eq!(Value::from(object.clone()).to_string(), expected);
        assert_eq!(text(&object, "user"), "alice");
        assert_eq!(number(&object, "uid"), Some(1000));
        assert!(flag(&object, "enrolled") && !flag(&object, "locked"));
        assert_eq!(text(objects(&object, "factors").next().unwrap(), "factor"), "f-aaaaaaaa");
    }
}
