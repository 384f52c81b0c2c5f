//! Checkpoints, while others commit.

use std::fs;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use totpd_core::fixtures::user;
use totpd_core::record::Record;

use super::folder::Folder;
use crate::blocking;
use crate::conformance::run;
use crate::progress::Progress;
use crate::sqlite::OpenStore;
use crate::sqlite::checkpoint::decision::LogPages;
use crate::sqlite::checkpoint::runner::CheckpointRunner;
use crate::sqlite::database::Database;
use crate::store::Store;

fn small_log() -> (Folder, OpenStore) {
    let folder = Folder::with_a_user();
    fs::write(folder.path().join("test-small-log"), "").unwrap();
    let opened = folder.opened();
    (folder, opened)
}

fn count_up(store: &Store, name: &str) {
    let one_more = |record: Option<Record>, _: &_| {
        let mut record = record.unwrap_or_else(|| Record::new(0));
        record.uid += 1;
        ((), Some(record))
    };
    run(store.update(user(name), one_more)).unwrap();
}

fn counted(store: &Store, name: &str) -> u32 {
    run(store.read(user(name))).unwrap().map_or(0, |record| record.uid)
}

fn with_database<T: Send + 'static>(
    opened: &OpenStore,
    work: impl FnOnce(&mut Database) -> T + Send + 'static,
) -> T {
    let (sender, done) = oneshot::channel();
    let work = move |database: &mut Database| drop(sender.send(work(database)));
    opened.local.writer().unwrap().exclusive(work).unwrap();
    done.blocking_recv().unwrap()
}

fn runner(opened: &OpenStore) -> Arc<CheckpointRunner> {
    with_database(opened, |database| Arc::clone(database.connection().unwrap().checkpoint_runner()))
}

fn pages(opened: &OpenStore) -> LogPages {
    with_database(opened, |database| database.connection().unwrap().log_pages().unwrap())
}

/// Checkpoints stall, until this is dropped.
struct Stall<'a>(&'a Folder);

impl<'a> Stall<'a> {
    fn begin(folder: &'a Folder) -> Self {
        fs::write(folder.path().join("test-stalled-checkpoint"), "").unwrap();
        Self(folder)
    }
}

impl Drop for Stall<'_> {
    fn drop(&mut self) {
        fs::remove_file(self.0.path().join("test-stalled-checkpoint")).unwrap();
    }
}

#[test]
fn changes_do_not_wait_for_a_checkpoint_and_work_on_the_file_does() {
    for is_inline in [false, true] {
        let (folder, opened) = small_log();
        let (sender, rekeyed) = mpsc::channel();
        thread::scope(|scope| {
            let stall = Stall::begin(&folder);
            let _allowed = is_inline.then(blocking::allow);
            // Fewer than stop all changes, and more than begin a checkpoint.
            (0..9).for_each(|_| count_up(&opened.store, "bob"));
            assert_eq!(counted(&opened.store, "bob"), 9);
            scope.spawn(|| sender.send(opened.local.rekey(&Progress::default()).is_ok()));
            assert!(
                rekeyed.recv_timeout(Duration::from_millis(100)).is_err(),
                "during a checkpoint"
            );
            drop(stall);
            assert!(rekeyed.recv().unwrap());
        });
        count_up(&opened.store, "bob");
        drop(opened);
        assert_eq!(counted(&folder.open(), "bob"), 10);
    }
}

#[test]
fn a_log_begins_again_under_a_steady_load() {
    let (folder, opened) = small_log();
    let highest = Mutex::new(0);
    thread::scope(|scope| {
        for name in ["bob", "carol", "dave"] {
            let (opened, highest) = (&opened, &highest);
            scope.spawn(move || {
                let _allowed = (name == "bob").then(blocking::allow);
                for _ in 0..200 {
                    count_up(&opened.store, name);
                    let mut highest = highest.lock().unwrap();
                    *highest = pages(opened).all.max(*highest);
                }
            });
        }
    });
    let highest = highest.into_inner().unwrap();
    println!("{highest} pages at most");
    assert!((4..32).contains(&highest), "{highest} pages in the log");
    drop(opened);
    let store = folder.open();
    for name in ["bob", "carol", "dave"] {
        assert_eq!(counted(&store, name), 200);
    }
}

#[test]
fn a_log_that_nobody_writes_begins_again_by_itself() {
    let (_folder, opened) = small_log();
    let end = Instant::now() + Duration::from_secs(30);
    let mut changes = 0;
    while changes < 16 || pages(&opened).all >= 4 {
        assert!(Instant::now() < end, "{:?}", pages(&opened));
        if changes < 16 {
            count_up(&opened.store, "bob");
            changes += 1;
        }
    }
}

#[test]
fn the_log_stops_at_its_limit_while_a_checkpoint_stalls() {
    let (folder, opened) = small_log();
    let log = folder.path().join("store.db-wal");
    let (sender, done) = mpsc::channel();
    thread::scope(|scope| {
        let stall = Stall::begin(&folder);
        scope.spawn(|| {
            (0..100).for_each(|_| count_up(&opened.store, "bob"));
            sender.send(()).unwrap();
        });
        assert!(done.recv_timeout(Duration::from_millis(200)).is_err(), "the log has no end");
        let length = fs::metadata(&log).unwrap().len() / 4096;
        assert!(length <= 24, "{length} pages");
        drop(stall);
        done.recv().unwrap();
    });
    assert_eq!(counted(&opened.store, "bob"), 100);
}

#[test]
fn a_checkpoint_of_a_log_that_was_replaced_is_forgotten() {
    let (folder, opened) = small_log();
    let before = runner(&opened);
    count_up(&opened.store, "bob");
    with_database(&opened, |database| database.with_closed(|_| ()));
    assert_eq!(before.begin().run().unwrap().all, 0, "it is closed");
    let failure = || {
        let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        rusqlite::Error::SqliteFailure(error, None)
    };
    let after = runner(&opened);
    with_database(&opened, move |database| database.checkpoint_ended(&before, Err(failure())));
    assert!(Arc::ptr_eq(&after, &runner(&opened)), "the new connection was closed");
    let of_after = Arc::clone(&after);
    with_database(&opened, move |database| database.checkpoint_ended(&of_after, Err(failure())));
    assert!(!Arc::ptr_eq(&after, &runner(&opened)), "the connection that failed is used");
    count_up(&opened.store, "bob");
    drop(opened);
    assert_eq!(counted(&folder.open(), "bob"), 2);
}
