//! The dispatch of a call to the method that answers, by the names in the call. It is the same on
//! the bus and on the private socket.

use std::sync::Arc;

use totpd_interface::message::Message;
use totpd_interface::wire::Malformed;
use totpd_interface::wire::question::Question;
use totpd_interface::{LOGIN, MANAGER, PATH, STORE};
use zbus::message::{Flags, Type};

use crate::access::origin::Origin;
use crate::dispatch::call::{Answer, Call, Refusal};
use crate::dispatch::introspection::introspect;
use crate::login::service::LoginService;
use crate::manage::Manager;
use crate::manage::store::StoreService;

mod call;
mod introspection;
mod login;
mod manager;
mod standard_interfaces;
mod store;

/// The interfaces that the daemon serves.
#[derive(Clone)]
pub(crate) struct Services {
    /// The interface for PAM modules.
    pub(crate) login: Arc<dyn LoginService>,
    /// The interface for totpctl and other front ends.
    pub(crate) manager: Manager,
    /// The interface for root on the private socket, or `None` if the store cannot be opened.
    pub(crate) store: Option<StoreService>,
}

/// The bytes that answer a message of the private socket.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum LoginAnswer {
    /// A question in the form of a module, which asks one over a connection.
    ToModule(Vec<u8>),
    /// Another message, or `None` if it gets no answer.
    ToOther(Option<Vec<u8>>),
}

impl Services {
    /// Answers a message. Returns `None` if it is no call, or the sender wants no answer.
    ///
    /// # Errors
    /// [`Malformed`] if the daemon cannot answer the message, because it does not understand it.
    pub(crate) async fn answer(
        &self,
        message: &Message,
        origin: &Origin,
    ) -> Result<Option<zbus::Message>, Malformed> {
        let header = message.header()?;
        let call = Call { message, header: &header, origin };
        self.answer_call(&call).await
    }

    /// Answers a message of the private socket as [`Services::answer`] does, but refuses the
    /// interfaces whose calls take longer than a login may.
    ///
    /// # Errors
    /// [`Malformed`] if the daemon cannot answer the message, because it does not understand it.
    pub(crate) async fn answer_login(
        &self,
        bytes: &[u8],
        origin: &Origin,
    ) -> Result<LoginAnswer, Malformed> {
        match Question::parse(bytes) {
            Some(question) => {
                let answer = login::answer(&*self.login, origin.caller, &question).await;
                answer.map(LoginAnswer::ToModule)
            }
            // In a box of its own, as below.
            None => Box::pin(self.answer_briefly(bytes, origin)).await.map(LoginAnswer::ToOther),
        }
    }

    /// Answers a message of another form than that of modules.
    async fn answer_briefly(
        &self,
        bytes: &[u8],
        origin: &Origin,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let message = Message::new(bytes.to_vec())?;
        let header = message.header()?;
        let call = Call { message: &message, header: &header, origin };
        let answer = match header.interface().map_or(LOGIN, |name| name.as_str()) {
            MANAGER | STORE => {
                Some(Refusal::DESCRIPTORS_NEEDED.answer(&header).map_err(|_| Malformed)?)
            }
            _ => self.answer_call(&call).await?,
        };
        Ok(answer.map(|answer| answer.data().bytes().to_vec()))
    }

    async fn answer_call(&self, call: &Call<'_>) -> Result<Option<zbus::Message>, Malformed> {
        let header = call.header;
        if header.message_type() != Type::MethodCall {
            return Ok(None);
        }
        let answer = match self.dispatch(call).await {
            Ok(answer) => Ok(answer),
            Err(refusal) => refusal.answer(header),
        };
        let is_wanted = !header.primary().flags().contains(Flags::NO_REPLY_EXPECTED);
        answer.map(|answer| Some(answer).filter(|_| is_wanted)).map_err(|_| Malformed)
    }

    async fn dispatch(&self, call: &Call<'_>) -> Answer {
        let path = call.header.path().map_or("", |path| path.as_str());
        let member = call.header.member().map_or("", |name| name.as_str());
        let interface = call.header.interface().map_or(LOGIN, |name| name.as_str());
        let is_private = call.origin.bus.is_none();
        match interface {
            "org.freedesktop.DBus.Peer" => standard_interfaces::peer(call, member),
            "org.freedesktop.DBus.Introspectable" if member == "Introspect" => {
                match introspect(path, is_private) {
                    Some(xml) => call.reply(&xml),
                    None => Err(Refusal::NO_OBJECT),
                }
            }
            _ if path != PATH => Err(Refusal::NO_OBJECT),
            "org.freedesktop.DBus.Properties" => standard_interfaces::properties(call, member),
            LOGIN => login::dispatch(&*self.login, call, member).await,
            // In boxes of their own: the future of a login is small.
            MANAGER => Box::pin(manager::dispatch(&self.manager, call, member)).await,
            STORE if is_private => {
                Box::pin(store::dispatch(self.store.as_ref(), call, member)).await
            }
            _ => Err(Refusal::NO_METHOD),
        }
    }
}

#[cfg(test)]
mod tests;
