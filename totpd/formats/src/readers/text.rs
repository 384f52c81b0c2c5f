//! The text of a file, whatever its encoding and its line ends.

use zeroize::Zeroizing;

use crate::reading::Refusal;

/// Text, borrowed from the file or decoded from UTF-16.
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Decoded(Zeroizing<String>),
}

impl Text<'_> {
    /// Returns the text without byte order mark.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Decoded(text) => text,
        }
    }
}

/// Returns the text of a file: UTF-8, with or without byte order mark, or UTF-16 with one.
pub(crate) fn decode(bytes: &[u8]) -> Result<Text<'_>, Refusal> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Text::Decoded(utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Text::Decoded(utf16(rest, u16::from_be_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Text::Borrowed(utf8(rest)?),
        _ => Text::Borrowed(utf8(bytes)?),
    };
    if text.as_str().contains('\0') {
        return Err(Refusal::Nul);
    }
    if text.as_str().trim().is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(text)
}

/// Returns the lines of a text with their numbers, from 1, and whether each has an end.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (u64, &str, bool)> {
    (1..).zip(text.split_inclusive('\n')).map(|(number, line)| {
        let ended = line.strip_suffix('\n');
        let content = ended.unwrap_or(line);
        (number, content.strip_suffix('\r').unwrap_or(content), ended.is_some())
    })
}

/// Checks that no line is longer than [`MAX_LINE_BYTES`]. What is copied of a line is bounded then.
pub(crate) fn check_lines(text: &str) -> Result<(), Refusal> {
    match lines(text).find(|(_, line, _)| line.len() > MAX_LINE_BYTES) {
        Some((number, ..)) => {
            Err(Refusal::Syntax(format!("line {number} is longer than {MAX_LINE_BYTES} bytes")))
        }
        None => Ok(()),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| {
        // UTF-16 without a mark is full of NUL.
        if bytes.contains(&0) { Refusal::Nul } else { Refusal::NotText }
    })
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, Refusal> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    // A buffer that grows would leave copies behind.
    let mut decoded = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(3) / 2));
    for c in text {
        decoded.push(c.map_err(|_| Refusal::NotText)?);
    }
    if rest.is_empty() { Ok(decoded) } else { Err(Refusal::NotText) }
}

const MAX_LINE_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_with_a_mark_is_read() {
        let units = "ä€𝄞\r\n".encode_utf16();
        let le = units.clone().flat_map(u16::to_le_bytes);
        let be = units.flat_map(u16::to_be_bytes);
        for bytes in [
            "ä€𝄞\r\n".as_bytes().to_vec(),
            [&b"\xef\xbb\xbf"[..], "ä€𝄞\r\n".as_bytes()].concat(),
            [0xff, 0xfe].into_iter().chain(le).collect(),
            [0xfe, 0xff].into_iter().chain(be).collect(),
        ] {
            assert_eq!(decode(&bytes).unwrap().as_str(), "ä€𝄞\r\n");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (bytes, expected) in [
            (&b"a\0b"[..], Refusal::Nul),
            (b"a\0\xe4\0", Refusal::Nul),
            (b"\xe4bc", Refusal::NotText),
            (b"\xff\xfea", Refusal::NotText),
            (b"\xff\xfe\x00\xd8a\0", Refusal::NotText),
            (b"\xff\xfe\0\0", Refusal::Nul),
            (b"\xef\xbb\xbf \r\n", Refusal::Empty),
        ] {
            assert_eq!(decode(bytes).err(), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn a_line_says_whether_it_ends() {
        let found: Vec<_> = lines("a\r\n\nb").collect();
        assert_eq!(found, [(1, "a", true), (2, "", true), (3, "b", false)]);
        let long = "x".repeat(MAX_LINE_BYTES);
        assert_eq!(check_lines(&format!("a\n{long}\r\n")), Ok(()));
        assert!(check_lines(&format!("a\n{long}x")).is_err());
    }
}
