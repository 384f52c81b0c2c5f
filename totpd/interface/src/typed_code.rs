//! The form of a code, as people type it.

use crate::ranges::CODE_DIGITS;

/// Reports whether `text` has the form of a code: 6 to 8 ASCII digits. Spaces, no-break spaces and
/// hyphens may stand between them. The text may end in a carriage return or a tab.
///
/// totpd has the parser that decides, and a test compares the two.
#[must_use]
pub fn is_typed_code(text: &str) -> bool {
    let is_blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}');
    let text = text.trim_end_matches(|c| is_blank(c) || matches!(c, '\r' | '\t'));
    let (mut digits, mut last) = (0, '-');
    for c in text.chars().filter(|c| !is_blank(*c)) {
        match c {
            '0'..='9' => digits += 1,
            '-' if last != '-' => {}
            _ => return false,
        }
        last = c;
    }
    last != '-' && CODE_DIGITS.contains(&digits)
}
