//! The user who asks, as the bus or the kernel names the user.

use totpd_core::authorization::{Need, Operation, Relation, need};
use totpd_interface::Error;

use crate::host::nss::Lane;

/// The sender of a message, as the bus or the kernel vouches for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Caller {
    /// The uid of the process that opened the connection.
    pub(crate) uid: u32,
}

impl Caller {
    /// Reports whether the caller is root.
    #[must_use]
    pub(crate) fn is_root(self) -> bool {
        self.uid == 0
    }

    /// Returns the lane in which NSS is asked for the caller.
    #[must_use]
    pub(crate) fn lane(self) -> Lane {
        if self.is_root() { Lane::Root } else { Lane::Users }
    }

    /// Returns the relation of the caller to the account with this uid, or to one of no user.
    pub(crate) fn relation_to(self, account: Option<u32>) -> Relation {
        Relation::new(self.uid, account)
    }

    /// Checks that the caller may do `operation` for any account. Root alone may do that.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] if the caller may not.
    pub(crate) fn must_be_allowed(self, operation: Operation) -> Result<(), Error> {
        match need(operation, self.relation_to(None)) {
            Need::Nothing => Ok(()),
            _ => Err(Error::NotAuthorized("only root may do that".into())),
        }
    }
}
