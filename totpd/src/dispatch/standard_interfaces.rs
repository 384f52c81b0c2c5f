//! The standard interfaces of D-Bus that need no state: `Peer` and `Properties`.

use std::fs;

use totpd_interface::{DictBuilder, Dictionary, Error, MANAGER};
use zbus::Variant;

use crate::dispatch::call::{Answer, Call, Refusal};

/// Calls a method of `org.freedesktop.DBus.Peer`.
pub(crate) fn peer(call: &Call<'_>, member: &str) -> Answer {
    match member {
        "Ping" => call.reply(&()),
        "GetMachineId" => match fs::read_to_string("/etc/machine-id") {
            Ok(id) => call.reply(&id.trim()),
            Err(error) => {
                Err(Error::Internal(format!("cannot read /etc/machine-id: {error}")).into())
            }
        },
        _ => Err(Refusal::NO_METHOD),
    }
}

/// Calls a method of `org.freedesktop.DBus.Properties`.
pub(crate) fn properties(call: &Call<'_>, member: &str) -> Answer {
    let version = || Variant::from(env!("CARGO_PKG_VERSION"));
    match member {
        "Get" => {
            let (interface, property): (String, String) = call.arguments("ss")?;
            match (interface.as_str(), property.as_str()) {
                (MANAGER, "Version") => call.reply(&(version(),)),
                _ => Err(Refusal::NO_PROPERTY),
            }
        }
        "GetAll" => {
            let (interface,): (String,) = call.arguments("s")?;
            call.reply(&Dictionary::from(match interface.as_str() {
                MANAGER => DictBuilder::new().with("Version", version()),
                _ => DictBuilder::new(),
            }))
        }
        "Set" => Err(Refusal::READ_ONLY),
        _ => Err(Refusal::NO_METHOD),
    }
}
