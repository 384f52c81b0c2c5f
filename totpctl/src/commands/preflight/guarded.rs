//! Refusals of a guard that would end logins.

use crate::error::Error;

/// Refuses a guard that ends the logins of clients with a key. `ends`: the finding that it does.
pub(super) fn check_guard(ends: Option<String>) -> Result<(), Error> {
    match ends {
        Some(finding) => Err(Error::refused(format!(
            "not changed: {finding}, and reload sshd; or use --even-so"
        ))),
        None => Ok(()),
    }
}

/// Refuses a guard of login that ends automatic logins, because these give no code. `logins`: each
/// as a phrase.
pub(super) fn check_automatic(logins: &[String]) -> Result<(), Error> {
    match logins {
        [] => Ok(()),
        _ => Err(Error::refused(format!(
            "not changed: the guard ends automatic logins at a terminal, unless a rule or nullok lets the user by: {}; \
             remove these, or use --even-so",
            logins.join(", ")
        ))),
    }
}
