//! Who asks, by the word of the bus or of the kernel, and what they may.

use totpd_interface::Error;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;

/// Whoever sent a message, as the bus or the kernel vouches for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The uid of the process that opened the connection.
    pub uid: u32,
}

impl Caller {
    /// Asks the bus (`GetConnectionCredentials`) who sent the message with this header. On the
    /// private socket, where no bus is between, the kernel says it: see [`crate::private`].
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] if it is not known, as when the sender has gone.
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
