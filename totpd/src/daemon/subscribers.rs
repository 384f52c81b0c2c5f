//! The signals to programs about the factors of their own user.
//!
//! A bus sends a signal to one connection or to all, never to a user. So a program calls
//! `Subscribe`. The bus names the user of the program, and the daemon sends it the signals of that
//! user alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ordered_stream::OrderedStreamExt;
use serde::Serialize;
use totpd_interface::{Error, MANAGER, PATH};
use totpd_store::mutex::lock;
use zbus::fdo::DBusProxy;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, DynamicType};

use crate::access::origin::Origin;

/// The subscribers, by the uid of their users.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Arc<Mutex<HashMap<u32, Vec<Subscriber>>>>);

#[derive(Clone, Debug)]
struct Subscriber {
    connection: Connection,
    name: OwnedUniqueName,
}

impl Subscribers {
    /// Adds the sender of a call, which gets the signals of its own user until it leaves the bus.
    ///
    /// # Errors
    /// [`Error::Throttled`] if the user has too many subscribers. [`Error::Internal`] if the bus
    /// does not say when one leaves.
    pub(crate) async fn add(&self, origin: &Origin) -> Result<(), Error> {
        let (uid, bus) = (origin.caller.uid, origin.bus()?);
        let cannot_watch =
            |error| Error::Internal(format!("cannot watch the clients of the system bus: {error}"));
        let (connection, name) = (&bus.connection, bus.sender.clone());
        let bus = DBusProxy::new(connection).await.map_err(cannot_watch)?;
        let left = bus.receive_name_owner_changed_with_args(&[(0, name.as_str())]).await;
        let mut left = left.map_err(cannot_watch)?;
        let subscriber = Subscriber { connection: connection.clone(), name: name.clone() };
        if !self.insert(uid, subscriber)? {
            return Ok(());
        }
        let all = Arc::clone(&self.0);
        // The sender may have left before the daemon listened.
        let has_left = !bus.name_has_owner(name.clone().into()).await.unwrap_or(false);
        tokio::spawn(async move {
            if !has_left {
                let _ = left.next().await;
            }
            let mut all = lock(&all);
            if let Some(own) = all.get_mut(&uid) {
                own.retain(|subscriber| subscriber.name != name);
            }
            all.retain(|_, own| !own.is_empty());
        });
        Ok(())
    }

    /// Returns whether the subscriber is a new one.
    fn insert(&self, uid: u32, subscriber: Subscriber) -> Result<bool, Error> {
        let mut all = lock(&self.0);
        let own = all.entry(uid).or_default();
        if own.iter().any(|known| known.name == subscriber.name) {
            return Ok(false);
        }
        if own.len() >= MAX_PER_USER {
            return Err(Error::Throttled(
                "too many of your programs are subscribed to signals; end one of them".into(),
            ));
        }
        own.push(subscriber);
        Ok(true)
    }

    /// Sends `FactorsChanged` to the programs of `user`, who has `uid`. Does not wait.
    pub(crate) fn factors_changed(&self, uid: u32, user: &str) {
        self.emit(uid, "FactorsChanged", || (user.to_owned(),));
    }

    /// Sends `CodeRequested` to the programs of `uid`, with the PAM service and the remote host.
    /// Both are as the module says them. Does not wait.
    pub(crate) fn code_requested(&self, uid: u32, service: Option<&str>, rhost: Option<&str>) {
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        self.emit(uid, "CodeRequested", || (text(service), text(rhost)));
    }

    /// Sends `signal` to the programs of `uid`. Makes the body only if there are any.
    fn emit<B>(&self, uid: u32, signal: &'static str, body: impl FnOnce() -> B)
    where
        B: Serialize + DynamicType + Send + Sync + 'static,
    {
        let all = lock(&self.0);
        let Some(own) = all.get(&uid).cloned() else { return };
        let body = body();
        tokio::spawn(async move {
            for Subscriber { connection, name } in own {
                let _ = connection.emit_signal(Some(&*name), PATH, MANAGER, signal, &body).await;
            }
        });
    }
}

/// The maximum number of subscribers of one user.
const MAX_PER_USER: usize = 8;
