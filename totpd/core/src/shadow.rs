//! What was noted of logins that another module decided.
//!
//! [`judge`](crate::shadowing::judge) notes the verdict of a login. Whether the stack let it in is
//! known later.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use crate::shadow::cause::Cause;

mod cause;

/// What the logins of one user came to, here and at the other module.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shadow {
    /// The logins about which both agreed.
    pub agreed: u32,
    /// The logins about which they differed, one entry for each cause.
    pub differed: Vec<Differed>,
    /// The last login that was judged here and that the other module let in.
    pub last_let_in: Option<LetIn>,
    /// The verdicts of logins that may still go on, the oldest first.
    pub(crate) open: Vec<Open>,
}

/// The logins about which the two modules differed, for one cause.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Differed {
    /// The cause.
    pub cause: Cause,
    /// The number of such logins.
    pub count: u32,
    /// The time of the last one, in seconds since 1970.
    pub last: u64,
}

/// A login that the other module let in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LetIn {
    /// The time of its code, in seconds since 1970.
    pub at: u64,
    /// Why it would have been refused here; `None` if it would not.
    pub refused_by: Option<Cause>,
}

/// A verdict, until it is known what became of the login.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Open {
    nonce: [u8; 16],
    at: u64,
    refused_by: Option<Cause>,
}

impl Shadow {
    /// Notes that the stack let in the login of `nonce` at `now` (seconds since 1970). Returns the
    /// login, unless nothing is known of it.
    pub fn let_in(&mut self, nonce: [u8; 16], now: u64) -> Option<LetIn> {
        self.expire(now);
        let position = self.open.iter().position(|open| open.nonce == nonce)?;
        let Open { at, refused_by, .. } = self.open.remove(position);
        match refused_by {
            None => self.agreed = self.agreed.saturating_add(1),
            Some(cause) => self.differ(cause, at),
        }
        let let_in = LetIn { at, refused_by };
        self.last_let_in = Some(let_in);
        Some(let_in)
    }

    /// Counts the logins that did not end in time as refused by the stack. `now` is in seconds
    /// since 1970.
    pub fn expire(&mut self, now: u64) {
        let is_over = |open: &Open| now.saturating_sub(open.at) > LONGEST_LOGIN;
        let (over, open) = core::mem::take(&mut self.open).into_iter().partition(is_over);
        self.open = open;
        Vec::into_iter(over).for_each(|over| self.refuse(&over));
    }

    /// Reports whether the user got in within a week before `now` (seconds since 1970), and would
    /// not get in here. A code that was used before shuts out nobody: the next one is good.
    #[must_use]
    pub fn would_be_shut_out(&self, now: u64) -> bool {
        self.last_let_in.is_some_and(|login| {
            let is_recent = now.saturating_sub(login.at) <= WEEK;
            is_recent && login.refused_by.is_some_and(|cause| cause != Cause::Used)
        })
    }

    /// Reports whether nothing was ever noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the number of logins about which the modules differed.
    #[must_use]
    pub fn differences(&self) -> u32 {
        self.differed.iter().fold(0, |sum, differed| sum.saturating_add(differed.count))
    }

    /// Notes the verdict of a login at `at` (seconds since 1970) under its nonce.
    pub(crate) fn note(&mut self, nonce: [u8; 16], at: u64, refused_by: Option<Cause>) {
        self.expire(at);
        if self.open.len() >= MAX_OPEN {
            // A flood of wrong codes pushes out no right one.
            let wrong = self.open.iter().position(|open| open.refused_by.is_some());
            let dropped = self.open.remove(wrong.unwrap_or(0));
            self.refuse(&dropped);
        }
        self.open.push(Open { nonce, at, refused_by });
    }

    /// Counts a login that the stack did not let in.
    fn refuse(&mut self, open: &Open) {
        match open.refused_by {
            None => self.differ(Cause::StackRefused, open.at),
            Some(_) => self.agreed = self.agreed.saturating_add(1),
        }
    }

    fn differ(&mut self, cause: Cause, at: u64) {
        match self.differed.iter_mut().find(|differed| differed.cause == cause) {
            Some(differed) => {
                differed.count = differed.count.saturating_add(1);
                differed.last = differed.last.max(at);
            }
            None => self.differed.push(Differed { cause, count: 1, last: at }),
        }
    }
}

/// Seconds after the code within which a login ends. sshd allows two minutes for all of it.
pub(crate) const LONGEST_LOGIN: u64 = 600;
/// Seconds.
pub(crate) const WEEK: u64 = 7 * 86_400;
/// The logins of one user that may go on at one time.
pub(crate) const MAX_OPEN: usize = 8;
