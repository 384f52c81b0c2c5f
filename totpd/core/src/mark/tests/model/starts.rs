//! Crashes, starts, and what follows a flush that failed.

use crate::factor::MAX_SKEW;
use crate::mark::tests::model::history::Crash;
use crate::mark::tests::model::host::{Halt, Host};
use crate::mark::tests::model::rules::Rule;
use crate::mark::tests::model::users::USERS;
use crate::mark::{Ending, Leaning, Mark, RunId, Witness, ending_at_start};
use crate::user_name::UserName;
use crate::void_windows::VoidWindow;

impl Host {
    pub(super) fn crash(&mut self, crash: Crash) {
        match crash {
            Crash::Kill => return,
            Crash::Power(keep) => {
                self.disk.lose(keep);
                self.witness = None;
            }
            Crash::Storage(keep) => self.disk.lose(keep),
            Crash::Move(keep) => {
                self.disk.lose(keep);
                self.witness = Some(Witness::Empty { run: RunId::from_random([255; 16]) });
            }
        }
        self.oracle.is_tainted = true;
    }

    /// Starts the daemon.
    pub(super) fn start(&mut self) -> Result<(), Halt> {
        self.runs = self.runs.wrapping_add(1);
        self.run = RunId::from_random([self.runs; 16]);
        (self.leaning, self.is_mute) = (Leaning::default(), false);
        let is_flushed = self.disk.flush().is_ok();
        self.oracle.is_tainted |= !is_flushed;
        self.tick()?;
        if !is_flushed {
            return self.start_after_failed_flush();
        }
        if self.keeps(Rule::StartReadsTheDisk) {
            self.disk.drop_cache();
        }
        let mut state = self.disk.last().clone();
        self.voids = state.voids.clone();
        if let Some(mark) = state.mark.take() {
            if let Ending::Void(window) = self.judge_mark(mark) {
                let window = match self.keeps(Rule::WindowHasTheSkew) {
                    true => window,
                    false => {
                        VoidWindow::new(window.from() + u64::from(MAX_SKEW) * 30, window.until())
                    }
                };
                self.voids.add(window);
            }
            if !self.keeps(Rule::WindowAndEndAreOne) {
                self.disk.commit(state.clone());
                self.tick()?;
            }
            state.voids = self.voids.clone();
            self.disk.commit(state);
            self.tick()?;
            if self.disk.flush().is_err() {
                self.oracle.is_tainted = true;
                self.tick()?;
                return self.start_after_failed_flush();
            }
            self.tick()?;
        }
        self.empty_witness()
    }

    fn judge_mark(&self, mark: Mark) -> Ending {
        let records = &self.disk.last().records;
        let find = |user: &UserName| {
            USERS.iter().position(|name| *name == user.as_str()).map(|at| records[at].clone())
        };
        let is_believed = match &self.witness {
            None => !self.keeps(Rule::MissingWitnessIsVoid),
            Some(Witness::Last { .. }) => !self.keeps(Rule::WitnessIsCompared),
            Some(Witness::Empty { .. }) => !self.keeps(Rule::WitnessIsOfTheRun),
            Some(Witness::Failed) => false,
        };
        match is_believed {
            true => Ending::Complete,
            false => ending_at_start(&mark, self.witness.as_ref(), find),
        }
    }

    fn start_after_failed_flush(&mut self) -> Result<(), Halt> {
        self.oracle.is_tainted = true;
        if !self.write_witness(Witness::Failed) {
            self.is_mute = true;
        }
        self.tick()?;
        self.disk.drop_cache();
        let state = self.disk.last();
        self.voids = state.voids.clone();
        if let Some(mark) = state.mark {
            self.voids.add(mark.void_window());
            self.leaning = Leaning::after_failed_start(mark);
        }
        Ok(())
    }

    /// Nothing that leaned waits for a flush.
    pub(super) fn empty_witness(&mut self) -> Result<(), Halt> {
        if self.write_witness(Witness::Empty { run: self.run }) {
            self.leaning.witness_emptied();
            self.oracle.is_tainted = false;
        } else {
            self.leaning.witness_failed();
        }
        self.tick()
    }

    pub(super) fn flush_failed(&mut self) -> Result<(), Halt> {
        self.failures += 1;
        self.oracle.is_tainted = true;
        self.tick()?;
        if self.keeps(Rule::FailureIsWitnessed) && !self.write_witness(Witness::Failed) {
            self.is_mute = true;
        }
        self.tick()?;
        if let Some(window) = self.leaning.flush_failed()
            && self.keeps(Rule::WindowIsVoidAtOnce)
        {
            self.voids.add(window);
        }
        self.tick()?;
        self.disk.drop_cache();
        Ok(())
    }
}
