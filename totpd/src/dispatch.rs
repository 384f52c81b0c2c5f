//! What is asked, by name, and what answers it: the same on the bus and on the private socket.

use std::fs;

use serde::Serialize;
use serde::de::DeserializeOwned;
use totpd_interface::arguments::{Arguments, MAX_ENTRIES, MAX_TEXT_BYTES};
use totpd_interface::message::Message;
use totpd_interface::variants::write;
use totpd_interface::wire::Malformed;
use totpd_interface::{DictBuilder, Dictionary, Error, LOGIN, MANAGER, PATH, STORE};
use zbus::message::{Flags, Header, Type};
use zbus::{DBusError, DynamicType, OwnedFd, Variant};
use zeroize::Zeroizing;

use self::introspection::introspect;
use crate::access::origin::Origin;
use crate::login::Login;
use crate::manage::Manager;
use crate::manage::store::Maintenance;

mod introspection;

/// All that the daemon serves.
#[derive(Clone)]
pub(crate) struct Services {
    /// For PAM modules.
    pub(crate) login: Login,
    /// For totpctl and other front ends.
    pub(crate) manager: Manager,
    /// For root on the private socket; nothing where there is no store.
    pub(crate) store: Option<Maintenance>,
}

/// A call, and where it comes from.
struct Call<'a> {
    received: &'a Message,
    header: &'a Header<'a>,
    origin: &'a Origin,
}

/// Why a call is not answered.
enum Refusal {
    /// Its arguments are not these.
    Arguments(&'static str),
    /// There is no such method, interface, object or property.
    Unknown(&'static str, &'static str),
    /// For another reason.
    Error(Error),
    /// The answer cannot be written.
    Answer(zbus::Error),
}

type Answer = Result<zbus::Message, Refusal>;

impl Services {
    /// What a message is answered with: nothing, if it is no call or nobody waits for an answer.
    ///
    /// # Errors
    /// [`Malformed`] if it cannot be answered, since it is not understood.
    pub(crate) async fn answer(
        &self,
        received: &Message,
        origin: &Origin,
    ) -> Result<Option<zbus::Message>, Malformed> {
        let header = received.header()?;
        if header.message_type() != Type::MethodCall {
            return Ok(None);
        }
        let call = Call { received, header: &header, origin };
        let answered = match self.dispatch(&call).await {
            Ok(answer) => Ok(answer),
            Err(refusal) => refusal.answer(&header),
        };
        let is_wanted = !header.primary().flags().contains(Flags::NO_REPLY_EXPECTED);
        answered.map(|answer| Some(answer).filter(|_| is_wanted)).map_err(|_| Malformed)
    }

    async fn dispatch(&self, call: &Call<'_>) -> Answer {
        let path = call.header.path().map_or("", |path| path.as_str());
        let member = call.header.member().map_or("", |name| name.as_str());
        let interface = call.header.interface().map_or(LOGIN, |name| name.as_str());
        match interface {
            "org.freedesktop.DBus.Peer" => self.peer(call, member),
            "org.freedesktop.DBus.Introspectable" if member == "Introspect" => {
                match introspect(path, call.origin.bus.is_none()) {
                    Some(xml) => call.reply(&xml),
                    None => Err(Refusal::NO_OBJECT),
                }
            }
            _ if path != PATH => Err(Refusal::NO_OBJECT),
            "org.freedesktop.DBus.Properties" => properties(call, member),
            LOGIN => self.login(call, member).await,
            MANAGER => self.manager(call, member).await,
            STORE if call.origin.bus.is_none() => self.store(call, member).await,
            _ => Err(Refusal::NO_METHOD),
        }
    }

    async fn login(&self, call: &Call<'_>, member: &str) -> Answer {
        let (login, caller) = (&self.login, call.origin.caller);
        match member {
            "Begin" => {
                let (user, Arguments(context)): (String, _) = call.takes("sa{sv}")?;
                let reply = login.begin_for(caller, &user, &context).await?;
                call.reply(&(reply.word(), write(reply.details())))
            }
            "Verify" => {
                let (user, code, Arguments(context)): (String, String, _) =
                    call.takes("ssa{sv}")?;
                let code = Zeroizing::new(code);
                let reply = login.verify_for(caller, &user, &code, &context).await?;
                call.reply(&(reply.word(), write(reply.details())))
            }
            // What ends a login is root's, and nothing for the bus.
            "CompleteEnrollment" if call.origin.bus.is_none() => {
                let (token, Arguments(context)): (String, _) = call.takes("sa{sv}")?;
                let token = Zeroizing::new(token);
                let reply = login.complete_enrollment_for(caller, &token, &context).await?;
                call.reply(&(reply.word(), write(reply.details())))
            }
            _ => Err(Refusal::NO_METHOD),
        }
    }

    async fn manager(&self, call: &Call<'_>, member: &str) -> Answer {
        let (manager, origin) = (&self.manager, call.origin);
        match member {
            "Enroll" => {
                let (user, Arguments(options)) = call.takes("sa{sv}")?;
                call.reply(&manager.enroll(origin, user, &options).await?)
            }
            "Confirm" => {
                let (user, factor, code) = call.takes("sss")?;
                call.reply(&manager.confirm(origin, user, factor, code).await?)
            }
            "RecoveryCodes" => {
                let (user, code) = call.takes("ss")?;
                call.reply(&manager.recovery_codes(origin, user, code).await?)
            }
            "SetFactor" => {
                let (user, factor, Arguments(changes), code) = call.takes("ssa{sv}s")?;
                call.reply(&manager.set_factor(origin, user, factor, &changes, code).await?)
            }
            "Remove" => {
                let (user, factor, code) = call.takes("sss")?;
                call.reply(&manager.remove(origin, user, factor, code).await?)
            }
            "Unlock" => {
                let (user,) = call.takes("s")?;
                call.reply(&manager.unlock(origin, user).await?)
            }
            "Resync" => {
                let (user, factor, codes) = call.takes("ssas")?;
                call.reply(&manager.resync(origin, user, factor, codes).await?)
            }
            "GetUser" => {
                let (user,) = call.takes("s")?;
                call.reply(&manager.get_user(origin, user).await?)
            }
            "ListUsers" => {
                let (after, limit) = call.takes("su")?;
                call.reply(&manager.list_users(origin, after, limit).await?)
            }
            "Subscribe" => {
                call.takes_nothing()?;
                call.reply(&manager.subscribe(origin).await?)
            }
            _ => Err(Refusal::NO_METHOD),
        }
    }

    async fn store(&self, call: &Call<'_>, member: &str) -> Answer {
        let no_store = || Error::StoreUnavailable("the store cannot be opened".into());
        let (store, origin) = (self.store.as_ref().ok_or_else(no_store)?, call.origin);
        match member {
            "Backup" => {
                let (target, Arguments(options)): (OwnedFd, _) = call.takes("ha{sv}")?;
                call.reply(&store.backup(origin, target.into(), &options).await?)
            }
            "Restore" => {
                let (source, Arguments(options)): (OwnedFd, _) = call.takes("ha{sv}")?;
                call.reply(&store.restore(origin, source.into(), &options).await?)
            }
            "Rekey" => {
                call.takes_nothing()?;
                call.reply(&store.rekey(origin).await?)
            }
            "Verify" => {
                call.takes_nothing()?;
                call.reply(&store.verify(origin).await?)
            }
            "Fingerprint" => {
                call.takes_nothing()?;
                call.reply(&store.fingerprint(origin)?)
            }
            "Progress" => {
                call.takes_nothing()?;
                call.reply(&store.progress(origin)?)
            }
            _ => Err(Refusal::NO_METHOD),
        }
    }

    fn peer(&self, call: &Call<'_>, member: &str) -> Answer {
        match member {
            "Ping" => call.reply(&()),
            "GetMachineId" => match fs::read_to_string("/etc/machine-id") {
                Ok(id) => call.reply(&id.trim()),
                Err(error) => {
                    Err(Error::Internal(format!("/etc/machine-id cannot be read: {error}")).into())
                }
            },
            _ => Err(Refusal::NO_METHOD),
        }
    }
}

fn properties(call: &Call<'_>, member: &str) -> Answer {
    let version = || Variant::from(env!("CARGO_PKG_VERSION"));
    match member {
        "Get" => {
            let (interface, property): (String, String) = call.takes("ss")?;
            match (interface.as_str(), property.as_str()) {
                (MANAGER, "Version") => call.reply(&(version(),)),
                _ => Err(Refusal::NO_PROPERTY),
            }
        }
        "GetAll" => {
            let (interface,): (String,) = call.takes("s")?;
            call.reply(&Dictionary::from(match interface.as_str() {
                MANAGER => DictBuilder::new().with("Version", version()),
                _ => DictBuilder::new(),
            }))
        }
        "Set" => Err(Refusal::READ_ONLY),
        _ => Err(Refusal::NO_METHOD),
    }
}

impl Call<'_> {
    /// The arguments, which are of this signature.
    fn takes<T: DeserializeOwned + zbus::Type>(&self, wanted: &'static str) -> Result<T, Refusal> {
        self.received.body().map_err(|Malformed| Refusal::Arguments(wanted))
    }

    fn takes_nothing(&self) -> Result<(), Refusal> {
        if self.header.signature().to_string_no_parens().is_empty() {
            return Ok(());
        }
        Err(Refusal::Arguments("nothing"))
    }

    fn reply<T: Serialize + DynamicType>(&self, answer: &T) -> Answer {
        zbus::Message::method_return(self.header).build(answer).map_err(Refusal::Answer)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    const NO_METHOD: Self =
        Self::Unknown("UnknownMethod", "there is no such method, or no such interface here");
    const NO_OBJECT: Self = Self::Unknown("UnknownObject", "the object is /org/totpd/Totp1");
    const NO_PROPERTY: Self = Self::Unknown("UnknownProperty", "there is no such property");
    const READ_ONLY: Self = Self::Unknown("PropertyReadOnly", "no property can be set");

    fn answer(self, header: &Header<'_>) -> zbus::Result<zbus::Message> {
        let of_the_bus = |name: &str, text: &str| {
            zbus::Message::error(header, format!("org.freedesktop.DBus.Error.{name}")).build(&text)
        };
        match self {
            Self::Arguments(wanted) => of_the_bus(
                "InvalidArgs",
                &format!(
                    "it takes {wanted}; a dictionary has {MAX_ENTRIES} entries and {MAX_TEXT_BYTES} bytes of \
                     text at most"
                ),
            ),
            Self::Unknown(name, text) => of_the_bus(name, text),
            Self::Error(error) => error.create_reply(header),
            Self::Answer(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
