//! Where calls from the bus arrive: the gate decides, and this does what it says.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use totpd_interface::Error;
use totpd_interface::message::Message;
use zbus::message::Flags;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, DBusError};

use super::gate::{Arrival, Gate, Identified};
use super::reserve::Reserve;
use crate::access::caller::Caller;
use crate::access::origin::{BusOrigin, Origin};
use crate::access::place::{Place, Places};
use crate::daemon::admission::Admitted;
use crate::dispatch::Services;

/// One connection to the bus.
pub(crate) struct Desk {
    gate: Mutex<Gate<Waiting>>,
    services: Services,
    reserve: Reserve,
    /// Refusals that are to be sent. There is no room for more than the bus takes.
    refusals: mpsc::Sender<zbus::Message>,
    connection: OnceLock<Connection>,
    runtime: Handle,
    own: Weak<Self>,
}

/// What the gate keeps.
enum Waiting {
    /// A call.
    Call { call: Message, sender: OwnedUniqueName },
    /// One that stood aside and wants its place back.
    Aside(oneshot::Sender<()>),
}

impl Desk {
    /// A desk, and the refusals that [`Desk::open`] sends. To be called in a runtime.
    pub(crate) fn new(services: Services) -> (Arc<Self>, mpsc::Receiver<zbus::Message>) {
        let (refusals, to_send) = mpsc::channel(MOST_REFUSALS);
        let desk = Arc::new_cyclic(|own| Self {
            gate: Mutex::new(Gate::new()),
            services,
            reserve: Reserve::new(),
            refusals,
            connection: OnceLock::new(),
            runtime: Handle::current(),
            own: own.clone(),
        });
        (desk, to_send)
    }

    /// Answers go over this connection from now on.
    pub(crate) fn open(
        &self,
        connection: &Connection,
        mut refusals: mpsc::Receiver<zbus::Message>,
    ) {
        let _ = self.connection.set(connection.clone());
        let connection = connection.clone();
        self.runtime.spawn(async move {
            while let Some(refusal) = refusals.recv().await {
                if connection.send(&refusal).await.is_err() {
                    return;
                }
            }
        });
    }

    /// A call arrives. Nothing of its body was looked at.
    pub(crate) fn arrive(&self, call: Message) {
        let Ok(header) = call.header() else { return };
        // Who sent it is the word of the bus.
        let Some(sender) = header.sender().map(|name| OwnedUniqueName::from(name.to_owned()))
        else {
            return;
        };
        if header.unix_fds().is_some_and(|passed| passed > 0) {
            return self.refuse(&call, NO_DESCRIPTORS);
        }
        drop(header);
        if self.reserve.is_low() {
            return self.refuse(&call, NO_ROOM);
        }
        let (name, size) = (sender.to_string(), call.size());
        let arrival = self.gate().arrive(&name, size, Waiting::Call { call, sender });
        match arrival {
            Arrival::Work(uid, waiting) => self.work(uid, waiting),
            Arrival::Wait => {}
            Arrival::Ask => self.ask(name),
            Arrival::Refuse(waiting) => self.refuse_waiting(&waiting),
        }
    }

    /// A call arrived whose body was not even kept.
    pub(crate) fn refuse_as_too_long(&self, header: &Message) {
        self.refuse(header, TOO_LONG);
    }

    /// A call of `uid` is not worked on any more.
    fn end(&self, uid: u32) {
        // Whoever waits for a place and has gone leaves it to the next.
        let mut ended = uid;
        loop {
            let next = self.gate().end(ended);
            match next {
                None => return,
                Some((uid, Waiting::Aside(back))) => match back.send(()) {
                    Ok(()) => return,
                    Err(()) => ended = uid,
                },
                Some((uid, call)) => return self.work(uid, call),
            }
        }
    }

    /// Waits for a place of `uid`, for a call that left its own.
    async fn resume(&self, uid: u32) {
        let (back, is_back) = oneshot::channel();
        let resumed = self.gate().resume(uid, Waiting::Aside(back));
        if matches!(resumed, Admitted::Waits) {
            let _ = is_back.await;
        }
    }

    /// Asks the bus whose a name is.
    fn ask(&self, name: String) {
        let Some(desk) = self.own.upgrade() else { return };
        self.runtime.spawn(async move {
            let uid = match desk.connection.get() {
                None => None,
                Some(connection) => uid_of(connection, &name).await,
            };
            let Identified { work, refuse } = desk.gate().identify(&name, uid);
            for waiting in refuse {
                desk.refuse_waiting(&waiting);
            }
            for waiting in work {
                desk.work(uid.unwrap_or(u32::MAX), waiting);
            }
        });
    }

    /// Has a call worked on, which has a place.
    fn work(&self, uid: u32, waiting: Waiting) {
        let (Some(desk), Some(connection)) = (self.own.upgrade(), self.connection.get()) else {
            return;
        };
        let Waiting::Call { call, sender } = waiting else { return };
        let flags = call.header().map(|header| header.primary().flags());
        let is_interactive = flags.is_ok_and(|flags| flags.contains(Flags::ALLOW_INTERACTIVE_AUTH));
        let (connection, place) = (connection.clone(), Place::new(Arc::<Self>::clone(&desk), uid));
        let origin = Origin {
            caller: Caller { uid },
            bus: Some(BusOrigin { connection, sender, is_interactive, place }),
        };
        self.runtime.spawn(async move {
            let answer = desk.services.answer(&call, &origin).await;
            if let (Ok(Some(answer)), Some(bus)) = (answer, &origin.bus) {
                let _ = bus.connection.send(&answer).await;
            }
            // Without a pause, a flood runs as fast as it is answered.
            if uid != 0 {
                tokio::time::sleep(REST).await;
            }
        });
    }

    fn refuse_waiting(&self, waiting: &Waiting) {
        if let Waiting::Call { call, .. } = waiting {
            self.refuse(call, TOO_MANY);
        }
    }

    /// Says why a call is refused, to whom wants to know. Where the bus does not take that either, nobody
    /// is told.
    fn refuse(&self, call: &Message, why: &str) {
        let Ok(header) = call.header() else { return };
        if header.primary().flags().contains(Flags::NO_REPLY_EXPECTED) {
            return;
        }
        if let Ok(room) = self.refusals.try_reserve()
            && let Ok(refusal) = Error::LimitsExceeded(why.into()).create_reply(&header)
        {
            room.send(refusal);
        }
    }

    fn gate(&self) -> std::sync::MutexGuard<'_, Gate<Waiting>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places for Desk {
    fn leave(&self, uid: u32) {
        self.end(uid);
    }

    fn retake(&self, uid: u32) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.resume(uid))
    }
}

/// The uid of the process that has this name on the bus, by the word of the bus.
async fn uid_of(connection: &Connection, name: &str) -> Option<u32> {
    let (bus, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    let asked = connection.call_method(Some(bus), path, Some(bus), "GetConnectionUnixUser", &name);
    let answer = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    answer.body().deserialize().ok()
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Room for refusals. dbus-daemon allows 128 open calls a connection, so this is eight connections.
const MOST_REFUSALS: usize = 1024;
/// How long a place of a user stays taken after its answer: each has four hundred calls a second at most.
const REST: Duration = Duration::from_millis(5);
/// How long the bus may take to say whose a name is.
const PATIENCE: Duration = Duration::from_secs(10);

const TOO_MANY: &str = "too many calls are under way; wait for answers, and try again";
const TOO_LONG: &str = "a message has 64 KiB at most";
const NO_DESCRIPTORS: &str = "no descriptors are taken over the bus";
const NO_ROOM: &str = "totpd has no descriptors to spare; try again";
