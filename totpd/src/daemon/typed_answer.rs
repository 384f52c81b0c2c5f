//! The text that a person typed, by its form alone.

use totpd_core::code::Code;
use totpd_interface::is_sshd_fake_password;

/// The form of a typed text.
#[derive(Debug)]
pub(crate) enum TypedAnswer {
    /// The text that sshd sends in place of the answer of a user that it blocks.
    BlockedBySshd,
    /// A code of a factor.
    Code(Code),
    /// Anything else, also a recovery code.
    Other,
}

impl TypedAnswer {
    /// Tells the form of `text`.
    pub(crate) fn parse(text: &str) -> Self {
        match Code::parse(text) {
            Some(code) => Self::Code(code),
            None if is_sshd_fake_password(text.as_bytes()) => Self::BlockedBySshd,
            None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_code_or_that_of_sshd_or_neither() {
        for (text, expected) in [
            ("123 456", "Code([redacted])"),
            ("\u{8}\n\r\u{7f}INCORRECT", "BlockedBySshd"),
            ("\u{8}\n\r\u{7f}IN", "BlockedBySshd"),
            ("0000-0000-0000-0000", "Other"),
            ("", "Other"),
        ] {
            assert_eq!(format!("{:?}", TypedAnswer::parse(text)), expected, "{text:?}");
        }
    }
}
