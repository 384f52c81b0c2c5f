//! The mark of a running daemon: who leans on it, its witness, and its void windows.
//!
//! The lock on the database orders commits, decisions to lean, and writes of the witness. The lock
//! in here is held for moments only, also by the thread that flushes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use totpd_core::mark::{Leaning, LeaningLogin, Leant, Mark, RunId, Witness};
use totpd_core::void_windows::{VoidWindow, VoidWindows};

use crate::mutex::lock;
use crate::sqlite::log_sizes::LEANING_PAGES;
use crate::sqlite::witness_file::WitnessFile;

/// Whether and how logins lean on a mark.
#[derive(Clone, Copy, Debug)]
pub struct MarkSettings<'a> {
    /// The directory of the witness, which is believed on a tmpfs alone.
    pub witness: &'a Path,
    /// False: an open mark is ended, and none is made.
    pub is_on: bool,
    /// The clock that logins are judged by, in seconds since 1970. It tells when a mark is over.
    pub now: fn() -> u64,
}

/// The mark of a running daemon.
pub(super) struct Marker {
    run: RunId,
    state: Mutex<State>,
}

struct State {
    leaning: Leaning,
    /// `None`: nobody ever leans.
    witness: Option<OpenWitness>,
    /// All that counts now. A failed flush adds a window that is not on disk yet.
    windows: Arc<VoidWindows>,
    /// The end of the log.
    end: Position,
    /// Up to here all is on disk.
    flushed: Position,
    /// A new mark was asked for, and not made yet.
    is_requested: bool,
}

/// The file of the witness, and the clock that logins are judged by (seconds since 1970).
pub(super) struct OpenWitness {
    pub(super) file: WitnessFile,
    pub(super) now: fn() -> u64,
}

/// A place in the log. It only grows, over new connections too.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    commit: u64,
    /// An estimate of the pages before it.
    pages: u64,
}

/// What becomes of the logins of a transaction, decided in it.
pub(super) struct Decision {
    /// The end of the log after the transaction.
    pub(super) position: Position,
    /// For each change: its login, if it may lean.
    leant: Vec<Option<(LeaningLogin, Leant)>>,
}

/// What a transaction did to the row of the mark.
#[derive(Clone, Copy)]
pub(super) enum MarkRow {
    Unchanged,
    Set(Mark),
    Removed,
}

/// What a change did to its row.
#[derive(Default)]
pub(super) struct Effect {
    /// An estimate of the pages that it wrote.
    pub(super) pages: u64,
    /// The login that it approved, if that may lean.
    pub(super) login: Option<LeaningLogin>,
}

impl Marker {
    /// Returns the mark of a store that has these void windows. `witness` is that of this run.
    /// Without it nobody leans.
    pub(super) fn new(run: RunId, witness: Option<OpenWitness>, windows: VoidWindows) -> Self {
        let mut leaning = Leaning::default();
        if witness.is_some() {
            leaning.witness_emptied();
        }
        Self::with_leaning(leaning, run, witness, windows)
    }

    /// Returns the mark of a store in which the end of `open` could not be made durable. Its window
    /// is among `windows`.
    pub(super) fn after_failed_start(open: Mark, run: RunId, windows: VoidWindows) -> Self {
        Self::with_leaning(Leaning::after_failed_start(open), run, None, windows)
    }

    fn with_leaning(
        leaning: Leaning,
        run: RunId,
        witness: Option<OpenWitness>,
        windows: VoidWindows,
    ) -> Self {
        let state = State {
            leaning,
            witness,
            windows: Arc::new(windows),
            end: Position::default(),
            flushed: Position::default(),
            is_requested: false,
        };
        Self { run, state: Mutex::new(state) }
    }

    pub(super) fn windows(&self) -> Arc<VoidWindows> {
        Arc::clone(&lock(&self.state).windows)
    }

    /// Reports whether a mark is to be made at `now` (seconds since 1970), and nobody was told so
    /// before.
    pub(super) fn request_mark(&self, now: u64) -> bool {
        let mut state = lock(&self.state);
        let is_due =
            state.witness.is_some() && !state.is_requested && state.leaning.wants_mark(now);
        state.is_requested |= is_due;
        is_due
    }

    /// Returns the mark that was requested at `now`, if it is still wanted.
    pub(super) fn requested_mark(&self, now: u64) -> Option<Mark> {
        let mut state = lock(&self.state);
        state.is_requested = false;
        (state.witness.is_some() && state.leaning.wants_mark(now)).then(|| Mark::new(now, self.run))
    }

    /// The request for a mark reached nobody.
    pub(super) fn forget_request(&self) {
        lock(&self.state).is_requested = false;
    }

    /// Reports whether there is a mark.
    pub(super) fn is_open(&self) -> bool {
        lock(&self.state).leaning.is_open()
    }

    /// Reports whether a usual login at `now` (seconds since 1970) would lean, and no other mark is
    /// being made.
    #[cfg(test)]
    pub(super) fn is_ready(&self, now: u64) -> bool {
        let state = lock(&self.state);
        !state.is_requested && state.leaning.is_ready(now) && !state.leaning.wants_mark(now)
    }

    /// Reports whether the mark is over.
    pub(super) fn is_over(&self) -> bool {
        let state = lock(&self.state);
        state.witness.as_ref().is_some_and(|open| state.leaning.is_over((open.now)()))
    }

    /// Nobody makes or uses a mark any more.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.leaning.stop();
        state.witness = None;
    }

    /// Nobody leans any more. The row is about to change.
    pub(super) fn stop(&self) {
        lock(&self.state).leaning.stop();
    }

    /// Reports whether the next transaction has to write the windows, and the end of the mark.
    pub(super) fn has_failed(&self) -> bool {
        lock(&self.state).leaning.has_failed()
    }

    /// Decides in a transaction, whose commit is the next thing to come, about its changes.
    pub(super) fn decide(&self, effects: Vec<Effect>) -> Decision {
        let mut state = lock(&self.state);
        state.end.commit += 1;
        state.end.pages += effects.iter().map(|effect| effect.pages).sum::<u64>();
        let position = state.end;
        // A full or stalled disk must not fill the log, which logins need.
        let has_space = state.unflushed_pages() < LEANING_PAGES;
        let leant = effects.into_iter().map(|effect| {
            let login = effect.login.filter(|_| has_space)?;
            let leant = state.leaning.lean(&login.used, login.now, position.commit)?;
            Some((login, leant))
        });
        Decision { position, leant: leant.collect() }
    }

    /// The transaction was committed. Returns for each change whether it is to be answered now. The
    /// witness knows of it then.
    pub(super) fn committed(&self, decision: Decision, row: MarkRow) -> Vec<bool> {
        let mut state = lock(&self.state);
        match row {
            MarkRow::Unchanged => {}
            MarkRow::Set(mark) => state.leaning.replace(Some(mark), decision.position.commit),
            MarkRow::Removed => state.leaning.replace(None, decision.position.commit),
        }
        let mut last = None;
        let mut answered: Vec<bool> = Vec::with_capacity(decision.leant.len());
        for leant in decision.leant {
            let login = leant.filter(|(_, leant)| state.leaning.begin_answer(*leant));
            answered.push(login.is_some());
            last = login.map(|(login, _)| login).or(last);
        }
        // One transaction is there as a whole or not at all, so the last login speaks for all.
        if let Some(LeaningLogin { acceptance, .. }) = last
            && !state.write(&Witness::Last { run: self.run, acceptance })
        {
            answered.fill(false);
        }
        answered
    }

    /// Reports whether a login may lean although others wait for their flush.
    pub(super) fn has_room(&self) -> bool {
        let state = lock(&self.state);
        state.leaning.is_in_use() && state.unflushed_pages() < LEANING_PAGES
    }

    /// Reports whether so much leans that the disk should get it now.
    pub(super) fn is_far_ahead(&self) -> bool {
        lock(&self.state).unflushed_pages() >= LEANING_PAGES / 2
    }

    /// A flush of everything up to `position` has returned.
    pub(super) fn flushed(&self, position: Position) {
        let mut state = lock(&self.state);
        state.flushed = position.max(state.flushed);
        if state.leaning.flushed(position.commit) && state.write(&Witness::Empty { run: self.run })
        {
            state.leaning.witness_emptied();
        }
    }

    /// A flush failed, or the log is not believed any more. After this the connection is replaced.
    pub(super) fn flush_failed(&self) {
        let mut state = lock(&self.state);
        // If that cannot be written, the next start compares the witness with the disk. Until then
        // each answer waits for the flush of the window.
        state.write(&Witness::Failed);
        if let Some(window) = state.leaning.flush_failed() {
            state.add_window(window);
        }
    }

    /// Returns the end of the log, if something that leans may not be on disk, or what takes the
    /// place of the row.
    pub(super) fn unflushed_end(&self) -> Option<Position> {
        let state = lock(&self.state);
        state.leaning.has_unflushed().then_some(state.end)
    }
}

impl State {
    fn unflushed_pages(&self) -> u64 {
        self.end.pages - self.flushed.pages
    }

    /// Writes the witness. Reports whether that succeeded. If not, nobody leans any more.
    fn write(&mut self, witness: &Witness) -> bool {
        let is_written = self.witness.as_ref().is_some_and(|open| open.file.write(witness).is_ok());
        if !is_written {
            self.leaning.witness_failed();
        }
        is_written
    }

    fn add_window(&mut self, window: VoidWindow) {
        let mut windows = VoidWindows::clone(&self.windows);
        windows.add(window);
        self.windows = Arc::new(windows);
    }
}
