//! The form in which entries cross a pipe: lines of JSON.
//!
//! Each line is one object with one member. A reader writes a line for each entry as it finds it,
//! and at last `end` or `refused`. A pipe that ends before is that of a reader that died.
//!
//! ```json
//! {"entry":{"place":{"line":1},"owner":"alice","label":"","issuer":"",
//!   "factor":{"kind":"totp","period":30,"algorithm":"SHA1","digits":6,
//!     "seed":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","last-accepted":58806667,"drift":-2,"ahead":1,
//!     "scratch-codes":["12345678"],"changes":[{"drift-kept":-2}]}}}
//! {"entry":{"place":{"entry":2},"owner":null,"label":"game","issuer":"Steam",
//!   "left":{"not-oath":"steam"}}}
//! {"end":{"entries":2}}
//! {"refused":"wrong-passphrase"}
//! ```
//!
//! (Broken here; an object has no line end inside.)
//! A member that is absent has no value. `kind` `hotp` has no `period`. The one who reads the lines
//! need not trust their writer: [`Line::parse`] refuses what no factor can have.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::reading::entry::Entry;
use crate::reading::refusal::Refusal;
use crate::reading::rules::Summary;

/// One line.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// An entry.
    Entry(Box<Entry>),
    /// The end. All entries were written.
    End(Summary),
    /// The file was refused. Entries before it do not count.
    Refused(Refusal),
}

impl Line {
    /// Returns the line as text, with its end.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        // Nothing of a line can fail to be written.
        let mut text = Zeroizing::new(serde_json::to_string(self).unwrap_or_default());
        text.push('\n');
        text
    }

    /// Reads a line, with or without its end. The length is at most [`MAX_LINE_BYTES`].
    ///
    /// # Errors
    /// [`NoLine`] if it is not of the form, or has what no factor can have.
    pub fn parse(text: &str) -> Result<Self, NoLine> {
        if text.len() > MAX_LINE_BYTES {
            return Err(NoLine);
        }
        serde_json::from_str(text.trim_end_matches('\n')).map_err(|_| NoLine)
    }
}

/// A text that is no [`Line`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a line of the reader is not of its form")]
pub struct NoLine;

/// The greatest number of bytes of a line.
pub const MAX_LINE_BYTES: usize = 64 << 10;

#[cfg(test)]
pub(crate) mod tests {
    use totpd_core::factor::Kind;
    use totpd_core::otp::Algorithm;
    use totpd_core::seed::Seed;

    use super::*;
    use crate::reading::change::Change;
    use crate::reading::entry::{Outcome, Place};
    use crate::reading::imported_factor::{ImportedFactor, ScratchCode};
    use crate::reading::reason::Reason;

    /// Returns a factor with a value in every field.
    pub(crate) fn factor() -> ImportedFactor {
        ImportedFactor {
            kind: Kind::Totp { period: 30 },
            algorithm: Algorithm::Sha1,
            digits: 6,
            seed: Seed::new(b"12345678901234567890".to_vec()).unwrap(),
            last_accepted: Some(58_806_667),
            drift: -2,
            ahead: 1,
            not_before: None,
            not_after: None,
            scratch_codes: vec![ScratchCode::parse("12345678").unwrap()],
            changes: vec![Change::DriftKept(-2)],
        }
    }

    fn entry(outcome: Outcome) -> Line {
        let owner = Some("alice".to_owned());
        let (label, issuer) = (String::new(), String::new());
        Line::Entry(Box::new(Entry { place: Place::Line(1), owner, label, issuer, outcome }))
    }

    #[test]
    fn an_entry_is_written_as_documented_and_read_again() {
        let line = entry(Outcome::Factor(Box::new(factor())));
        let text = line.text();
        assert_eq!(
            *text,
            "{\"entry\":{\"place\":{\"line\":1},\"owner\":\"alice\",\"label\":\"\",\"issuer\":\"\",\
             \"factor\":{\"kind\":\"totp\",\"period\":30,\"algorithm\":\"SHA1\",\"digits\":6,\
             \"seed\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\",\"last-accepted\":58806667,\"drift\":-2,\"ahead\":1,\
             \"scratch-codes\":[\"12345678\"],\"changes\":[{\"drift-kept\":-2}]}}}\n"
        );
        assert_eq!(Line::parse(&text).unwrap().text(), text);
        let mut token = ImportedFactor { kind: Kind::Hotp, not_before: Some(7), ..factor() };
        token.scratch_codes.clear();
        let text = entry(Outcome::Factor(Box::new(token))).text();
        assert!(!text.contains("period") && !text.contains("scratch"), "{}", *text);
        assert_eq!(Line::parse(&text).unwrap().text(), text);
    }

    #[test]
    fn every_other_line_is_read_again() {
        for line in [
            entry(Outcome::Left(Reason::NotOath("steam".to_owned()))),
            entry(Outcome::Left(Reason::Disabled)),
            Line::End(Summary { entries: 2, parts: Vec::new() }),
            Line::Refused(Refusal::WrongPassphrase),
        ] {
            let text = line.text();
            assert_eq!(Line::parse(&text).unwrap().text(), text);
        }
    }

    #[test]
    fn a_reader_that_lies_is_not_believed() {
        let good = entry(Outcome::Factor(Box::new(factor()))).text();
        assert!(Line::parse(&good).is_ok());
        for (from, to) in [
            ("\"digits\":6", "\"digits\":3"),
            ("\"digits\":6", "\"digits\":9"),
            ("\"period\":30", "\"period\":0"),
            ("\"period\":30", "\"period\":301"),
            ("\"period\":30,", ""),
            ("\"totp\"", "\"steam\""),
            ("\"SHA1\"", "\"MD5\""),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOI"),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJ1GEZDGNBVGY3TQOJQ"),
            ("12345678\"", "1234567\""),
            ("\"drift\":-2", "\"drift\":-40000"),
            ("\"drift\":-2", "\"drift\":-121"),
            ("58806667", "9223372036854775809"),
            ("{\"entry\"", "{\"entries\""),
            ("}}}", "}}"),
        ] {
            let changed = good.replacen(from, to, 1);
            assert_ne!(changed, *good);
            assert!(Line::parse(&changed).is_err(), "{changed}");
        }
        assert!(
            Line::parse(&format!("{{\"end\":{{\"entries\":{}1}}}}", " ".repeat(MAX_LINE_BYTES)))
                .is_err()
        );
    }
}
