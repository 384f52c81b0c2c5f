//! The answers of NSS that logins asked for a moment ago. `Verify` comes seconds after `Begin`, and
//! needs no second look into the user database, which may be behind a network.
//!
//! The answer for a name that nobody has is kept as any other is. So a second question costs the
//! same for both.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use totpd_store::mutex::lock;

/// The answers about names, each for a time, and until their `basis` changes.
#[derive(Debug)]
pub(crate) struct RecentAnswers<A, B = ()> {
    kept_ms: u64,
    hashers: [RandomState; 2],
    state: Mutex<State<A, B>>,
}

#[derive(Debug)]
struct State<A, B> {
    basis: B,
    answers: HashMap<NameHash, Recent<A>>,
}

/// An answer, and the millisecond at which NSS was asked.
#[derive(Debug)]
struct Recent<A> {
    answer: A,
    asked: u64,
}

/// Two keyed hashes of a name. People type passwords as names, so names are not kept.
type NameHash = [u64; 2];

impl<A: Clone, B: Default + PartialEq> RecentAnswers<A, B> {
    /// Keeps each answer for `kept_ms` milliseconds.
    pub(crate) fn new(kept_ms: u64) -> Self {
        let state = State { basis: B::default(), answers: HashMap::new() };
        Self { kept_ms, hashers: Default::default(), state: Mutex::new(state) }
    }

    /// Returns the answer about `name` if it was kept a moment before `now` (in milliseconds of the
    /// monotonic clock), and `basis` is still the same.
    pub(crate) fn get(&self, name: &str, basis: &B, now: u64) -> Option<A> {
        let hash = self.hash(name);
        let state = lock(&self.state);
        let is_fresh = |recent: &&Recent<A>| state.basis == *basis && self.is_fresh(recent, now);
        state.answers.get(&hash).filter(is_fresh).map(|recent| recent.answer.clone())
    }

    /// Keeps the answer about `name`, which NSS gave after `basis` held at `now` (in milliseconds
    /// of the monotonic clock).
    pub(crate) fn keep(&self, name: &str, basis: B, now: u64, answer: &A) {
        let hash = self.hash(name);
        let mut state = lock(&self.state);
        if state.basis != basis {
            *state = State { basis, answers: HashMap::new() };
        }
        if state.answers.len() >= MAX_ANSWERS {
            state.answers.retain(|_, recent| self.is_fresh(recent, now));
        }
        if state.answers.len() < MAX_ANSWERS {
            state.answers.insert(hash, Recent { answer: answer.clone(), asked: now });
        }
    }

    fn is_fresh(&self, recent: &Recent<A>, now: u64) -> bool {
        now.saturating_sub(recent.asked) < self.kept_ms
    }

    fn hash(&self, name: &str) -> NameHash {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(name))
    }
}

/// The maximum number of answers. Names beyond it are looked up each time.
const MAX_ANSWERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_a_time_and_until_its_basis_changes() {
        let recent = RecentAnswers::<_, u8>::new(30_000);
        recent.keep("alice", 1, 5, &Some(1000));
        recent.keep("nobody", 1, 5, &None);
        assert_eq!(recent.get("alice", &1, 5 + 30_000 - 1), Some(Some(1000)));
        assert_eq!(recent.get("nobody", &1, 6), Some(None));
        assert_eq!(recent.get("alic", &1, 6), None);
        assert_eq!(recent.get("alice", &1, 5 + 30_000), None);
        assert_eq!(recent.get("alice", &2, 6), None);
        recent.keep("nobody", 2, 7, &None);
        assert_eq!((recent.get("alice", &2, 8), recent.get("nobody", &2, 8)), (None, Some(None)));
    }

    #[test]
    fn invented_names_take_bounded_memory() {
        let recent = RecentAnswers::<()>::new(30_000);
        for number in 0..10_000 {
            recent.keep(&format!("user{number}"), (), 0, &());
        }
        assert_eq!(lock(&recent.state).answers.len(), MAX_ANSWERS);
        assert_eq!(recent.get("user9999", &(), 1), None);
        recent.keep("alice", (), 30_000, &());
        assert_eq!(lock(&recent.state).answers.len(), 1);
    }
}
