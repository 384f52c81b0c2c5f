//! A host: a store, a tmpfs, a clock, and a daemon that is started again after each crash.

use std::string::String;
use std::vec::Vec;

use crate::mark::tests::model::disk::{Disk, State};
use crate::mark::tests::model::history::{Act, Crash, Item, Login};
use crate::mark::tests::model::oracle::Oracle;
use crate::mark::tests::model::rules::Rule;
use crate::mark::tests::model::users::{USERS, record};
use crate::mark::{Leaning, Mark, RunId, Witness};
use crate::record::Record;
use crate::restoration::{ReplayFloor, apply_floor, keep_used_codes, restore};
use crate::void_windows::{VoidWindow, VoidWindows};

pub(super) struct Host {
    pub(super) disk: Disk,
    /// `None` if there is none, or if it is torn.
    pub(super) witness: Option<Witness>,
    /// The next write of the witness fails; true: what was there is torn.
    witness_fault: Option<bool>,
    rows_fail: bool,
    pub(super) now: u64,
    pub(super) skew: u64,
    pub(super) left_out: Option<Rule>,
    /// Steps until a crash.
    fuse: Option<u32>,
    backup: Vec<Record>,
    pub(super) oracle: Oracle,
    // What is in the memory of the daemon.
    pub(super) leaning: Leaning,
    pub(super) voids: VoidWindows,
    pub(super) run: RunId,
    pub(super) runs: u8,
    /// Not even "failed" could be written. Nobody is answered until the window is durable.
    pub(super) is_mute: bool,
    /// The failed flushes so far.
    pub(super) failures: u64,
    pub(super) imports: u8,
}

/// Why something did not come to its end.
#[derive(Debug)]
pub(super) enum Halt {
    Crash,
    /// What is wrong.
    Found(String),
}

impl Host {
    pub(super) fn new(skew: u64, left_out: Option<Rule>) -> Self {
        let records: Vec<_> = USERS.iter().enumerate().map(|(user, _)| record(user)).collect();
        let state = State { records: records.clone(), mark: None, voids: VoidWindows::NONE };
        let mut host = Self {
            disk: Disk::new(state),
            witness: None,
            witness_fault: None,
            rows_fail: false,
            now: BEGINNING,
            skew,
            left_out,
            fuse: None,
            backup: records,
            oracle: Oracle::default(),
            leaning: Leaning::default(),
            voids: VoidWindows::NONE,
            run: RunId::from_random([0; 16]),
            runs: 0,
            is_mute: false,
            failures: 0,
            imports: 0,
        };
        host.start().unwrap();
        host
    }

    pub(super) fn keeps(&self, rule: Rule) -> bool {
        self.left_out != Some(rule)
    }

    /// One step is done. A crash may be due.
    pub(super) fn tick(&mut self) -> Result<(), Halt> {
        match &mut self.fuse {
            Some(0) => Err(Halt::Crash),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Plays one item. A crash that has not come by its end comes then.
    pub(super) fn play(&mut self, item: &Item) -> Result<(), String> {
        let mut cuts = item.cuts.iter();
        let mut cut = cuts.next();
        self.fuse = cut.map(|cut| cut.after);
        let mut outcome = self.act(item.act);
        loop {
            match (outcome, cut) {
                (Err(Halt::Found(found)), _) => return Err(found),
                (Ok(()) | Err(Halt::Crash), None) => break,
                (Ok(()) | Err(Halt::Crash), Some(due)) => {
                    let before = self.voids.clone();
                    let is_clean = matches!(due.crash, Crash::Kill) && !self.oracle.is_tainted;
                    self.crash(due.crash);
                    cut = cuts.next();
                    self.fuse = cut.map(|cut| cut.after);
                    outcome = self.start();
                    let is_clean = is_clean && !self.oracle.is_tainted;
                    if is_clean && outcome.is_ok() && self.voids != before {
                        return Err("codes are void after a daemon was killed".into());
                    }
                }
            }
        }
        if !self.keeps(Rule::WindowsAreKept) {
            let is_over = |window: VoidWindow| window.until() + 300 < self.now;
            if self.voids.iter().any(is_over) {
                self.voids = VoidWindows::NONE;
            }
        }
        self.oracle.check(&self.disk.last().records)
    }

    fn act(&mut self, act: Act) -> Result<(), Halt> {
        match act {
            Act::Nothing => Ok(()),
            Act::Begin => self.begin(),
            Act::End => self.end_mark(),
            Act::Flush(late) => self.flush(late).map(|_| ()),
            Act::Login(login) => self.login(login),
            Act::Both(one, other) => self.both(one, other),
            Act::FirstCode(login) => self.first_code(login),
            Act::Resync(login) => self.resync(login),
            Act::Stop => self.stop(),
            Act::Backup => {
                self.backup = self.disk.last().records.clone();
                Ok(())
            }
            Act::Restore => self.restore(),
            Act::FailFlush(keep) => {
                self.disk.fault = Some(keep);
                Ok(())
            }
            Act::FailWitness(is_torn) => {
                self.witness_fault = Some(is_torn);
                Ok(())
            }
            Act::FailRows(fail) => {
                self.rows_fail = fail;
                Ok(())
            }
            Act::Clock(seconds) => {
                self.now = self.now.saturating_add_signed(seconds);
                Ok(())
            }
        }
    }

    /// Writes the witness. Reports whether that succeeded.
    pub(super) fn write_witness(&mut self, witness: Witness) -> bool {
        if let Some(is_torn) = self.witness_fault.take() {
            self.oracle.is_tainted = true;
            self.witness = self.witness.take().filter(|_| !is_torn);
            return false;
        }
        self.witness = Witness::decode(&witness.encode());
        true
    }

    /// A prompt.
    fn begin(&mut self) -> Result<(), Halt> {
        if self.rows_fail || !self.leaning.wants_mark(self.now) {
            return Ok(());
        }
        let mark = Mark::new(self.now, self.run);
        let is_first = self.leaning.mark().is_none();
        let is_noted = is_first || self.keeps(Rule::NobodyLeansWhileAMarkIsMade);
        if is_noted {
            self.leaning.stop();
        }
        self.tick()?;
        let position = self.disk.commit(State { mark: Some(mark), ..self.disk.last().clone() });
        if is_noted {
            self.leaning.replace(Some(mark), position);
        }
        if !self.keeps(Rule::MarkIsDurableFirst) {
            self.leaning.flushed(position);
        }
        self.tick()
    }

    /// Ends the mark, if there is one. The end is not durable yet.
    fn end_mark(&mut self) -> Result<(), Halt> {
        if self.rows_fail || self.leaning.has_failed() || self.disk.last().mark.is_none() {
            return Ok(());
        }
        if self.keeps(Rule::NobodyLeansAfterTheEnd) {
            self.leaning.stop();
        }
        self.tick()?;
        let position = self.disk.commit(State { mark: None, ..self.disk.last().clone() });
        if self.keeps(Rule::NobodyLeansAfterTheEnd) {
            self.leaning.replace(None, position);
        }
        self.tick()
    }

    /// SIGTERM, and another start.
    fn stop(&mut self) -> Result<(), Halt> {
        self.end_mark()?;
        self.flush(None)?;
        self.start()
    }

    /// After a failed flush: writes the window and the end of the mark, as each change tries to.
    /// Reports whether logins may be answered.
    pub(super) fn write_window(&mut self) -> Result<bool, Halt> {
        if self.leaning.has_failed() && !self.rows_fail {
            let voids = self.voids.clone();
            let position =
                self.disk.commit(State { mark: None, voids, ..self.disk.last().clone() });
            self.leaning.replace(None, position);
            self.tick()?;
        }
        if self.is_mute {
            self.is_mute = !self.flush(None)? || self.leaning.has_failed();
        }
        Ok(!self.is_mute)
    }

    /// Flushes. Reports whether that succeeded.
    pub(super) fn flush(&mut self, late: Option<Login>) -> Result<bool, Halt> {
        let Ok(position) = self.disk.flush() else {
            self.flush_failed()?;
            return Ok(false);
        };
        self.tick()?;
        if let Some(login) = late {
            self.login(login)?;
        }
        let is_empty = self.leaning.flushed(position);
        let is_emptied = match self.leaning.has_failed() {
            true => is_empty || !self.keeps(Rule::FailedStays),
            false => is_empty || !self.keeps(Rule::EmptiedBehindTheLast),
        };
        if is_emptied {
            self.empty_witness()?;
        }
        Ok(true)
    }

    fn restore(&mut self) -> Result<(), Halt> {
        if self.keeps(Rule::RestorationEndsTheMark) {
            self.write_window()?;
            self.end_mark()?;
            if !self.flush(None)? || self.disk.last().mark.is_some() {
                return Ok(());
            }
        }
        self.tick()?;
        let floor = ReplayFloor { time: self.now, skew: self.skew };
        let mut records = self.backup.clone();
        for (restored, present) in records.iter_mut().zip(&self.disk.last().records) {
            restore(restored, self.now);
            keep_used_codes(restored, present, self.now);
            apply_floor(restored, floor);
        }
        if !self.keeps(Rule::RestorationTakesWindowsAlong) {
            self.voids = VoidWindows::NONE;
        }
        self.oracle.restored(&records);
        self.disk.replace(State { records, mark: None, voids: self.voids.clone() });
        self.tick()
    }
}

/// The beginning of a time step of each period.
const BEGINNING: u64 = 1_000_000_200;
