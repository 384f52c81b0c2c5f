//! The bytes of a file as text, and back without a loss: libpam does not mind a comment that is not
//! UTF-8. Pure.

/// Returns bytes as text. A byte that is not UTF-8 becomes a character that stands for it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            // A file that has such a character keeps its bytes one by one.
            match is_stand_in(letter) {
                true => text.extend(letter.encode_utf8(&mut [0; 4]).bytes().map(stand_in)),
                false => text.push(letter),
            }
        }
        text.extend(chunk.invalid().iter().copied().map(stand_in));
    }
    text
}

/// Returns the bytes that a text stands for.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match u8::try_from(u32::from(letter).wrapping_sub(FIRST)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// Returns a text to show: what is not UTF-8 is replaced.
pub(crate) fn to_printable(text: &str) -> String {
    String::from_utf8_lossy(&bytes(text)).into_owned()
}

fn stand_in(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_stand_in(letter: char) -> bool {
    u8::try_from(u32::from(letter).wrapping_sub(FIRST)).is_ok()
}

/// The first of 256 characters for private use.
const FIRST: u32 = 0x0010_ff00;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let private = "\u{10ff00}a\u{10ffe9}\u{10feff}".as_bytes();
        let latin = b"# Schl\xfcssel\nauth required pam_unix.so\n";
        for sample in [&all[..], private, latin, b"", b"\xe2\x82"] {
            assert_eq!(bytes(&text(sample)), sample, "{sample:?}");
        }
        assert_eq!(to_printable(&text(latin)), "# Schl\u{fffd}ssel\nauth required pam_unix.so\n");
        assert_eq!(text("# ä\n".as_bytes()), "# ä\n");
    }
}
