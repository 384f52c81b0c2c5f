//! A user who changes its own factors shows that it has one.

use zeroize::Zeroizing;

use crate::client::{Client, details};
use crate::error::Error;
use crate::terminal::input::{self, user_or_caller};

/// A current code of the user, asked for where one is needed: for a change of one's own, of everybody but
/// root, where there is a factor.
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
