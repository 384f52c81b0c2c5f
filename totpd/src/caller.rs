//! Who asks, by the word of the bus, and what they may.

use totpd_interface::Error;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;

/// Whoever sent a message, as the bus vouches for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The uid of the process that opened the connection.
    pub uid: u32,
}

impl Caller {
    /// Asks the bus (`GetConnectionCredentials`) who sent the message with this header.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] if the bus does not know, as when the sender has gone.
    pub async fn of(header: &Header<'_>, connection: &Connection) -> Result<Self, Error> {
        let unknown = || Error::NotAuthorized("the bus does not say who you are".into());
        let sender = header.sender().ok_or_else(unknown)?.to_owned();
        let bus = DBusProxy::new(connection).await.map_err(|_| unknown())?;
        let credentials =
            bus.get_connection_credentials(sender.into()).await.map_err(|_| unknown())?;
        credentials.unix_user_id().map(|uid| Self { uid }).ok_or_else(unknown)
    }

    /// Whether this is root, which may everything.
    #[must_use]
    pub fn is_root(self) -> bool {
        self.uid == 0
    }

    /// Whether this caller may act for `target`, the uid of a user (nothing: no such user): root
    /// for everybody, everybody else for itself.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words whoever the target is, or whether it is.
    pub fn may_act_for(self, target: Option<u32>) -> Result<(), Error> {
        if self.is_root() || target == Some(self.uid) {
            return Ok(());
        }
        Err(Error::NotAuthorized("only root may do that for another user".into()))
    }

    /// Whether this is root.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] if not.
    pub fn must_be_root(self) -> Result<(), Error> {
        if self.is_root() {
            return Ok(());
        }
        Err(Error::NotAuthorized("only root may do that".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_may_act_for_all_and_a_user_for_itself() {
        for (caller, target, may) in [
            (0, Some(0), true),
            (0, Some(1000), true),
            (0, None, true),
            (1000, Some(1000), true),
            (1000, Some(0), false),
            (1000, Some(1001), false),
            (1000, None, false),
        ] {
            assert_eq!(Caller { uid: caller }.may_act_for(target).is_ok(), may, "{caller}");
        }
        assert!(Caller { uid: 0 }.must_be_root().is_ok());
        assert!(Caller { uid: 1 }.must_be_root().is_err());
    }
}
