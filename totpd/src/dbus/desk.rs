//! The desk at which calls from the bus arrive. It carries out the decisions of the gate.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use totpd_interface::Error;
use totpd_interface::message::Message;
use totpd_store::mutex::lock;
use zbus::message::Flags;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, DBusError};

use super::gate::{Arrival, Gate, Identified};
use super::reserve::Reserve;
use crate::access::call_slot::{CallSlot, CallSlots};
use crate::access::caller::Caller;
use crate::access::origin::{BusOrigin, Origin};
use crate::daemon::admission::Admitted;
use crate::dispatch::Services;

/// One connection to the bus.
pub(crate) struct Desk {
    gate: Mutex<Gate<Waiting>>,
    services: Services,
    reserve: Reserve,
    /// The refusals to send. The capacity is bounded, because a client may read none.
    refusals: mpsc::Sender<zbus::Message>,
    connection: OnceLock<Connection>,
    runtime: Handle,
    own: Weak<Self>,
}

/// An entry that waits in the gate.
enum Waiting {
    /// A call.
    Call { call: Message, sender: OwnedUniqueName },
    /// A call that released its slot and wants one again.
    Reacquire(oneshot::Sender<()>),
}

impl Desk {
    /// Returns a desk, and the refusals that [`Desk::open`] sends. The caller must be in a runtime.
    pub(crate) fn new(services: Services) -> (Arc<Self>, mpsc::Receiver<zbus::Message>) {
        let (refusals, to_send) = mpsc::channel(MAX_QUEUED_REFUSALS);
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

    /// Sends answers and refusals over this connection from now on.
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

    /// Takes a call, and reads only its header.
    pub(crate) fn arrive(&self, call: Message) {
        let Ok(header) = call.header() else { return };
        // The bus names the sender.
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

    /// Refuses a call whose body was discarded.
    pub(crate) fn refuse_as_too_long(&self, header: &Message) {
        self.refuse(header, TOO_LONG);
    }

    /// Ends a call of `uid`, and starts the next one.
    fn end(&self, uid: u32) {
        // A call that waited for a slot and is gone leaves the slot to the next call.
        let mut releaser = uid;
        loop {
            let next = self.gate().end(releaser);
            match next {
                None => return,
                Some((uid, Waiting::Reacquire(sender))) => match sender.send(()) {
                    Ok(()) => return,
                    Err(()) => releaser = uid,
                },
                Some((uid, call)) => return self.work(uid, call),
            }
        }
    }

    /// Waits for a slot of `uid`, for a call that released its own.
    async fn resume(&self, uid: u32) {
        let (sender, is_reacquired) = oneshot::channel();
        let resumed = self.gate().resume(uid, Waiting::Reacquire(sender));
        if matches!(resumed, Admitted::Waits) {
            let _ = is_reacquired.await;
        }
    }

    /// Asks the bus to which user a name belongs.
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

    /// Works on a call that has a slot.
    fn work(&self, uid: u32, waiting: Waiting) {
        let (Some(desk), Some(connection)) = (self.own.upgrade(), self.connection.get()) else {
            return;
        };
        let Waiting::Call { call, sender } = waiting else { return };
        let flags = call.header().map(|header| header.primary().flags());
        let is_interactive = flags.is_ok_and(|flags| flags.contains(Flags::ALLOW_INTERACTIVE_AUTH));
        let (connection, slot) =
            (connection.clone(), CallSlot::new(Arc::<Self>::clone(&desk), uid));
        let origin = Origin {
            caller: Caller { uid },
            bus: Some(BusOrigin { connection, sender, is_interactive, slot }),
        };
        self.runtime.spawn(async move {
            let answer = desk.services.answer(&call, &origin).await;
            if let (Ok(Some(answer)), Some(bus)) = (answer, &origin.bus) {
                let _ = bus.connection.send(&answer).await;
            }
            // Without a pause, a flood would run as fast as the daemon answers it.
            if uid != 0 {
                tokio::time::sleep(SLOT_REST).await;
            }
        });
    }

    fn refuse_waiting(&self, waiting: &Waiting) {
        if let Waiting::Call { call, .. } = waiting {
            self.refuse(call, TOO_MANY);
        }
    }

    /// Sends the reason of a refusal, if the sender wants an answer. If the queue is full, the desk
    /// drops the refusal.
    fn refuse(&self, call: &Message, reason: &str) {
        let Ok(header) = call.header() else { return };
        if header.primary().flags().contains(Flags::NO_REPLY_EXPECTED) {
            return;
        }
        if let Ok(room) = self.refusals.try_reserve()
            && let Ok(refusal) = Error::LimitsExceeded(reason.into()).create_reply(&header)
        {
            room.send(refusal);
        }
    }

    fn gate(&self) -> std::sync::MutexGuard<'_, Gate<Waiting>> {
        lock(&self.gate)
    }
}

impl CallSlots for Desk {
    fn release(&self, uid: u32) {
        self.end(uid);
    }

    fn reacquire(&self, uid: u32) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.resume(uid))
    }
}

/// Returns the uid of the process that has this name, as the bus names it.
async fn uid_of(connection: &Connection, name: &str) -> Option<u32> {
    let (bus, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    let call = connection.call_method(Some(bus), path, Some(bus), "GetConnectionUnixUser", &name);
    let answer = tokio::time::timeout(IDENTIFY_TIMEOUT, call).await.ok()?.ok()?;
    answer.body().deserialize().ok()
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// The maximum number of queued refusals. dbus-daemon allows 128 open calls a connection, so this
/// is eight connections.
const MAX_QUEUED_REFUSALS: usize = 1024;
/// The time that a slot of a user stays taken after its answer. A user has at most four hundred
/// calls a second.
const SLOT_REST: Duration = Duration::from_millis(5);
/// The time that the bus may take to name the user of a sender.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(10);

const TOO_MANY: &str = "too many calls are under way; wait for answers, and try again";
const TOO_LONG: &str = "a message has 64 KiB at most";
const NO_DESCRIPTORS: &str = "descriptors are not accepted over the bus";
const NO_ROOM: &str = "totpd has no descriptors to spare; try again";
