//! A call: its arguments, its reply, and the reasons to refuse it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use totpd_interface::Error;
use totpd_interface::dictionary::{MAX_ENTRIES, MAX_TEXT_BYTES};
use totpd_interface::message::Message;
use totpd_interface::wire::Malformed;
use zbus::message::Header;
use zbus::{DBusError, DynamicType};

use crate::access::origin::Origin;

/// A call, with its origin.
pub(crate) struct Call<'a> {
    pub(crate) message: &'a Message,
    pub(crate) header: &'a Header<'a>,
    pub(crate) origin: &'a Origin,
}

/// The answer to a call.
pub(crate) type Answer = Result<zbus::Message, Refusal>;

/// The reason to refuse a call.
pub(crate) enum Refusal {
    /// The arguments of the call do not have this signature.
    Signature(&'static str),
    /// There is no such method, interface, object or property. The fields are the name of the
    /// error, and its text.
    Unknown(&'static str, &'static str),
    /// An error of the contract.
    Error(Error),
    /// The daemon cannot write the answer.
    Answer(zbus::Error),
}

impl Call<'_> {
    /// Returns the arguments, which have this signature.
    pub(crate) fn arguments<T: DeserializeOwned + zbus::Type>(
        &self,
        signature: &'static str,
    ) -> Result<T, Refusal> {
        self.message.body_after(self.header).map_err(|Malformed| Refusal::Signature(signature))
    }

    /// Checks that there are no arguments.
    pub(crate) fn no_arguments(&self) -> Result<(), Refusal> {
        if self.header.signature().to_string_no_parens().is_empty() {
            return Ok(());
        }
        Err(Refusal::Signature("nothing"))
    }

    /// Returns the message that answers this call.
    pub(crate) fn reply<T: Serialize + DynamicType>(&self, body: &T) -> Answer {
        zbus::Message::method_return(self.header).build(body).map_err(Refusal::Answer)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    pub(crate) const DESCRIPTORS_NEEDED: Self = Self::Unknown(
        "UnknownMethod",
        "that is served only on connections that negotiate descriptors (NEGOTIATE_UNIX_FD)",
    );
    pub(crate) const NO_METHOD: Self =
        Self::Unknown("UnknownMethod", "there is no such method, or no such interface here");
    pub(crate) const NO_OBJECT: Self =
        Self::Unknown("UnknownObject", "the object is /org/totpd/Totp1");
    pub(crate) const NO_PROPERTY: Self =
        Self::Unknown("UnknownProperty", "there is no such property");
    pub(crate) const READ_ONLY: Self =
        Self::Unknown("PropertyReadOnly", "properties are read-only");

    /// Returns the message that states the refusal to the sender of the call.
    ///
    /// # Errors
    /// The error if the message cannot be written.
    pub(crate) fn answer(self, header: &Header<'_>) -> zbus::Result<zbus::Message> {
        let bus_error = |name: &str, text: &str| {
            zbus::Message::error(header, format!("org.freedesktop.DBus.Error.{name}")).build(&text)
        };
        match self {
            Self::Signature(signature) => bus_error(
                "InvalidArgs",
                &format!(
                    "it takes {signature}; a dictionary has {MAX_ENTRIES} entries and \
                     {MAX_TEXT_BYTES} bytes of text at most"
                ),
            ),
            Self::Unknown(name, text) => bus_error(name, text),
            Self::Error(error) => error.create_reply(header),
            Self::Answer(error) => Err(error),
        }
    }
}
