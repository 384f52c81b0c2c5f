//! A history of a host with marks, the crashes in it, and what was promised before.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use totpd_core::mark::{RunId, Witness};

use super::eventually;
use super::place::{Place, Stall};
use crate::sqlite::log::trouble::Durable;
use crate::sqlite::tests::host::{Host, is_yes};

/// What a crash leaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Crash {
    /// The kernel keeps everything.
    Kill,
    /// What was flushed, and no witness.
    Power,
    /// Everything, and no witness.
    LuckyPower,
    /// What was flushed, and the witness.
    Storage,
    /// What was flushed, beside the witness of another host.
    Move,
}

/// A code that was accepted.
pub(super) struct Yes {
    pub(super) name: String,
    pub(super) step: u64,
    /// The time of the login, in seconds since 1970.
    now: u64,
}

/// A host, and what was promised there.
pub(super) struct Scene {
    // A stall ends before the store is closed, which waits for it.
    stall: Option<Stall>,
    host: Option<Host>,
    pub(super) place: Place,
    pub(super) yes: Vec<Yes>,
    denied: u32,
}

impl Scene {
    /// Returns a host with two users.
    pub(super) fn new() -> Self {
        let place = Place::new(2);
        Durable::read(&place.store()).unwrap().remember(&place.store()).unwrap();
        let host = Some(place.open());
        Self { stall: None, host, place, yes: Vec::new(), denied: 0 }
    }

    pub(super) fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    /// From now on no flush returns.
    pub(super) fn stall(&mut self) {
        if self.stall.is_none() {
            self.stall = Some(self.place.stall());
        }
    }

    /// From now on flushes return.
    pub(super) fn go_on(&mut self) {
        self.stall = None;
    }

    /// Returns the stall, for a test that ends it while others use the scene.
    pub(super) fn take_stall(&mut self) -> Option<Stall> {
        self.stall.take()
    }

    /// From now on no flush returns, and until the next crash nobody waits for one for long.
    pub(super) fn stall_and_hurry(&mut self) {
        self.stall();
        self.hurry(Duration::from_millis(200));
    }

    /// Until the next crash nobody waits longer than this.
    pub(super) fn hurry(&mut self, timeout: Duration) {
        self.host.iter_mut().for_each(|host| host.hurry(timeout));
    }

    /// Remembers the files as they are: they are on disk without a flush of the log.
    pub(super) fn remember_disk(&self) {
        let directory = self.place.store();
        Durable::read(&directory).unwrap().remember(&directory).unwrap();
    }

    /// Remembers that the present code of a user was accepted.
    pub(super) fn remember(&mut self, name: &str) {
        let (step, now) = (self.host().step(), self.host().now());
        self.yes.push(Yes { name: name.into(), step, now });
    }

    /// Logs in by the code of a step. Somebody who waits for a stalled flush gets no answer.
    pub(super) fn login(&mut self, name: &str, step: u64) -> bool {
        let (is_in, now) = (is_yes(&self.host().verify(name, step)), self.host().now());
        if is_in {
            self.yes.push(Yes { name: name.into(), step, now });
        }
        is_in
    }

    /// Logs in by the present code, on a mark. Nothing of that is on disk.
    pub(super) fn lean(&mut self, name: &str) {
        self.host().prompt();
        self.stall();
        assert!(self.login(name, self.host().step()), "it does not lean");
    }

    /// Guesses at a code of the user whose guesses [`Scene::check`] counts.
    pub(super) fn guess(&mut self) {
        self.denied += u32::from(self.host().guess("user0").is_ok());
    }

    /// Has everything flushed that was committed.
    pub(super) fn flush(&self) {
        self.host().guess("user1").unwrap();
    }

    /// The flush of a login that leans fails, and what it should flush is lost.
    pub(super) fn lose_flush(&mut self) {
        self.place.begin_trouble("test-lost-write");
        self.go_on();
        let windows = || self.host().opened.store.void_windows();
        eventually("the flush has failed", || windows().iter().count() == 1);
    }

    /// Crashes, and starts again.
    pub(super) fn crash(&mut self, crash: Crash) {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let next = Place { folder, users: self.place.users };
        for directory in [next.witness(), next.store()] {
            fs::create_dir(&directory).unwrap();
            fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
        }
        // The witness comes first: a flush in between may empty it.
        let says = next.witness().join("last");
        match crash {
            Crash::Kill | Crash::Storage => {
                fs::copy(self.place.witness().join("last"), says).unwrap();
            }
            Crash::Power | Crash::LuckyPower => {}
            Crash::Move => {
                let run = RunId::from_random([9; 16]);
                fs::write(says, Witness::Empty { run }.encode()).unwrap();
            }
        }
        let durable = match crash {
            Crash::Kill | Crash::LuckyPower => Durable::read(&self.place.store()).unwrap(),
            _ => Durable::remembered(&self.place.store()).unwrap(),
        };
        durable.put(&next.store()).unwrap();
        for file in fs::read_dir(next.store()).unwrap() {
            fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o600)).unwrap();
        }
        durable.remember(&next.store()).unwrap();
        for file in fs::read_dir(self.place.store()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if !name.starts_with("store.db") && !name.starts_with("test-") {
                fs::copy(self.place.store().join(&name), next.store().join(&name)).unwrap();
            }
        }
        self.go_on();
        self.host = None;
        self.place = next;
        self.start();
    }

    /// Stops without ending the mark, and starts again.
    pub(super) fn restart(&mut self) {
        self.host = None;
        self.start();
    }

    fn start(&mut self) {
        let host = Host::open_with(&self.place.store(), Some(&self.place.witness()));
        self.host = Some(host.unwrap());
    }

    /// Checks that no accepted code is good again, and that no guess is forgotten.
    pub(super) fn check(&self) -> Result<(), String> {
        let host = self.host();
        let record = host.record("user0").map_err(|error| error.to_string())?;
        let counted = record.map_or(0, |record| record.throttle.unknown_sources().failures());
        if counted < self.denied {
            return Err(format!("{} guesses, {counted} counted", self.denied));
        }
        for Yes { name, step, now } in &self.yes {
            for later in [0, 30, 60, 90] {
                host.set_clock(now + later);
                if is_yes(&host.verify(name, *step)) {
                    return Err(format!("a code is good again, {later} s after its login"));
                }
            }
        }
        Ok(())
    }
}
