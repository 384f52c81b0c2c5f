//! Admission control: the decision which calls the daemon works on, and which calls wait. Users
//! take turns, and each has a limit.
//!
//! The module is pure: it counts, and the caller does the work.

use std::collections::{HashMap, VecDeque};

/// The limits on the number of calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdmissionLimits {
    /// The calls of one user that are worked on at a time.
    pub(crate) working_each: usize,
    /// The calls of one user that wait.
    pub(crate) waiting_each: usize,
    /// The calls of all users that are worked on at a time.
    pub(crate) working: usize,
    /// The bytes of all calls that wait.
    pub(crate) waiting_bytes: usize,
}

/// The calls that are worked on, and those that wait.
#[derive(Debug)]
pub(crate) struct Admission<T> {
    limits: AdmissionLimits,
    users: HashMap<u32, UserCalls<T>>,
    /// The users with a call that waits, each once. The user with the next turn is first.
    rotation: VecDeque<u32>,
    working: usize,
    waiting_bytes: usize,
}

#[derive(Debug)]
struct UserCalls<T> {
    working: usize,
    waiting: VecDeque<(usize, T)>,
}

/// The decision about a call.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Admitted<T> {
    /// The daemon works on the call from now on, until [`Admission::end`].
    Works(T),
    /// The call waits. [`Admission::next`] returns it when its turn has come.
    Waits,
    /// There are too many calls.
    Refused(T),
}

impl<T> Admission<T> {
    /// Returns an admission without calls.
    pub(crate) fn new(limits: AdmissionLimits) -> Self {
        let (users, rotation) = (HashMap::new(), VecDeque::new());
        Self { limits, users, rotation, working: 0, waiting_bytes: 0 }
    }

    /// Takes a call of `uid` that takes this many bytes while it waits.
    pub(crate) fn admit(&mut self, uid: u32, bytes: usize, call: T) -> Admitted<T> {
        let waiting = self.users.get(&uid).map_or(0, |line| line.waiting.len());
        if !self.may_start(uid) {
            let bytes = self.waiting_bytes + bytes + CALL_OVERHEAD_BYTES;
            if waiting >= self.limits.waiting_each || bytes > self.limits.waiting_bytes {
                return Admitted::Refused(call);
            }
        }
        self.readmit(uid, bytes, call)
    }

    /// Takes a call that released its slot. The daemon admitted it before, so it is not refused.
    pub(crate) fn readmit(&mut self, uid: u32, bytes: usize, call: T) -> Admitted<T> {
        let may_start = self.may_start(uid);
        let line = self.users.entry(uid).or_insert_with(UserCalls::new);
        if may_start {
            line.working += 1;
            self.working += 1;
            return Admitted::Works(call);
        }
        if line.waiting.is_empty() {
            self.rotation.push_back(uid);
        }
        line.waiting.push_back((bytes + CALL_OVERHEAD_BYTES, call));
        self.waiting_bytes += bytes + CALL_OVERHEAD_BYTES;
        Admitted::Waits
    }

    /// Ends a call of `uid`. The caller then calls [`Admission::next`].
    pub(crate) fn end(&mut self, uid: u32) {
        let Some(line) = self.users.get_mut(&uid).filter(|line| line.working > 0) else { return };
        line.working -= 1;
        self.working -= 1;
        if line.working == 0 && line.waiting.is_empty() {
            self.users.remove(&uid);
        }
    }

    /// Returns the next call to work on, and its user, if there is room for one.
    pub(crate) fn next(&mut self) -> Option<(u32, T)> {
        if self.working >= self.limits.working {
            return None;
        }
        let at = self.rotation.iter().position(|uid| self.has_free_slot(*uid))?;
        let uid = self.rotation.remove(at)?;
        let line = self.users.get_mut(&uid)?;
        let (bytes, call) = line.waiting.pop_front()?;
        line.working += 1;
        if !line.waiting.is_empty() {
            self.rotation.push_back(uid);
        }
        self.working += 1;
        self.waiting_bytes -= bytes;
        Some((uid, call))
    }

    /// Reports whether a call of `uid` may start. No call overtakes another one of its user.
    fn may_start(&self, uid: u32) -> bool {
        let none_waits = self.users.get(&uid).is_none_or(|line| line.waiting.is_empty());
        none_waits && self.working < self.limits.working && self.has_free_slot(uid)
    }

    fn has_free_slot(&self, uid: u32) -> bool {
        self.users.get(&uid).is_none_or(|line| line.working < self.limits.working_each)
    }
}

impl<T> UserCalls<T> {
    fn new() -> Self {
        Self { working: 0, waiting: VecDeque::new() }
    }
}

/// The bytes that a waiting call takes beside its message.
const CALL_OVERHEAD_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: AdmissionLimits =
        AdmissionLimits { working_each: 2, waiting_each: 8, working: 4, waiting_bytes: 64 * 1024 };

    fn flooded(by: &[u32]) -> Admission<u32> {
        let mut admission = Admission::new(LIMITS);
        for uid in by {
            for number in 0..20 {
                admission.admit(*uid, 100, number);
            }
        }
        admission
    }

    #[test]
    fn a_user_has_two_calls_at_work_and_eight_that_wait() {
        let mut admission = Admission::new(LIMITS);
        for number in 0..2 {
            assert_eq!(admission.admit(1000, 100, number), Admitted::Works(number));
        }
        for number in 2..10 {
            assert_eq!(admission.admit(1000, 100, number), Admitted::Waits);
        }
        assert_eq!(admission.admit(1000, 100, 10), Admitted::Refused(10));
        assert_eq!(admission.admit(1001, 100, 11), Admitted::Works(11), "another user");
        assert_eq!(admission.next(), None, "two of a user and no more");
        admission.end(1000);
        assert_eq!(admission.next(), Some((1000, 2)), "in the order of their arrival");
        assert_eq!(admission.admit(1000, 100, 12), Admitted::Waits, "a place is free again");
    }

    #[test]
    fn users_take_turns_however_much_they_send() {
        let mut admission = flooded(&[1, 2, 3]);
        assert_eq!(admission.admit(4, 100, 40), Admitted::Waits, "all places are taken");
        admission.end(1);
        // User 3 came before 4. User 1 stands before both, but waits again after its turn.
        let mut order = Vec::new();
        while order.len() < 8 {
            let (uid, _) = admission.next().unwrap();
            order.push(uid);
            admission.end(uid);
        }
        assert!(order.iter().position(|uid| *uid == 4).unwrap() <= 3, "{order:?}");
    }

    #[test]
    fn a_user_at_its_limit_blocks_no_other_user() {
        let mut admission = Admission::new(LIMITS);
        for number in 0..10 {
            admission.admit(1, 100, number);
        }
        for uid in 2..4 {
            admission.admit(uid, 100, 0);
        }
        admission.admit(5, 100, 50);
        admission.end(2);
        assert_eq!(admission.next(), Some((5, 50)), "1 has two, so it is 5's turn");
    }

    #[test]
    fn the_bytes_of_waiting_calls_are_bounded() {
        let mut admission = Admission::new(LIMITS);
        for uid in 0..4 {
            admission.admit(uid, 0, 0);
        }
        let waits =
            |uid| admission.admit(uid, 16 * 1024 - CALL_OVERHEAD_BYTES, 0) == Admitted::Waits;
        assert_eq!((10..20).map(waits).filter(|waits| *waits).count(), 4);
    }

    #[test]
    fn a_call_that_released_its_slot_is_not_refused() {
        let mut admission = flooded(&[1]);
        assert_eq!(admission.readmit(1, 100, 99), Admitted::Waits);
    }

    proptest! {
        /// Checks that in any order of calls the bounds hold, no call is lost, and no user remains.
        #[test]
        fn bounds_hold_and_nothing_is_lost(steps in proptest::collection::vec((0_u32..6, 0_usize..9000, 0..4), 1..300)) {
            let mut admission = Admission::new(LIMITS);
            let (mut working, mut waiting) = (Vec::new(), 0_usize);
            for (number, (uid, bytes, kind)) in steps.into_iter().enumerate() {
                if kind == 0 {
                    if let Some(at) = working.iter().position(|other| *other == uid) {
                        working.remove(at);
                        admission.end(uid);
                    }
                } else {
                    match admission.admit(uid, bytes, number) {
                        Admitted::Works(_) => working.push(uid),
                        Admitted::Waits => waiting += 1,
                        Admitted::Refused(_) => {}
                    }
                }
                while let Some((uid, _)) = admission.next() {
                    working.push(uid);
                    waiting -= 1;
                }
                prop_assert!(working.len() <= LIMITS.working);
                for uid in 0..6 {
                    let of_it = working.iter().filter(|other| **other == uid).count();
                    prop_assert!(of_it <= LIMITS.working_each);
                }
                prop_assert!(admission.waiting_bytes <= LIMITS.waiting_bytes);
            }
            while let Some(uid) = working.pop() {
                admission.end(uid);
                while let Some((uid, _)) = admission.next() {
                    working.push(uid);
                    waiting -= 1;
                }
            }
            prop_assert_eq!(waiting, 0);
            prop_assert!(admission.users.is_empty() && admission.rotation.is_empty());
            prop_assert_eq!((admission.working, admission.waiting_bytes), (0, 0));
        }
    }
}
