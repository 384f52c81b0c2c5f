//! Plans the line that tells totpd of changed passwords (`totpctl enable --password`).

use pam_stack::add_listener;

use super::change::{Change, not_changed_error, read_service};
use super::files::read;
use crate::error::Error;

/// Plans the change after which `service` tells totpd of a changed password; none if it does.
///
/// # Errors
/// [`Error::Refused`] if its stack does not allow it.
pub(crate) fn plan(service: &str) -> Result<Vec<Change>, Error> {
    let file = read_service(service)?;
    let after =
        add_listener(service, &read).map_err(|refusal| not_changed_error(service, &refusal))?;
    Ok(after.map(|after| file.change_to(service, after)).into_iter().collect())
}
