//! A store on a disk: commits, of which a crash keeps a prefix.

use std::vec::Vec;

use crate::mark::Mark;
use crate::record::Record;
use crate::void_windows::VoidWindows;

/// All that is in the store.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) records: Vec<Record>,
    pub(super) mark: Option<Mark>,
    pub(super) voids: VoidWindows,
}

pub(super) struct Disk {
    /// What the process sees, each commit with its position. The first one is durable.
    commits: Vec<(u64, State)>,
    /// What a failed flush left on disk: so many commits. The kernel still shows the others, and no
    /// later flush writes them.
    hole: Option<usize>,
    next: u64,
    /// The next flush fails, and leaves so many commits of those that it had to write.
    pub(super) fault: Option<usize>,
}

/// An error of a flush.
pub(super) struct FlushError;

impl Disk {
    pub(super) fn new(state: State) -> Self {
        Self { commits: [(0, state)].into(), hole: None, next: 1, fault: None }
    }

    pub(super) fn last(&self) -> &State {
        &self.commits.last().unwrap().1
    }

    /// Returns the position of the next commit.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn commit(&mut self, state: State) -> u64 {
        self.commits.push((self.next, state));
        self.next += 1;
        self.next - 1
    }

    /// Returns the position up to which all is durable, as far as the process can know.
    pub(super) fn flush(&mut self) -> Result<u64, FlushError> {
        if let Some(keep) = self.fault.take() {
            let left = (1 + keep).min(self.commits.len());
            self.hole = Some(self.hole.unwrap_or(left).min(left));
            return Err(FlushError);
        }
        let position = self.commits.last().unwrap().0;
        let durable = self.hole.unwrap_or(self.commits.len());
        self.commits.drain(..durable - 1);
        self.hole = self.hole.map(|_| 1);
        Ok(position)
    }

    /// The pages that the kernel holds, and that no flush will write, are read from the disk again.
    pub(super) fn drop_cache(&mut self) {
        let left = self.hole.take().unwrap_or(self.commits.len());
        self.commits.truncate(left);
    }

    /// A crash that keeps `keep` commits at most of those that are not durable.
    pub(super) fn lose(&mut self, keep: usize) {
        self.drop_cache();
        self.commits.truncate(1 + keep);
        self.commits.drain(..self.commits.len() - 1);
    }

    /// Another file takes the place of the store.
    pub(super) fn replace(&mut self, state: State) {
        self.commits = [(self.next, state)].into();
        self.next += 1;
        self.hole = None;
    }
}
