//! Password and code, typed as one answer (`forward_pass`).

/// Splits an answer before the code at its end. The code has this number of digits, or is a
/// recovery code. Returns nothing if no code is at its end.
///
/// A code may be typed as the app shows it: with a blank, a no-break space or a hyphen between
/// digits. At most one reading of an answer has a code, apart from a password that itself ends like
/// the first groups of a recovery code. A recovery code without its dashes could be the end of any
/// password, and part of one would be sent to the daemon.
pub(super) fn split(answer: &[u8], digits: usize) -> Option<(&[u8], &[u8])> {
    let typed = without_end(answer);
    let start =
        whole(typed, digits).or_else(|| recovery(typed)).or_else(|| in_groups(typed, digits))?;
    answer.split_at_checked(start)
}

/// Reports whether `text` is four groups of four letters and digits, with one of `separators`
/// between them.
pub(super) fn is_recovery_code(text: &[u8], separators: &[u8]) -> bool {
    text.len() == RECOVERY_CODE_BYTES
        && text.iter().enumerate().all(|(at, byte)| match at % 5 {
            4 => separators.contains(byte),
            _ => byte.is_ascii_alphanumeric(),
        })
}

/// Returns where the code begins, if the last characters are digits.
fn whole(typed: &[u8], digits: usize) -> Option<usize> {
    let start = typed.len().checked_sub(digits)?;
    typed.get(start..)?.iter().all(u8::is_ascii_digit).then_some(start)
}

/// Returns where the code begins, if it is a recovery code.
fn recovery(typed: &[u8]) -> Option<usize> {
    let start = typed.len().checked_sub(RECOVERY_CODE_BYTES)?;
    is_recovery_code(typed.get(start..)?, b"- ").then_some(start)
}

/// Returns where the code begins, if single separators stand between its digits.
fn in_groups(typed: &[u8], digits: usize) -> Option<usize> {
    let mut rest = typed;
    for count in 0..digits {
        if count > 0 {
            rest = SEPARATORS.iter().find_map(|text| rest.strip_suffix(*text)).unwrap_or(rest);
        }
        let (last, before) = rest.split_last()?;
        if !last.is_ascii_digit() {
            return None;
        }
        rest = before;
    }
    Some(rest.len())
}

/// Returns an answer without what a pasted code may end in.
fn without_end(answer: &[u8]) -> &[u8] {
    let ends = [b"\r".as_slice(), b"\t", b" ", NO_BREAK_SPACE, NARROW_NO_BREAK_SPACE];
    let mut rest = answer;
    while let Some(before) = ends.iter().find_map(|text| rest.strip_suffix(*text)) {
        rest = before;
    }
    rest
}

const SEPARATORS: [&[u8]; 4] = [b" ", b"-", NO_BREAK_SPACE, NARROW_NO_BREAK_SPACE];
/// U+00A0 in UTF-8.
const NO_BREAK_SPACE: &[u8] = b"\xc2\xa0";
/// U+202F in UTF-8.
const NARROW_NO_BREAK_SPACE: &[u8] = b"\xe2\x80\xaf";
/// Bytes of a recovery code as it is printed.
const RECOVERY_CODE_BYTES: usize = 19;

#[cfg(test)]
mod tests {
    use totpd_interface::is_typed_code;

    use super::*;

    #[test]
    fn the_code_is_what_a_code_alone_may_be() {
        for (answer, password, code) in [
            ("secret123456", "secret", "123456"),
            ("secret123 456", "secret", "123 456"),
            ("secret 123 456", "secret ", "123 456"),
            ("secret123-456", "secret", "123-456"),
            ("secret12-34 56", "secret", "12-34 56"),
            ("secret123\u{a0}456", "secret", "123\u{a0}456"),
            ("secret123\u{202f}456", "secret", "123\u{202f}456"),
            ("secret123456\r", "secret", "123456\r"),
            ("secret123 456 \t", "secret", "123 456 \t"),
            // The last digits are the code, whatever stands before them.
            ("hunter-2 123456", "hunter-2 ", "123456"),
            ("1-2 123 456", "1-2 ", "123 456"),
            ("12 3 123456", "12 3 ", "123456"),
        ] {
            let found = split(answer.as_bytes(), 6);
            assert_eq!(found, Some((password.as_bytes(), code.as_bytes())), "{answer:?}");
            assert!(is_typed_code(code), "{code:?}");
        }
        let found = split(b"secret1234 5678", 8);
        assert_eq!(found, Some((b"secret".as_slice(), b"1234 5678".as_slice())));
        for code in [
            "0123-4567-89AB-CDEF",
            "abcd-efgh-1234-5678",
            "0123 4567 89AB CDEF",
            "0123-4567-89AB-CDEF\r",
        ] {
            let answer = format!("secret{code}");
            let found = split(answer.as_bytes(), 6);
            assert_eq!(found, Some((b"secret".as_slice(), code.as_bytes())), "{code:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_split() {
        for answer in [
            "",
            "secret",
            "12345",
            "secret12 345",
            "secret123--456",
            "secret123- 456",
            "secret123.456",
            "secret123456x",
            "secret0123456789ABCDEF",
            "secret0123-4567-89AB_CDEF",
            "secret123\t456",
        ] {
            assert_eq!(split(answer.as_bytes(), 6), None, "{answer:?}");
        }
        assert_eq!(
            split(b"\xff\xa0123456", 6),
            Some((b"\xff\xa0".as_slice(), b"123456".as_slice()))
        );
    }
}
