//! Where a call comes from: who asks, and over the bus by which of its names.

use totpd_interface::Error;
use zbus::Connection;
use zbus::names::OwnedUniqueName;

use crate::access::caller::Caller;
use crate::access::place::Place;

/// The sender of a call, as the bus or the kernel vouches for it.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The user.
    pub(crate) caller: Caller,
    /// The way over the bus; nothing on the private socket.
    pub(crate) bus: Option<BusOrigin>,
}

/// What the bus says of the sender of a call.
#[derive(Debug)]
pub(crate) struct BusOrigin {
    /// The daemon's connection to that bus.
    pub(crate) connection: Connection,
    /// The name of the sender.
    pub(crate) sender: OwnedUniqueName,
    /// Whether a person may be asked to authenticate meanwhile.
    pub(crate) is_interactive: bool,
    /// The place of its user among the calls that are worked on.
    pub(crate) place: Place,
}

impl Origin {
    /// Root, on the private socket.
    pub(crate) fn root() -> Self {
        Self { caller: Caller { uid: 0 }, bus: None }
    }

    /// What the bus says of the sender.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] on the private socket.
    pub(crate) fn bus(&self) -> Result<&BusOrigin, Error> {
        let nowhere = || Error::NotAuthorized("that goes over the system bus alone".into());
        self.bus.as_ref().ok_or_else(nowhere)
    }
}
