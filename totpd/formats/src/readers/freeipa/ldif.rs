//! The records of LDIF (RFC 2849).

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::reading::Refusal;

/// A record: attributes with their values.
pub(super) struct Record {
    /// The number of its first line, from 1.
    pub(super) line: u64,
    attributes: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl Record {
    /// Returns the bytes of the first value of an attribute, whose name is in lower case.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice()).filter(|value| !value.is_empty())
    }

    /// Returns the first value of an attribute as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns all values of an attribute as texts.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let found = self.attributes.iter().filter(move |(known, _)| known == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// Returns the records of a text. A line that cannot be read refuses the file.
pub(super) fn records(text: &str) -> impl Iterator<Item = Result<Record, Refusal>> {
    let mut lines = (1..).zip(text.lines()).peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|(_, line)| is_between(line)).is_some() {}
        let (first, _) = *lines.peek()?;
        let mut record = Record { line: first, attributes: Vec::new() };
        while let Some((number, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            let mut whole = Zeroizing::new(line.to_owned());
            // A line continues in the next one if that one starts with a blank.
            while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with(' ')) {
                whole.push_str(more.get(1..).unwrap_or_default());
            }
            if whole.starts_with('#') {
                continue;
            }
            match attribute(&whole) {
                Some(attribute) if record.attributes.len() < MAX_ATTRIBUTES => {
                    record.attributes.push(attribute);
                }
                Some(_) => {
                    return Some(Err(Refusal::Syntax(format!("line {number} is one too many"))));
                }
                None => return Some(Err(Refusal::Syntax(format!("line {number} is no LDIF")))),
            }
        }
        Some(Ok(record))
    })
}

fn is_between(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#') || line.starts_with("version:")
}

fn attribute(line: &str) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (name, value) = line.split_once(':')?;
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let value = match value.strip_prefix(':') {
        Some(base64) => BASE64.decode(base64.trim().as_bytes()).ok()?,
        // A value in another file.
        None if value.starts_with('<') => return None,
        None => value.trim_start_matches(' ').as_bytes().to_vec(),
    };
    (!name.is_empty()).then(|| (name, Zeroizing::new(value)))
}

/// A token has some twenty.
const MAX_ATTRIBUTES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_divided_by_blank_lines() {
        let text =
            "version: 1\n\n# x\ndn: a\nKey;binary:: aGkg\n eW91\ntext: long\n er\n\n\r\ndn: b\r\n";
        let found: Vec<_> = records(text).map(Result::unwrap).collect();
        assert_eq!((found.len(), found[0].line, found[1].line), (2, 4, 11));
        assert_eq!(found[0].bytes("key"), Some(&b"hi you"[..]));
        assert_eq!(found[0].text("text").as_deref(), Some("longer"));
        assert_eq!(found[1].text("dn").as_deref(), Some("b"));
    }

    #[test]
    fn a_line_that_is_no_attribute_refuses_the_file() {
        for text in [
            "dn a",
            "dn: a\nkey:: !!!",
            "dn: a\nkey:< file:///etc/shadow",
            ": x",
            "dn: a\nkey:: YQ",
        ] {
            assert!(records(text).any(|record| record.is_err()), "{text}");
        }
    }
}
