//! The texts of seeds: hexadecimal digits or base32.
//!
//! One text can be both. All texts of one column are of one form, so the form is decided from all
//! of them.

use zeroize::Zeroizing;

use crate::import::{base32, hexadecimal};
use crate::reading::Reason;

/// What the texts of a column have in common.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Column {
    has_base32_letter: bool,
    has_hexadecimal_digit: bool,
}

impl Column {
    /// Looks at one more text.
    pub(crate) fn observe(&mut self, text: &str) {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let has_other = text.contains(['0', '1', '8', '9']);
        self.has_base32_letter |= !is_hexadecimal && !has_other;
        self.has_hexadecimal_digit |= is_hexadecimal && has_other;
    }

    /// Decodes a text of the column.
    pub(crate) fn decode(self, text: &str) -> Result<Zeroizing<Vec<u8>>, Reason> {
        match (self.has_hexadecimal_digit, self.has_base32_letter) {
            (true, false) => hexadecimal(text),
            (false, true) => base32(text),
            // Each for itself, by the rule for a single secret.
            _ => match hexadecimal::decode(text) {
                Some(decoded) => decoded.map_err(|error| Reason::SeedUnreadable(error.to_string())),
                None => base32(text),
            },
        }
    }
}

/// Decodes base32.
pub(crate) fn base32(text: &str) -> Result<Zeroizing<Vec<u8>>, Reason> {
    base32::decode(text).map_err(|error| Reason::SeedUnreadable(error.to_string()))
}

/// Decodes hexadecimal digits in either case.
pub(crate) fn hexadecimal(text: &str) -> Result<Zeroizing<Vec<u8>>, Reason> {
    if text.len() % 2 == 1 {
        let odd = crate::import::UnreadableSecret::OddHexadecimal(text.len());
        return Err(Reason::SeedUnreadable(odd.to_string()));
    }
    let decoded = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    decoded.map(Zeroizing::new).map_err(|_| {
        Reason::SeedUnreadable("it has a character that is no hexadecimal digit".to_owned())
    })
}

/// Decodes base64, with line ends and blanks in it.
pub(crate) fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    let decoded = data_encoding::BASE64.decode(compact.as_bytes());
    decoded.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Column {
        let mut column = Column::default();
        texts.iter().for_each(|text| column.observe(text));
        column
    }

    #[test]
    fn the_column_decides_what_a_text_alone_does_not() {
        // Hexadecimal digits that are base32 too, of a length that says nothing.
        let both = "ABCDEF234567ABCDEF234567";
        assert_eq!(column(&[both, "GEZDGNBV"]).decode(both).unwrap().len(), 15);
        assert_eq!(column(&[both, "00112233"]).decode(both).unwrap().len(), 12);
        assert_eq!(column(&[both]).decode(both).unwrap().len(), 15);
        let usual = "ABCDEF234567ABCDEF234567ABCDEF23";
        assert_eq!(column(&[usual]).decode(usual).unwrap().len(), 16);
        assert_eq!(column(&[usual, "GEZDGNBV"]).decode(usual).unwrap().len(), 20);
    }

    #[test]
    fn a_bad_text_is_named_and_decides_nothing() {
        let good = "3132333435363738393031323334353637383930";
        for (text, helps) in [("313", "odd number"), ("31zz", "no hexadecimal"), ("31ä", "no hex")]
        {
            let told = column(&[good, text]).decode(text).unwrap_err().to_string();
            assert!(told.contains(helps) && !told.contains(text), "{told}");
        }
    }
}
