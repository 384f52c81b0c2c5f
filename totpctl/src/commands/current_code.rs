//! The current code that a user has to give before it changes its own factors.

use zeroize::Zeroizing;

use totpd_interface::is_typed_code;

use crate::client::{Client, details};
use crate::error::Error;
use crate::terminal::input::{self, user_or_caller};

/// Reads a current code, if the caller is this user, is not root, and has a factor. Returns an
/// empty text otherwise.
pub(super) fn current_code(client: &Client, user: &str) -> Result<Zeroizing<String>, Error> {
    if nix::unistd::geteuid().is_root() || user_or_caller(None)? != user {
        return Ok(Zeroizing::default());
    }
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    if !details::flag(&state, "enrolled") {
        return Ok(Zeroizing::default());
    }
    let code = input::code("Current code of your factor, or a recovery code: ")?;
    // polkit asks for the password only afterwards, so a password that is typed here is told first.
    match may_be_code(&code) {
        true => Ok(code),
        false => Err(Error::refused(NO_CODE)),
    }
}

/// Reports whether a text has the form of a code or a recovery code.
fn may_be_code(text: &str) -> bool {
    let bare = || text.chars().filter(|c| !matches!(c, ' ' | '-'));
    let is_recovery_code =
        bare().all(|c| c.is_ascii_alphanumeric()) && bare().count() == RECOVERY_CODE_LENGTH;
    is_typed_code(text) || is_recovery_code
}

const NO_CODE: &str =
    "that is no code; type the 6 to 8 digits that your app shows, or a recovery code";
/// The letters and digits of a recovery code.
const RECOVERY_CODE_LENGTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_code() {
        for (text, expected) in [
            ("123456", true),
            ("123 456", true),
            ("12345678", true),
            ("123-456\t", true),
            ("7f3k-9m2p-qr5t-x8wz", true),
            ("7f3k9m2pqr5tx8wz", true),
            ("bobpw", false),
            ("12345", false),
            ("", false),
        ] {
            assert_eq!(may_be_code(text), expected, "{text}");
        }
    }
}
