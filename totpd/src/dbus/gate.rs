//! The gate of the bus. It decides how many calls of which user the daemon works on.
//!
//! The module is pure. The bus names the sender of a call by a name that it gives once and never
//! again. The daemon asks once for each name to which user it belongs. Until the answer, the calls
//! of that name are in a pool of their own.

use std::collections::HashMap;

use crate::daemon::admission::{Admission, AdmissionLimits, Admitted};

/// The calls of all senders.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    senders: HashMap<String, Sender<T>>,
    /// The number of calls from senders with a user that is not known yet.
    unknown: usize,
    users: Admission<T>,
    /// The calls of root. Root is trusted, so its bound is generous, and apart from users.
    root: Admission<T>,
}

#[derive(Debug)]
enum Sender<T> {
    /// The daemon asks the bus to which user the sender belongs.
    Asked(Vec<(usize, T)>),
    /// The sender belongs to this user.
    Known(u32),
}

/// The decision about a call that arrives.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Arrival<T> {
    /// The daemon works on the call, for this uid, until [`Gate::end`].
    Work(u32, T),
    /// The daemon does nothing yet.
    Wait,
    /// The daemon asks the bus to which user the sender belongs, for [`Gate::identify`].
    Ask,
    /// The daemon refuses the call.
    Refuse(T),
}

/// The decisions about the calls of a sender that is known now.
#[derive(Debug)]
pub(crate) struct Identified<T> {
    /// The calls to work on.
    pub(crate) work: Vec<T>,
    /// The calls to refuse.
    pub(crate) refuse: Vec<T>,
}

impl<T> Gate<T> {
    /// Returns the gate of a new connection to the bus.
    pub(crate) fn new() -> Self {
        Self {
            senders: HashMap::new(),
            unknown: 0,
            users: Admission::new(USER_LIMITS),
            root: Admission::new(ROOT_LIMITS),
        }
    }

    /// Takes a call of this many bytes from `sender`.
    pub(crate) fn arrive(&mut self, sender: &str, bytes: usize, call: T) -> Arrival<T> {
        match self.senders.get_mut(sender) {
            Some(Sender::Known(uid)) => {
                let uid = *uid;
                match self.admission_of(uid).admit(uid, bytes, call) {
                    Admitted::Works(call) => Arrival::Work(uid, call),
                    Admitted::Waits => Arrival::Wait,
                    Admitted::Refused(call) => Arrival::Refuse(call),
                }
            }
            Some(Sender::Asked(calls)) => {
                // If many calls are from unknown senders, each sender has one call at most.
                let max_calls = if self.unknown < MAX_UNKNOWN / 2 { MAX_UNKNOWN_EACH } else { 1 };
                if self.unknown >= MAX_UNKNOWN || calls.len() >= max_calls {
                    return Arrival::Refuse(call);
                }
                calls.push((bytes, call));
                self.unknown += 1;
                Arrival::Wait
            }
            None if self.unknown >= MAX_UNKNOWN => Arrival::Refuse(call),
            None => {
                if self.senders.len() >= MAX_SENDERS {
                    // The daemon asks again about a sender that comes again.
                    self.senders.retain(|_, sender| matches!(sender, Sender::Asked(_)));
                }
                self.senders.insert(sender.to_owned(), Sender::Asked(vec![(bytes, call)]));
                self.unknown += 1;
                Arrival::Ask
            }
        }
    }

    /// Takes the answer of the bus: the user of `sender`, or `None` if the bus does not know.
    pub(crate) fn identify(&mut self, sender: &str, uid: Option<u32>) -> Identified<T> {
        let mut calls_to_handle = Identified { work: Vec::new(), refuse: Vec::new() };
        let Some(Sender::Asked(calls)) = self.senders.remove(sender) else {
            return calls_to_handle;
        };
        self.unknown -= calls.len();
        if let Some(uid) = uid {
            self.senders.insert(sender.to_owned(), Sender::Known(uid));
        }
        for (bytes, call) in calls {
            match uid.map(|uid| self.admission_of(uid).admit(uid, bytes, call)) {
                Some(Admitted::Works(call)) => calls_to_handle.work.push(call),
                Some(Admitted::Waits) => {}
                Some(Admitted::Refused(call)) => calls_to_handle.refuse.push(call),
                // The sender is gone.
                None => {}
            }
        }
        calls_to_handle
    }

    /// Takes a call that released its slot while a person was asked.
    pub(crate) fn resume(&mut self, uid: u32, call: T) -> Admitted<T> {
        self.admission_of(uid).readmit(uid, 0, call)
    }

    /// Ends a call of `uid`. Returns the next one to work on.
    pub(crate) fn end(&mut self, uid: u32) -> Option<(u32, T)> {
        let admission = self.admission_of(uid);
        admission.end(uid);
        admission.next()
    }

    fn admission_of(&mut self, uid: u32) -> &mut Admission<T> {
        if uid == 0 { &mut self.root } else { &mut self.users }
    }
}

/// The maximum number of calls from senders with a uid that is not known yet.
const MAX_UNKNOWN: usize = 64;
/// The maximum number of those of one sender. A user may have as many calls.
const MAX_UNKNOWN_EACH: usize = USER_LIMITS.working_each + USER_LIMITS.waiting_each;
/// The maximum number of remembered names. The bus has 256 connections of one user at most.
const MAX_SENDERS: usize = 4096;
/// The limits of users, who may occupy a quarter of the threads that may ask NSS.
const USER_LIMITS: AdmissionLimits =
    AdmissionLimits { working_each: 2, waiting_each: 8, working: 16, waiting_bytes: 4 << 20 };
/// The limits of root. They allow a storm of logins without the private socket.
const ROOT_LIMITS: AdmissionLimits = AdmissionLimits {
    working_each: 1024,
    waiting_each: 4096,
    working: 1024,
    waiting_bytes: 4 << 20,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_wait_while_their_sender_is_asked_about() {
        let mut gate = Gate::new();
        assert_eq!(gate.arrive(":1.7", 200, 1), Arrival::Ask);
        assert_eq!(gate.arrive(":1.7", 200, 2), Arrival::Wait);
        let Identified { work, refuse } = gate.identify(":1.7", Some(1000));
        assert_eq!((work, refuse), (vec![1, 2], vec![]));
        assert_eq!(gate.arrive(":1.7", 200, 3), Arrival::Wait);
        assert_eq!(gate.end(1000), Some((1000, 3)));
        assert_eq!(gate.end(1000), None);
        assert_eq!(gate.arrive(":1.7", 200, 4), Arrival::Work(1000, 4));
    }

    #[test]
    fn all_connections_of_a_user_share_ten_slots() {
        let mut gate = Gate::new();
        let mut refusals = 0;
        for connection in 0..16 {
            let name = format!(":1.{connection}");
            gate.arrive(&name, 200, 0);
            refusals += gate.identify(&name, Some(1000)).refuse.len();
        }
        assert_eq!(refusals, 6);
    }

    #[test]
    fn unknown_senders_share_64_calls_and_one_has_ten() {
        let mut gate = Gate::new();
        let mut taken = 0;
        for number in 0..100 {
            taken += usize::from(!matches!(gate.arrive(":1.1", 200, number), Arrival::Refuse(_)));
        }
        assert_eq!(taken, 10);
        for name in 2..200 {
            let arrival = gate.arrive(&format!(":1.{name}"), 200, 0);
            taken += usize::from(!matches!(arrival, Arrival::Refuse(_)));
        }
        assert_eq!(taken, MAX_UNKNOWN);
        gate.identify(":1.1", None);
        assert_eq!(gate.arrive(":1.999", 200, 0), Arrival::Ask, "there is room again");
    }

    #[test]
    fn remembered_names_are_bounded() {
        let mut gate = Gate::new();
        for name in 0..3 * MAX_SENDERS {
            let name = format!(":1.{name}");
            assert_eq!(gate.arrive(&name, 200, 0), Arrival::Ask);
            gate.identify(&name, Some(1000));
            gate.end(1000);
            assert!(gate.senders.len() <= MAX_SENDERS);
        }
    }

    #[test]
    fn root_waits_for_no_user() {
        let mut gate = Gate::new();
        for uid in 1000..1100 {
            let name = format!(":1.{uid}");
            gate.arrive(&name, 200, 0);
            gate.identify(&name, Some(uid));
        }
        gate.arrive(":1.1", 200, 1);
        assert_eq!(gate.identify(":1.1", Some(0)).work, [1]);
    }

    #[test]
    fn a_call_that_asks_a_person_frees_its_slot() {
        let mut gate = Gate::new();
        for number in 0..3 {
            gate.arrive(":1.7", 200, number);
        }
        assert_eq!(gate.identify(":1.7", Some(1000)).work, [0, 1]);
        assert_eq!(gate.end(1000), Some((1000, 2)), "while polkit asks for 0");
        assert_eq!(gate.resume(1000, 0), Admitted::Waits);
        assert_eq!(gate.end(1000), Some((1000, 0)), "1 has ended");
    }
}
