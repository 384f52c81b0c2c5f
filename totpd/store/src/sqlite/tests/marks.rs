//! Logins that lean on a mark, and what a crash makes of it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use totpd_core::mark::Witness;
use totpd_core::verification::{Reason, Verdict};
use totpd_core::void_windows::VoidWindows;

use crate::backend::StoreError;
use crate::sqlite::database::Database;
use crate::sqlite::mark_rows::{self, MarkRows};
use crate::sqlite::tests::host::{Host, is_yes};

mod bad_rows;
mod clocks;
mod histories;
mod leaning;
mod place;
mod random;
mod scene;

use place::Place;

pub(super) fn rows(host: &Host) -> MarkRows {
    let keys = host.opened.local.keys().get();
    let rows = host.opened.local.read_now(move |connection| {
        Ok(mark_rows::read(connection, &keys).map_err(|error| format!("{error:?}")))
    });
    rows.unwrap().unwrap()
}

pub(super) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn a_login_that_leans_is_flushed_behind_its_answer() {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    assert!(rows(&host).mark.is_some(), "the row is there before anybody leans");
    place.begin_trouble("test-flushes");
    let stall = place.stall();
    assert!(is_yes(&host.verify("user0", host.step())));
    match place.says() {
        Some(Witness::Last { acceptance, .. }) => {
            assert_eq!((acceptance.user.as_str(), acceptance.step), ("user0", host.step()));
        }
        other => panic!("{other:?}"),
    }
    drop(stall);
    eventually("the witness is empty", || matches!(place.says(), Some(Witness::Empty { .. })));
    assert!(place.flushes() >= 1);
}

#[test]
fn all_else_waits_for_its_flush() {
    let place = Place::new(2);
    let host = place.open();
    let codes = host.recovery_codes("user0", 1).unwrap();
    host.prompt();
    let waits = |what: &str, work: &(dyn Fn() -> Result<Verdict, StoreError> + Sync)| {
        let stall = place.stall();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                work().unwrap();
                is_done.store(true, Ordering::SeqCst);
            });
            // Another login is committed behind it, and leans.
            eventually("a login leans", || {
                is_yes(&host.verify("user1", host.step())) || {
                    host.wait(1);
                    host.prompt_without_waiting();
                    false
                }
            });
            assert!(!is_done.load(Ordering::SeqCst), "{what} does not wait for its flush");
            drop(stall);
        });
        host.wait(1);
        host.prompt();
    };
    waits("a wrong code", &|| host.guess("user0"));
    waits("a code ahead of the clock", &|| host.verify("user0", host.step() + 1));
    waits("a recovery code", &|| host.recover("user0", &codes[0]));
}

#[test]
fn no_more_leans_than_half_of_the_reserve_holds() {
    let place = Place::new(20);
    let host = place.open();
    host.prompt();
    let step = host.step();
    let stall = place.stall();
    let mut answered = 0;
    thread::scope(|scope| {
        let is_committed = |name: &str| {
            let record = host.record(name).unwrap().unwrap();
            record.factors[0].last_accepted == Some(step)
        };
        let waiting = place.names().find_map(|name| {
            let (host, of_user) = (&host, name.clone());
            let login = scope.spawn(move || is_yes(&host.verify(&of_user, step)));
            eventually("the login is committed", || is_committed(&name));
            if !host.opened.local.marker().has_room() {
                return Some(login);
            }
            assert!(login.join().unwrap(), "{name} waits");
            answered += 1;
            None
        });
        let waiting = waiting.expect("twenty logins fit into half of the reserve");
        assert!(!waiting.is_finished(), "it does not wait for its flush");
        drop(stall);
        assert!(waiting.join().unwrap());
    });
    assert!(answered > 0, "nobody leaned");
}

#[test]
fn a_crash_makes_void_what_the_store_may_lack_and_nothing_else() {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    let (before, empty) = (Place::copy(&place.store()), Place::copy(&place.witness()));
    let stall = place.stall();
    let step = host.step();
    assert!(is_yes(&host.verify("user0", step)));
    let (after, last) = (Place::copy(&place.store()), Place::copy(&place.witness()));
    drop(stall);
    let until = rows(&host).mark.unwrap().void_window().until();
    drop(host);
    let torn = Place::copy(last.path());
    fs::write(torn.path().join("last"), [0; 336]).unwrap();
    let foreign = tempfile::tempdir_in("/dev/shm").unwrap();
    drop(Host::open_with(&Place::new(1).store(), Some(foreign.path())).unwrap());
    for (what, store, witness, is_void) in [
        ("killed, and nothing is lost", &after, Some(&last), false),
        ("killed before the login", &before, Some(&empty), false),
        ("the storage lost the login", &before, Some(&last), true),
        ("a power cut that kept the login", &after, None, true),
        ("a power cut", &before, None, true),
        ("the witness is torn", &after, Some(&torn), true),
        ("the witness of another host", &after, Some(&foreign), true),
    ] {
        let store = Place::copy(store.path());
        let _ = fs::remove_file(store.path().join("test-stalled-flush"));
        fs::set_permissions(store.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let witness = witness.map(|witness| Place::copy(witness.path()));
        let none = tempfile::tempdir_in("/dev/shm").unwrap();
        let witness = witness.as_ref().unwrap_or(&none).path();
        let host = Host::open_with(store.path(), Some(witness)).unwrap();
        host.at(step);
        assert_eq!(host.opened.store.void_windows().iter().count() > 0, is_void, "{what}");
        assert!(rows(&host).mark.is_none(), "{what}");
        let verdict = host.verify("user0", step).unwrap();
        match (is_void, &verdict) {
            (true, Verdict::Void { retry_after }) => {
                assert_eq!(step * 30 + retry_after, (until / 30 + 1) * 30, "{what}");
            }
            (false, Verdict::Denied(Reason::Replayed)) => {}
            // The login that the copy does not know was never answered there.
            (false, Verdict::Approved { .. }) => assert!(what.contains("before the login")),
            (_, other) => panic!("{what}: {other:?}"),
        }
        // A restart changes nothing of that, and the next steps are good.
        drop(host);
        let host = Host::open_with(store.path(), Some(witness)).unwrap();
        host.at(step);
        assert!(!is_yes(&host.verify("user0", step)), "{what}");
        host.at(until / 30 + 1);
        assert!(is_yes(&host.verify("user0", host.step())), "{what}");
    }
}

#[test]
fn without_a_tmpfs_every_login_waits() {
    let place = Place::new(1);
    let on_disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let host = Host::open_with(&place.store(), Some(on_disk.path())).unwrap();
    host.wait(1);
    host.opened.store.note_prompt(1_800_000_030);
    assert!(is_yes(&host.verify("user0", host.step())));
    assert!(rows(&host).mark.is_none());
    assert!(!host.opened.local.marker().is_ready(1_800_000_030));
}

#[test]
fn a_failed_flush_makes_its_minute_void_until_that_is_durable_too() {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    let until = rows(&host).mark.unwrap().void_window().until();
    let step = host.step();
    place.begin_trouble("test-failed-flush");
    assert!(is_yes(&host.verify("user0", step)), "it leans");
    eventually("its flush failed", || host.opened.store.void_windows().iter().count() == 1);
    assert_eq!(place.says(), Some(Witness::Failed));
    assert!(!is_yes(&host.verify("user0", step)), "the code is good a second time");
    place.end_trouble("test-failed-flush");
    eventually("somebody is answered", || host.guess("user0").is_ok());
    let kept = rows(&host);
    assert!(kept.mark.is_none() && kept.windows.iter().count() == 1, "{kept:?}");
    assert!(!is_yes(&host.verify("user0", step)), "the code is good a second time");
    eventually("the witness is empty", || matches!(place.says(), Some(Witness::Empty { .. })));
    host.at(until / 30 + 1);
    host.prompt();
    assert!(is_yes(&host.verify("user0", host.step())));
    drop(host);
    let host = place.open();
    host.at(step);
    assert!(!is_yes(&host.verify("user0", step)), "the code is good a second time");
}

#[test]
fn nobody_leans_on_a_row_that_was_lost_when_the_disk_was_full() {
    let place = Place::new(1);
    let host = place.open();
    place.begin_trouble("test-flushes");
    let stall = place.stall();
    host.prompt_without_waiting();
    eventually("the row is on its way", || place.flushes() == 1);
    // Its flush will fail. Before it does, a transaction finds the disk full.
    place.begin_trouble("test-lost-write");
    let (sender, closed) = mpsc::channel();
    let close = move |database: &mut Database| {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        database.close_after(&rusqlite::Error::SqliteFailure(error, None));
        sender.send(()).unwrap();
    };
    host.opened.local.writer().unwrap().exclusive(close).unwrap();
    let early = closed.recv_timeout(Duration::from_millis(100));
    drop(stall);
    if early.is_err() {
        closed.recv().unwrap();
    }
    eventually("the flush has failed", || !place.store().join("test-lost-write").exists());
    eventually("somebody is answered", || host.guess("user0").is_ok());
    assert!(!host.opened.local.marker().is_ready(host.step() * 30), "the row may be lost");
    assert!(rows(&host).mark.is_none());
}

#[test]
fn rekey_and_restore_take_mark_and_windows_along() {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    assert!(is_yes(&host.verify("user0", host.step())));
    let backup = host.backup().unwrap();
    let mark = rows(&host).mark;
    host.rekey().unwrap();
    assert_eq!(rows(&host).mark, mark, "the row is sealed under the new key");
    // A power cut.
    let store = Place::copy(&place.store());
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cut = Host::open(store.path()).unwrap();
    let windows = VoidWindows::clone(&cut.opened.store.void_windows());
    assert_eq!(windows.iter().count(), 1);
    cut.rekey().unwrap();
    assert_eq!(rows(&cut).windows, windows);
    assert_eq!(cut.restore(&backup).unwrap().users, 1);
    assert_eq!(rows(&cut).windows, windows, "a restoration forgets a window");
    // On the host, a restoration ends the mark first.
    host.restore(&backup).unwrap();
    assert!(rows(&host).mark.is_none());
    assert!(matches!(place.says(), Some(Witness::Empty { .. })));
    drop(host);
    assert_eq!(place.open().opened.store.void_windows().iter().count(), 0);
}

#[test]
fn a_stop_leaves_no_mark_and_makes_no_other() {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    assert!(is_yes(&host.verify("user0", host.step())));
    host.opened.local.end_mark().unwrap();
    assert!(rows(&host).mark.is_none());
    host.opened.store.note_prompt(host.step() * 30);
    host.wait(1);
    assert!(is_yes(&host.verify("user0", host.step())), "logins go on until the process ends");
    assert!(rows(&host).mark.is_none());
    drop(host);
    fs::remove_dir_all(place.witness()).unwrap();
    assert_eq!(place.open().opened.store.void_windows().iter().count(), 0);
}

#[test]
fn rows_that_cannot_be_unsealed_are_not_missing() {
    for name in ["mark", "void windows"] {
        let place = Place::new(1);
        drop(place.open());
        let file = rusqlite::Connection::open(place.store().join("store.db")).unwrap();
        file.execute("INSERT OR REPLACE INTO meta VALUES (?1, x'00112233')", [name]).unwrap();
        drop(file);
        let refusal = Host::open(&place.store()).err().expect("it opened").to_string();
        assert!(refusal.contains("its sealed metadata was changed"), "{refusal}");
    }
}

#[test]
fn a_witness_is_no_link_and_no_fifo() {
    let place = Place::new(1);
    fs::remove_dir_all(place.witness()).unwrap();
    fs::DirBuilder::new().mode(0o700).create(place.witness()).unwrap();
    let target = place.folder.path().join("target");
    fs::write(&target, "kept").unwrap();
    std::os::unix::fs::symlink(&target, place.witness().join("last")).unwrap();
    let host = place.open();
    assert!(is_yes(&host.verify("user0", host.step())), "every login waits");
    assert_eq!(fs::read(&target).unwrap(), b"kept");
    drop(host);
    fs::remove_file(place.witness().join("last")).unwrap();
    let fifo = place.witness().join("last");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let host = place.open();
    host.wait(1);
    assert!(is_yes(&host.verify("user0", host.step())));
}
