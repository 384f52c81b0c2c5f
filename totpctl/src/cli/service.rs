//! The name of a PAM service on the command line.

use std::convert::Infallible;

/// Returns the name as libpam reads it: in lower case.
pub(super) fn name(text: &str) -> Result<String, Infallible> {
    Ok(text.to_ascii_lowercase())
}
