//! Who is told of what happens to its own factors: connections that asked to be.
//!
//! A bus sends a signal to one connection or to all, never to a user. So a program says `Subscribe`, and is
//! sent the signals of the user that the bus says it belongs to, and nobody else is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ordered_stream::OrderedStreamExt;
use serde::Serialize;
use totpd_interface::{Error, MANAGER, PATH};
use zbus::fdo::DBusProxy;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, DynamicType};

use crate::access::origin::Origin;

/// The connections that watch, by the uid of their users.
#[derive(Debug, Default)]
pub struct Subscribers(Arc<Mutex<HashMap<u32, Vec<Watcher>>>>);

#[derive(Clone, Debug)]
struct Watcher {
    connection: Connection,
    name: OwnedUniqueName,
}

impl Subscribers {
    /// Sends the sender of a call the signals of its own user until it leaves the bus.
    ///
    /// # Errors
    /// [`Error::Throttled`] where the user has too many such programs, [`Error::Internal`] where the bus
    /// does not say when one leaves.
    pub(crate) async fn add(&self, origin: &Origin) -> Result<(), Error> {
        let (uid, bus) = (origin.caller.uid, origin.bus()?);
        let a_missing_bus_refuses_and_root_still_logs_in =
            |error| Error::Internal(format!("the bus does not say who leaves it: {error}"));
        let (connection, name) = (&bus.connection, bus.sender.clone());
        let bus = DBusProxy::new(connection)
            .await
            .map_err(a_missing_bus_refuses_and_root_still_logs_in)?;
        let left = bus.receive_name_owner_changed_with_args(&[(0, name.as_str())]).await;
        let mut left = left.map_err(a_missing_bus_refuses_and_root_still_logs_in)?;
        let watcher = Watcher { connection: connection.clone(), name: name.clone() };
        if !self.remember(uid, watcher)? {
            return Ok(());
        }
        let all = Arc::clone(&self.0);
        // It may have left before anybody looked.
        let gone = !bus.name_has_owner(name.clone().into()).await.unwrap_or(false);
        tokio::spawn(async move {
            if !gone {
                let _ = left.next().await;
            }
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(own) = all.get_mut(&uid) {
                own.retain(|watcher| watcher.name != name);
            }
            all.retain(|_, own| !own.is_empty());
        });
        Ok(())
    }

    /// Whether it is a new one.
    fn remember(&self, uid: u32, watcher: Watcher) -> Result<bool, Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(uid).or_default();
        if own.iter().any(|known| known.name == watcher.name) {
            return Ok(false);
        }
        if own.len() >= MOST {
            return Err(Error::Throttled("too many programs of yours watch already".into()));
        }
        own.push(watcher);
        Ok(true)
    }

    /// Says that the factors of `user`, who is `uid`, are not what they were. Nobody waits for it.
    pub fn factors_changed(&self, uid: u32, user: &str) {
        self.tell(uid, "FactorsChanged", (user.to_owned(),));
    }

    /// Says that a program asks `uid` for a code: the PAM service and the remote host, both as the
    /// module told them. Nobody waits for it.
    pub fn code_requested(&self, uid: u32, service: Option<String>, rhost: Option<String>) {
        self.tell(uid, "CodeRequested", (service.unwrap_or_default(), rhost.unwrap_or_default()));
    }

    fn tell<B>(&self, uid: u32, signal: &'static str, body: B)
    where
        B: Serialize + DynamicType + Send + Sync + 'static,
    {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = all.get(&uid).cloned() else { return };
        tokio::spawn(async move {
            for Watcher { connection, name } in own {
                let _ = connection.emit_signal(Some(&*name), PATH, MANAGER, signal, &body).await;
            }
        });
    }
}

/// Programs of one user that watch at a time.
const MOST: usize = 8;
