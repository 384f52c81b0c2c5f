//! The current code that a user has to give before it changes its own factors.

use zeroize::Zeroizing;

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
    if details::flag(&state, "enrolled") {
        return input::code("Current code of your factor, or a recovery code: ");
    }
    Ok(Zeroizing::default())
}
