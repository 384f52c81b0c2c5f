//! The origin of a call: the user, and on the bus the name of the sender.

use totpd_interface::Error;
use zbus::Connection;
use zbus::names::OwnedUniqueName;

use crate::access::call_slot::CallSlot;
use crate::access::caller::Caller;

/// The sender of a call, as the bus or the kernel vouches for it.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The user.
    pub(crate) caller: Caller,
    /// The data of the bus about the sender, or `None` on the private socket.
    pub(crate) bus: Option<BusOrigin>,
}

/// The data of the bus about the sender of a call.
#[derive(Debug)]
pub(crate) struct BusOrigin {
    /// The connection of the daemon to that bus.
    pub(crate) connection: Connection,
    /// The name of the sender.
    pub(crate) sender: OwnedUniqueName,
    /// The flag that a person can be prompted to authenticate.
    pub(crate) is_interactive: bool,
    /// The slot of the sender's user among the calls that the daemon works on.
    pub(crate) slot: CallSlot,
}

impl Origin {
    /// Returns the origin of calls on the private socket, which root alone makes.
    pub(crate) fn root() -> Self {
        Self { caller: Caller { uid: 0 }, bus: None }
    }

    /// Returns the data of the bus about the sender.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] on the private socket.
    pub(crate) fn bus(&self) -> Result<&BusOrigin, Error> {
        let no_bus = || Error::NotAuthorized("that needs the system bus".into());
        self.bus.as_ref().ok_or_else(no_bus)
    }
}
