//! The flush that every answer waits for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use totpd_core::fixtures::{enrolled, user};
use totpd_core::record::Record;
use totpd_core::void_windows::VoidWindows;

use super::folder::Folder;
use crate::backend::{Backend, Changed, StoreError};
use crate::blocking;
use crate::conformance::run;
use crate::progress::Progress;
use crate::sqlite::OpenStore;
use crate::sqlite::database::Database;
use crate::sqlite::log::Wal;
use crate::store::Store;

impl Folder {
    /// Makes one of the files by which `log/trouble.rs` flushes.
    fn begin_trouble(&self, name: &str) {
        fs::write(self.path().join(name), "").unwrap();
    }

    fn end_trouble(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    fn flushes(&self) -> u64 {
        fs::metadata(self.path().join("test-flushes")).unwrap().size()
    }
}

fn count_up(store: &Store, name: &str) -> Result<(), StoreError> {
    let one_more = |record: Option<Record>, _: &VoidWindows| {
        let mut record = record.unwrap_or_else(|| Record::new(0));
        record.uid += 1;
        ((), Some(record))
    };
    run(store.update(user(name), one_more))
}

fn enroll_one(_: Option<Record>, _: &VoidWindows) -> Changed {
    Changed { record: Some(enrolled(1)), login: None }
}

fn counted(store: &Store, name: &str) -> u32 {
    run(store.read(user(name))).unwrap().map_or(0, |record| record.uid)
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}

#[test]
fn no_change_is_answered_before_its_flush_and_all_that_wait_share_one() {
    const CALLERS: u32 = 20;
    for is_inline in [false, true] {
        let folder = Folder::new();
        let opened = folder.opened();
        folder.begin_trouble("test-flushes");
        folder.begin_trouble("test-stalled-flush");
        let seen = || {
            let names = (0..CALLERS).map(|number| format!("user{number}"));
            names.filter(|name| run(opened.store.read(user(name))).unwrap().is_some()).count()
        };
        let submit =
            |number: u32| opened.local.update(user(&format!("user{number}")), Box::new(enroll_one));
        let answers = AtomicUsize::new(0);
        let wait = |change| {
            assert_eq!(run(change), Ok(()));
            let is_stalled = folder.path().join("test-stalled-flush").exists();
            answers.fetch_add(1, Ordering::SeqCst);
            assert!(!is_stalled, "a change was answered before its flush");
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                let _allowed = is_inline.then(blocking::allow);
                wait(submit(0));
            });
            eventually("the first is committed", || seen() == 1);
            for change in (1..CALLERS).map(submit) {
                let wait = &wait;
                scope.spawn(move || wait(change));
            }
            eventually("a change is committed during a flush", || seen() >= 2);
            assert_eq!(answers.load(Ordering::SeqCst), 0);
            folder.end_trouble("test-stalled-flush");
        });
        // The one that stalled, that of the transaction behind it, and that of the rest.
        assert!(folder.flushes() <= 3, "{} flushes, inline: {is_inline}", folder.flushes());
    }
}

#[test]
fn a_failed_flush_is_an_error_for_all_that_wait_and_the_file_is_opened_again() {
    for is_inline in [false, true] {
        let folder = Folder::new();
        let store = folder.open();
        count_up(&store, "alice").unwrap();
        folder.begin_trouble("test-failed-flush");
        folder.begin_trouble("test-stalled-flush");
        thread::scope(|scope| {
            let callers = ["bob", "carol"].map(|name| {
                let store = &store;
                scope.spawn(move || {
                    let _allowed = is_inline.then(blocking::allow);
                    count_up(store, name)
                })
            });
            eventually("both are committed", || {
                counted(&store, "bob") + counted(&store, "carol") == 2
            });
            folder.end_trouble("test-stalled-flush");
            for caller in callers {
                let error = caller.join().unwrap().unwrap_err();
                assert!(
                    matches!(&error, StoreError::Unavailable(reason) if reason.contains("flush store.db-wal")),
                    "{error}"
                );
            }
        });
        folder.end_trouble("test-failed-flush");
        count_up(&store, "alice").unwrap();
        assert_eq!(counted(&store, "alice"), 2);
        drop(store);
        assert_eq!(counted(&folder.open(), "alice"), 2);
    }
}

#[test]
fn a_log_that_failed_once_never_flushes_again() {
    let folder = Folder::with_a_user();
    let log = Wal::open(&folder.path().join("store.db")).unwrap();
    log.flush().unwrap();
    folder.begin_trouble("test-failed-flush");
    log.flush().unwrap_err();
    folder.end_trouble("test-failed-flush");
    // The kernel reports a lost write once: a success now would prove nothing.
    log.flush().unwrap_err();
    let other = Wal::open(&folder.path().join("store.db")).unwrap();
    other.flush().unwrap();
    other.fail();
    other.flush().unwrap_err();
}

#[test]
fn a_store_whose_first_flush_fails_does_not_open() {
    let folder = Folder::with_a_user();
    folder.begin_trouble("test-failed-flush");
    assert!(folder.refusal().contains("cannot flush store.db-wal"), "{}", folder.refusal());
    folder.end_trouble("test-failed-flush");
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_store_that_closes_answers_all_changes_before() {
    let folder = Folder::new();
    let opened = folder.opened();
    let change = opened.local.update(user("bob"), Box::new(enroll_one));
    drop(opened);
    assert_eq!(run(change), Ok(()));
    assert!(run(folder.open().read(user("bob"))).unwrap().is_some());
}

/// Does `work` while a change is committed and its flush has not returned. Returns the result of
/// the change.
fn change_around<T>(
    folder: &Folder,
    store: &Store,
    work: impl FnOnce() -> T,
) -> (T, Result<(), StoreError>) {
    folder.begin_trouble("test-stalled-flush");
    let before = counted(store, "bob");
    thread::scope(|scope| {
        let change = scope.spawn(|| count_up(store, "bob"));
        eventually("bob's change is committed", || counted(store, "bob") == before + 1);
        let done = work();
        assert!(!change.is_finished(), "a change was answered before its flush");
        folder.end_trouble("test-stalled-flush");
        (done, change.join().unwrap())
    })
}

#[test]
fn a_change_succeeds_whatever_becomes_of_a_restore_during_its_flush() {
    for is_swapped in [false, true] {
        let folder = Folder::new();
        let opened = folder.opened();
        count_up(&opened.store, "bob").unwrap();
        let new_wal = folder.path().join("store.db.new-wal");
        let now = move || {
            // Nobody else uses the file now.
            if !is_swapped {
                fs::create_dir(&new_wal).unwrap();
            }
            30_000
        };
        let (restored, change) = change_around(&folder, &opened.store, || {
            opened.local.begin_restore().unwrap().finish(30_000, 30_000, now, 1)
        });
        assert_eq!(restored.is_ok(), is_swapped, "{restored:?}");
        assert_eq!(change, Ok(()), "the restore succeeded: {is_swapped}");
        // Its record has no used codes, so the new store does not know it.
        assert_eq!(counted(&opened.store, "bob"), if is_swapped { 0 } else { 2 });
    }
}

#[test]
fn a_change_succeeds_although_an_erasure_fails_during_its_flush() {
    for is_full in [false, true] {
        let folder = Folder::new();
        let opened = folder.opened();
        count_up(&opened.store, "bob").unwrap();
        let copy = folder.path().join("store.db.format-4");
        fs::create_dir(&copy).unwrap();
        // Everything is sealed under the new key. The old one stays, and the next rekey begins with
        // its erasure.
        opened.local.rekey(&Progress::default()).unwrap_err();
        if is_full {
            fs::remove_dir(&copy).unwrap();
            fill(&opened);
        }
        let (rekeyed, change) = change_around(&folder, &opened.store, || {
            opened.local.rekey(&Progress::default()).unwrap_err().to_string()
        });
        assert!(rekeyed.contains("the old key is not erased"), "{rekeyed}");
        assert_eq!(rekeyed.contains("full"), is_full, "{rekeyed}");
        assert_eq!(change, Ok(()), "the disk is full: {is_full}");
        assert_eq!(counted(&opened.store, "bob"), 2);
    }
}

/// Lets the file grow no more, as a full disk does.
fn fill(opened: &OpenStore) {
    let (sender, done) = oneshot::channel();
    let fill = move |database: &mut Database| {
        let connection = database.connection().unwrap();
        let sql = "CREATE TABLE filler (block BLOB); INSERT INTO filler VALUES (zeroblob(200000))";
        connection.execute_batch(sql).unwrap();
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        sender.send(()).unwrap();
    };
    opened.local.writer().unwrap().exclusive(fill).unwrap();
    done.blocking_recv().unwrap();
}

#[test]
fn a_full_disk_fails_no_flush_and_a_broken_one_does() {
    for (code, is_ok) in
        [(rusqlite::ffi::SQLITE_FULL, true), (rusqlite::ffi::SQLITE_IOERR_WRITE, false)]
    {
        let folder = Folder::new();
        let opened = folder.opened();
        let ((), change) = change_around(&folder, &opened.store, || {
            let (sender, done) = oneshot::channel();
            let close = move |database: &mut Database| {
                let error = rusqlite::ffi::Error::new(code);
                database.close_after(&rusqlite::Error::SqliteFailure(error, None));
                sender.send(()).unwrap();
            };
            opened.local.writer().unwrap().exclusive(close).unwrap();
            done.blocking_recv().unwrap();
        });
        assert_eq!(change.is_ok(), is_ok, "{change:?}");
    }
}

#[test]
fn a_lost_write_fails_all_flushes_of_a_log_that_overlap() {
    let folder = Folder::with_a_user();
    for _ in 0..20 {
        folder.begin_trouble("test-lost-write");
        let (log, begin) = (Wal::open(&folder.path().join("store.db")).unwrap(), Barrier::new(2));
        let flush = || {
            begin.wait();
            log.flush().is_ok()
        };
        let succeeded = thread::scope(|scope| {
            let flushes = [scope.spawn(flush), scope.spawn(flush)];
            flushes.map(|flush| flush.join().unwrap())
        });
        assert_eq!(succeeded, [false; 2], "the write that both waited for is lost");
    }
}
