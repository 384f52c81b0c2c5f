//! Bytes as one value of serde. A list of bytes is written alike, but handled byte by byte.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, T: From<Vec<u8>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_byte_buf(BytesVisitor).map(T::from)
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use postcard::{from_bytes, to_stdvec};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
    struct Value(#[serde(with = "super")] Vec<u8>);

    #[test]
    fn bytes_are_written_as_a_list_of_bytes() {
        for length in [0, 1, 127, 128, 20_000] {
            let list = vec![7; length];
            let written = to_stdvec(&Value(list.clone())).unwrap();
            assert_eq!(written, to_stdvec(&list).unwrap(), "{length}");
            assert_eq!(from_bytes(&written), Ok(Value(list)));
            for cut in 0..written.len().min(9) {
                assert!(from_bytes::<Value>(&written[..cut]).is_err(), "{length} {cut}");
            }
        }
    }
}
