//! The work that the campaign of crashes interrupts, with marks in every phase.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use totpd_core::enrollment::Confirmation;

use super::promises::{Act, Mark};
use crate::blocking;
use crate::sqlite::connection::restart_wal;
use crate::sqlite::database::Database;
use crate::sqlite::tests::host::{Host, is_yes};
use crate::sqlite::tests::marks::{eventually, rows};

/// A host that says before and after each step what it does.
struct Writer<'a> {
    host: Host,
    mark: &'a dyn Fn(Mark),
}

impl Writer<'_> {
    fn phase(&self, phase: &'static str) {
        (self.mark)(Mark::Phase(phase));
    }

    fn act(&self, act: Act, work: impl Fn()) {
        (self.mark)(Mark::Begun(act.clone()));
        work();
        (self.mark)(Mark::Done(act));
    }

    fn enroll(&self, name: &str) {
        self.act(Act::Enroll(name.into()), || self.host.enroll(name).unwrap());
        self.act(Act::Confirm(name.into(), self.host.step()), || {
            assert_eq!(self.host.confirm(name).unwrap(), Confirmation::Verified);
        });
        self.host.wait(1);
    }

    /// Shows a prompt, and waits for its mark.
    fn prompt(&self) {
        if !self.host.is_ready() {
            self.phase("a mark is made");
        }
        self.host.prompt();
        self.phase("a mark is there");
    }

    /// Logs in, leaning or not. The login is committed by the thread, or as on the private socket.
    fn login(&self, name: &str, is_inline: bool) {
        let step = self.host.step();
        self.act(Act::Approve(name.into(), step), || {
            let _allowed = is_inline.then(blocking::allow);
            assert!(is_yes(&self.host.verify(name, step)));
        });
    }

    fn approve(&self, name: &str) {
        self.prompt();
        self.phase("a login leans");
        self.login(name, name.ends_with(['1', '3', '5']));
    }

    /// Logs in while the flush of a mark is under way. The clock was set back by so many seconds
    /// when it was made.
    fn login_while_a_mark_is_made(&self, folder: &Path, name: &str, back: u64) {
        let (now, step) = (self.host.now(), self.host.step());
        let stall = folder.join("test-stalled-flush");
        fs::write(&stall, "").unwrap();
        self.host.set_clock(now - back);
        self.host.prompt_without_waiting();
        let from = || rows(&self.host).mark.map(|mark| mark.void_window().from());
        eventually("another row", || from() == Some(now - back));
        self.host.set_clock(now);
        let act = Act::Approve(name.into(), step);
        (self.mark)(Mark::Begun(act.clone()));
        thread::scope(|scope| {
            let host = &self.host;
            let login = scope.spawn(move || is_yes(&host.verify(name, step)));
            // It does not lean on the mark that is replaced. If it did, that would be answered now.
            let end = Instant::now() + Duration::from_millis(50);
            while !login.is_finished() && Instant::now() < end {
                thread::park_timeout(Duration::from_millis(1));
            }
            if login.is_finished() {
                (self.mark)(Mark::Done(act.clone()));
            }
            fs::remove_file(&stall).unwrap();
            assert!(login.join().unwrap());
        });
        (self.mark)(Mark::Done(act));
        self.host.wait(1);
    }

    fn deny(&self, name: &str) {
        self.act(Act::Deny(name.into()), || {
            let _allowed = blocking::allow();
            assert!(!is_yes(&self.host.guess(name)));
        });
    }

    fn recover(&self, name: &str, code: &str) {
        self.act(Act::Recover(name.into(), code.into()), || {
            let _allowed = blocking::allow();
            assert!(is_yes(&self.host.recover(name, code)));
        });
    }

    fn remove(&self, name: &str) {
        self.act(Act::Remove(name.into()), || self.host.remove(name).unwrap());
    }

    fn rekey(&self) {
        self.prompt();
        self.phase("a rekey");
        (self.mark)(Mark::Begun(Act::Rekey(String::new())));
        let key = self.host.rekey().unwrap().key.to_string();
        (self.mark)(Mark::Done(Act::Rekey(key)));
    }

    fn sign(&self) {
        let (signer, time) = self.host.signed().unwrap();
        (self.mark)(Mark::Done(Act::Sign(signer, time)));
    }

    /// Does `work` on the file, beside which nobody uses it.
    fn exclusively(&self, work: impl FnOnce(&mut Database) + Send + 'static) {
        let (sender, done) = channel();
        let work = move |database: &mut Database| {
            work(database);
            sender.send(()).unwrap();
        };
        self.host.opened.local.writer().unwrap().exclusive(work).unwrap();
        done.recv().unwrap();
    }

    /// Does what the mark of this round has to go through.
    fn go_through_a_phase(&self, round: usize, folder: &Path) {
        match round % 7 {
            0 => {
                self.host.wait(4);
                self.phase("a mark is made");
                self.login_while_a_mark_is_made(folder, "user2", 0);
            }
            1 => {
                self.prompt();
                self.deny("user2");
            }
            2 => {
                // Logins lean on a log that restarts.
                self.approve("user1");
                self.phase("a checkpoint");
                self.exclusively(|database| restart_wal(database.connection().unwrap()).unwrap());
                self.login("user4", false);
                self.deny("user4");
            }
            3 => {
                // The next prompt replaces the mark of a prompt that nobody answers.
                self.prompt();
                self.host.wait(2);
                self.phase("a mark is replaced");
                self.host.prompt();
                self.login_while_a_mark_is_made(folder, "user2", 1000);
            }
            4 => {
                self.approve("user2");
                let trouble = folder.join("test-failed-flush");
                fs::write(&trouble, "").unwrap();
                self.phase("a flush fails");
                (self.mark)(Mark::Begun(Act::Deny("user3".into())));
                self.host.guess("user3").unwrap_err();
                fs::remove_file(&trouble).unwrap();
                self.deny("user3");
                self.host.wait(4);
            }
            5 => {
                (0..3).for_each(|n| self.approve(&format!("user{n}")));
                self.phase("a mark ends");
                self.exclusively(|database| database.end_mark().map_err(drop).unwrap());
                self.host.wait(1);
            }
            6 => {
                self.prompt();
                self.phase("more lean than half of the reserve holds");
                (0..6).for_each(|n| self.login(&format!("user{n}"), false));
                self.host.wait(1);
            }
            _ => {}
        }
    }
}

/// Works on the store in `folder`, and says before and after each step what it does.
pub(super) fn write((folder, witness): (&Path, &Path), rounds: usize, mark: &dyn Fn(Mark)) {
    let writer = Writer { host: Host::open_with(folder, Some(witness)).unwrap(), mark };
    let host = &writer.host;
    (0..6).for_each(|n| writer.enroll(&format!("user{n}")));
    writer.sign();
    // Until a restore, which voids them.
    let codes = host.recovery_codes("user1", 4).unwrap();
    let later = host.recovery_codes("user4", 4).unwrap();
    for round in 0..rounds {
        if round < 2 {
            codes.iter().skip(2 * round).take(2).for_each(|code| writer.recover("user1", code));
            later.iter().skip(round).take(1).for_each(|code| writer.recover("user4", code));
        }
        for n in 0..6 {
            let name = format!("user{n}");
            writer.approve(&name);
            writer.deny(&name);
        }
        host.wait(2);
        writer.go_through_a_phase(round, folder);
        host.wait(1);
        match round {
            0 => {
                writer.rekey();
                writer.sign();
            }
            1 => {
                let backup = host.backup().unwrap();
                writer.remove("user5");
                writer.enroll("late");
                writer.approve("late");
                writer.prompt();
                writer.phase("a restoration");
                // Only the backup has user5 and not late.
                let restore = || assert_eq!(host.restore(&backup).unwrap().users, 6);
                writer.act(Act::Restore, restore);
                // Past the steps that it closes: the skew, and those of a phone that runs ahead.
                host.wait(13);
            }
            2 => {
                writer.rekey();
                writer.remove("user0");
                writer.enroll("user0");
            }
            _ => {}
        }
    }
    writer.approve("user0");
    writer.phase("a stop");
    host.opened.local.end_mark().unwrap();
    host.wait(1);
    writer.login("user0", false);
}

/// What the states have to be in, each some.
pub(super) const PHASES: [&str; 12] = [
    "no mark",
    "a mark is made",
    "a mark is there",
    "a login leans",
    "a checkpoint",
    "a mark is replaced",
    "a flush fails",
    "a mark ends",
    "more lean than half of the reserve holds",
    "a rekey",
    "a restoration",
    "a stop",
];
