//! What a running daemon knows of its mark, its flushes and its witness.

use crate::mark::row::{Mark, UsedCode};
use crate::void_windows::VoidWindow;

/// The mark of a running daemon. All calls are made under one lock, which also orders the commits
/// and the writes of the witness. Commits have positions that only grow, from 1 on.
#[derive(Debug, Default)]
pub struct Leaning {
    /// The mark that is durable. Its row may be gone already.
    durable: Option<Mark>,
    /// What takes the place of the row, and the position of that commit. It is not durable yet.
    coming: Option<(Option<Mark>, u64)>,
    /// True if logins lean on the durable mark.
    is_on: bool,
    /// The position of the last commit that leaned.
    last: u64,
    witness: WitnessState,
    /// The failed flushes so far.
    failures: u64,
    /// True from a failed flush until the end of the mark and its void window are durable.
    has_failed: bool,
}

/// What the file of the witness says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum WitnessState {
    /// Nothing that leaned waits for a flush.
    Empty,
    /// The last acceptance.
    Names,
    /// That a flush failed, or nothing that can be read. Nobody leans.
    #[default]
    Broken,
}

/// Leave to answer a login before its commit is flushed, once the witness names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leant {
    failures: u64,
}

impl Leaning {
    /// Returns the state after a start that could not make the end of `mark` durable. The window of
    /// the mark is void in memory.
    #[must_use]
    pub fn after_failed_start(mark: Mark) -> Self {
        Self { durable: Some(mark), has_failed: true, ..Self::default() }
    }

    /// Reports whether a prompt or a login at `now` (seconds since 1970) should make a new mark.
    #[must_use]
    pub fn wants_mark(&self, now: u64) -> bool {
        self.may_change() && self.durable.is_none_or(|mark| mark.is_running_out(now))
    }

    /// Reports whether the time of the mark is over at `now` (seconds since 1970), so that it
    /// should end.
    #[must_use]
    pub fn is_over(&self, now: u64) -> bool {
        self.may_change() && self.durable.is_some_and(|mark| !mark.holds(now))
    }

    /// Reports whether there may be a row, or a window that is not durable.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.durable.is_some() || self.coming.is_some() || self.has_failed
    }

    /// Reports whether logins lean, as far as their time lies in the mark.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.is_on && self.witness != WitnessState::Broken
    }

    /// Reports whether logins that are judged by the time `now` lean.
    #[must_use]
    pub fn is_ready(&self, now: u64) -> bool {
        self.is_in_use() && self.durable.is_some_and(|mark| mark.holds(now))
    }

    /// Reports whether something that leaned, or what takes the place of the row, may wait for its
    /// flush. It is flushed before the connection is replaced, or that is a failed flush: nobody
    /// may lean on a row that was lost with the old one.
    #[must_use]
    pub fn has_unflushed(&self) -> bool {
        self.coming.is_some() || self.witness != WitnessState::Empty && self.last > 0
    }

    fn may_change(&self) -> bool {
        !self.has_failed && self.coming.is_none()
    }

    /// Returns the mark that is durable.
    #[cfg(test)]
    pub(super) fn mark(&self) -> Option<Mark> {
        self.durable
    }

    /// Nobody leans any more. This comes before each transaction that writes or removes the row,
    /// and before whatever replaces the file or the connection.
    pub fn stop(&mut self) {
        self.is_on = false;
    }

    /// Notes that the commit at `position` has put `row` into the place of the row of the mark;
    /// `None` if it ended the mark.
    pub fn replace(&mut self, row: Option<Mark>, position: u64) {
        self.stop();
        self.coming = Some((row, position));
    }

    /// Decides in the transaction of a login whether it is answered without a flush. `position` is
    /// that of its commit. `now` is the time that it was judged by.
    ///
    /// Before the answer the witness names the login, in the order of commits.
    pub fn lean(&mut self, used: &UsedCode, now: u64, position: u64) -> Option<Leant> {
        let mark = self.durable.filter(|_| self.is_ready(now))?;
        if !mark.may_lean(used, now) {
            return None;
        }
        self.last = position;
        self.witness = WitnessState::Names;
        Some(Leant { failures: self.failures })
    }

    /// Begins the answer of the login: the witness is going to name it. Returns false if a flush
    /// has failed in between. Then the login gets an error, and the witness keeps saying "failed".
    #[must_use]
    pub fn begin_answer(&mut self, leant: Leant) -> bool {
        if self.failures != leant.failures {
            return false;
        }
        // A flush since the commit may have emptied it. It will name this login all the same.
        if self.witness == WitnessState::Empty {
            self.witness = WitnessState::Names;
        }
        true
    }

    /// Notes a flush of all commits up to `position`. Returns true if the witness is to be emptied
    /// now: nothing that leaned waits for a flush.
    pub fn flushed(&mut self, position: u64) -> bool {
        if let Some((row, at)) = self.coming
            && at <= position
        {
            (self.durable, self.coming) = (row, None);
            (self.is_on, self.has_failed) = (row.is_some(), false);
        }
        !self.has_failed && self.last <= position && self.witness != WitnessState::Empty
    }

    /// Notes that the witness is empty.
    pub fn witness_emptied(&mut self) {
        self.witness = WitnessState::Empty;
    }

    /// Notes that the witness could not be written. Nobody leans until it was emptied.
    pub fn witness_failed(&mut self) {
        self.witness = WitnessState::Broken;
    }

    /// Notes a flush that failed, after the witness says so. Returns the window that is void from
    /// now on, in memory, until it is durable together with the end of the mark. Only then is the
    /// connection replaced.
    ///
    /// Nobody leaned on a mark that is only coming, so it has no window.
    pub fn flush_failed(&mut self) -> Option<VoidWindow> {
        self.stop();
        self.failures = self.failures.saturating_add(1);
        self.witness = WitnessState::Broken;
        // The row of a mark that is coming may be on disk.
        self.has_failed |= self.durable.is_some() || self.coming.is_some();
        self.coming = None;
        self.durable.map(Mark::void_window)
    }

    /// Reports whether the end of the mark, and its window, have still to be made durable after a
    /// failed flush. Each transaction that may write the rows does it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed && self.coming.is_none()
    }
}
