//! The text for a person who adds a factor at a login.

use totpd_qr::Picture;

/// Returns the prompt, of at most 80 columns and 24 lines. Without UTF-8, or if the QR code would
/// not fit, the prompt shows the key alone.
///
/// The picture has the colors of the terminal, because a prompt cannot set them: the ssh client
/// prints escape sequences as text. A phone that cannot read it on a light ground gets the key.
pub(crate) fn screen(link: &str, key: &str, utf8: bool) -> String {
    let key = in_groups(key);
    let picture = Picture::new(link, QR_MARGIN).ok();
    let fitting = picture
        .filter(|picture| picture.width() <= MAX_COLUMNS && picture.width() <= 2 * MAX_QR_LINES);
    match fitting {
        Some(picture) if utf8 => {
            format!("{SCAN}\n{}Key: {key}\n{FIRST_CODE}", picture.half_blocks())
        }
        Some(_) => format!("{TYPE}\n\n  {key}\n\n{NO_QR_CODE}\n{FIRST_CODE}"),
        None => format!("{TYPE}\n\n  {key}\n\n{NO_ROOM}\n{FIRST_CODE}"),
    }
}

/// Returns the text after the new factor is verified. It has the recovery codes, two in a line, or
/// the way to get some.
pub(crate) fn after_enrollment(codes: &[String]) -> String {
    if codes.is_empty() {
        return NO_CODES.into();
    }
    let mut text = format!("{KEEP}\n\n");
    for pair in codes.chunks(2) {
        text.push_str(&format!("  {}\n", pair.join("   ")));
    }
    text
}

fn in_groups(key: &str) -> String {
    let groups: Vec<_> = key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// Returns `text` in lines of less than 60 columns.
pub(crate) fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 58 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

const SCAN: &str = "Scan this with the authenticator app, or type the key:";
const TYPE: &str = "Add this key to the authenticator app of your phone:";
const NO_QR_CODE: &str = "(No QR code: the locale of this machine is not UTF-8.)";
const NO_ROOM: &str = "(No QR code: it needs more than 80 columns and 24 lines.)";
const FIRST_CODE: &str = "Code that the app shows: ";
const KEEP: &str = "Keep these on paper. Each is good once, without the phone:";
const NO_CODES: &str = "Your second factor is set up. Run: totpctl recovery-codes";
/// The text if another process of the same login has completed the enrollment.
pub(crate) const IS_KEPT: &str = "Your second factor is set up.";
/// The text if the login ended too late, or another factor was verified first.
pub(crate) const NOT_KEPT: &str = "Your second factor was not set up. Log in once more.";
const MAX_COLUMNS: usize = 80;
/// The lines of a terminal, without the three of text.
const MAX_QR_LINES: usize = 21;
/// The margin of the code on a screen. Phones read a code with this margin (ISO/IEC 18004 asks for
/// four).
const QR_MARGIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::first_login::ENROLL_ELSEWHERE;

    const LINK: &str =
        "otpauth://totp/totp-test:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=totp-test";

    #[test]
    fn a_screen_has_80_columns_and_24_lines_at_most() {
        for (link, utf8, has_a_picture) in [
            (LINK, true, true),
            (LINK, false, false),
            (&*format!("{LINK}{}", "x".repeat(100)), true, false),
        ] {
            let text = screen(link, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", utf8);
            assert!(text.lines().count() <= 24, "{}", text.lines().count());
            assert!(text.lines().all(|line| line.chars().count() <= 80));
            assert_eq!(text.contains('█'), has_a_picture);
            assert_eq!(text.contains(NO_QR_CODE), !utf8, "it says why");
            assert_eq!(text.contains(NO_ROOM), utf8 && !has_a_picture, "it says why");
            assert!(text.contains("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"));
            assert!(text.is_ascii() != has_a_picture);
        }
    }

    #[test]
    fn every_text_is_on_the_page_of_messages_and_short() {
        let page = include_str!("../../../docs/reference/messages.md");
        for text in [
            SCAN,
            TYPE,
            NO_QR_CODE,
            NO_ROOM,
            FIRST_CODE,
            KEEP,
            NO_CODES,
            IS_KEPT,
            NOT_KEPT,
            ENROLL_ELSEWHERE,
        ] {
            assert!(page.contains(&format!("`{text}`")), "{text}");
            assert!(text.len() < 60, "{text}");
        }
    }

    #[test]
    fn long_reasons_are_wrapped() {
        let text = wrap("word ".repeat(40).trim_end());
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [54, 54, 54, 34]);
        assert_eq!(wrap(&"w".repeat(80)).len(), 80, "a word stays whole");
    }
}
