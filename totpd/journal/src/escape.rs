//! The one escape of hostile text, such as names, items of PAM and answers of other programs. Such
//! text ends up in logs, prompts and terminals.

use std::borrow::Cow;

/// Reports whether `c` is unsafe to print. An unsafe character can forge a line, steer a terminal,
/// reorder the text around it, or stay unseen.
///
/// The unsafe characters are the control characters (C0, DEL, C1) and the line and paragraph
/// separators. The marks and overrides of the bidirectional algorithm are unsafe too. So are the
/// characters that Unicode draws as nothing (format characters and `Default_Ignorable_Code_Point`).
/// Variation selectors 1 to 16 pass, because they belong to the emoji that people type.
#[must_use]
pub fn is_unsafe_to_print(c: char) -> bool {
    c.is_control() || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Returns `text` with each character that is unsafe to print written as `\u{…}`. A second escape
/// changes nothing more.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    // Nearly all texts are such, and they need no look at each character.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let Some(start) = text.find(is_unsafe_to_print) else { return text.into() };
    let (clean, rest) = text.split_at(start);
    let mut output = String::with_capacity(text.len() * 2);
    output.push_str(clean);
    for c in rest.chars() {
        if is_unsafe_to_print(c) {
            output.extend(c.escape_unicode());
        } else {
            output.push(c);
        }
    }
    output.into()
}

/// Returns [`escape`] of the first `max_chars` characters of `text`. If there are more,
/// [`CUT_MARK`] follows them.
#[must_use]
pub fn escape_within(text: &str, max_chars: usize) -> Cow<'_, str> {
    // A character has one byte at least.
    if text.len() <= max_chars {
        return escape(text);
    }
    let Some((end, _)) = text.char_indices().nth(max_chars) else { return escape(text) };
    let (start, _) = text.split_at(end);
    (escape(start).into_owned() + CUT_MARK).into()
}

/// The maximum number of characters of a name in a log or a message.
pub const MAX_NAME_CHARS: usize = 256;
/// The mark at the place at which [`escape_within`] cut a text.
pub const CUT_MARK: &str = "...";

/// Characters that are drawn as nothing or change how others are drawn. Each range has its first
/// and last character.
const INVISIBLE: [(char, char); 18] = [
    // Soft hyphen.
    ('\u{00ad}', '\u{00ad}'),
    // Combining grapheme joiner.
    ('\u{034f}', '\u{034f}'),
    // Arabic letter mark (bidi), Syriac abbreviation mark.
    ('\u{061c}', '\u{061c}'),
    ('\u{070f}', '\u{070f}'),
    // Fillers of Hangul, undrawn vowels of Khmer, variation and vowel separators of Mongolian.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    // Spaces and joiners of no width, bidi marks.
    ('\u{200b}', '\u{200f}'),
    // Line and paragraph separators, bidi embeddings and overrides.
    ('\u{2028}', '\u{202e}'),
    // Word joiner, invisible operators, bidi isolates, deprecated format characters.
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    // Byte order mark.
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    // Interlinear annotations.
    ('\u{fff0}', '\u{fffb}'),
    // Format characters of hieroglyphs, shorthand and music.
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags, and the variation selectors from the 17th on.
    ('\u{e0000}', '\u{e0fff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every character of a range.
    fn range(first: char, last: char) -> impl Iterator<Item = char> {
        first..=last
    }

    #[test]
    fn every_kind_of_unsafe_character_is_escaped() {
        for (kind, characters) in [
            ("C0", range('\0', '\u{1f}')),
            ("DEL and C1", range('\u{7f}', '\u{9f}')),
            ("soft hyphen", range('\u{ad}', '\u{ad}')),
            ("Arabic letter mark", range('\u{61c}', '\u{61c}')),
            ("zero width", range('\u{200b}', '\u{200d}')),
            ("bidi marks", range('\u{200e}', '\u{200f}')),
            ("line and paragraph separator", range('\u{2028}', '\u{2029}')),
            ("bidi embeddings and overrides", range('\u{202a}', '\u{202e}')),
            ("word joiner and invisible operators", range('\u{2060}', '\u{2064}')),
            ("bidi isolates", range('\u{2066}', '\u{2069}')),
            ("deprecated format characters", range('\u{206a}', '\u{206f}')),
            ("Hangul fillers", range('\u{115f}', '\u{1160}')),
            ("Mongolian vowel separator", range('\u{180e}', '\u{180e}')),
            ("byte order mark", range('\u{feff}', '\u{feff}')),
            ("interlinear annotations", range('\u{fff9}', '\u{fffb}')),
            ("tags", range('\u{e0000}', '\u{e007f}')),
            ("variation selectors from the 17th on", range('\u{e0100}', '\u{e01ef}')),
        ] {
            for c in characters {
                assert!(is_unsafe_to_print(c), "{kind}: {c:?}");
                let expected = format!("a{}b", c.escape_unicode());
                assert_eq!(escape(&format!("a{c}b")), expected, "{kind}");
            }
        }
    }

    #[test]
    fn text_that_people_write_is_left_as_it_is() {
        for text in [
            "",
            "alice",
            "Älïçé",
            "пароль",
            "密碼",
            "अलिस",
            "שלום",
            "سلام",
            "e\u{301}",
            "❤\u{fe0f} 🔑",
            "\u{a0}\u{3000}",
            r"C:\x\u{a}",
        ] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn a_line_or_a_field_cannot_be_forged() {
        assert_eq!(escape("a\nPRIORITY=0\r\u{1b}[2J"), r"a\u{a}PRIORITY=0\u{d}\u{1b}[2J");
    }

    #[test]
    fn escaping_twice_changes_nothing_more() {
        for text in ["a\nb\u{202e}\u{e0041}", r"\u{a}", "plain"] {
            assert_eq!(escape(&escape(text)), escape(text));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_marked() {
        for (text, max_chars, expected) in [
            ("älice", 5, "älice"),
            ("älice", 4, "älic..."),
            ("ä€🔑x", 3, "ä€🔑..."),
            ("a\n\u{202e}b", 3, r"a\u{a}\u{202e}..."),
            ("a\nb", 3, r"a\u{a}b"),
            ("a", 0, "..."),
            ("", 0, ""),
        ] {
            assert_eq!(escape_within(text, max_chars), expected, "{text:?} {max_chars}");
        }
        let long = "é".repeat(1_000_000);
        assert_eq!(escape_within(&long, 256), "é".repeat(256) + CUT_MARK);
    }
}
