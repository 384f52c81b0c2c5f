//! Records in the file: written, damaged, listed and counted.

use std::fs;
use std::sync::{Arc, Mutex};

use totpd_core::fixtures::{enrolled, user};
use totpd_core::record_key::RecordKey;

use super::folder::Folder;
use crate::backend::StoreError;
use crate::conformance::{self, run};
use crate::mutex::lock;
use crate::progress::Progress;
use crate::sqlite::row::RowName;
use crate::sqlite::rows;

#[test]
fn an_update_is_read_after_a_restart() {
    let folder = Folder::with_a_user();
    let record = run(folder.open().read(user("alice"))).unwrap().unwrap();
    assert_eq!(record.uid, 1000);
    assert_eq!(record.factors[0].seed.bytes(), enrolled(0).factors[0].seed.bytes());
}

#[test]
fn a_moved_or_edited_row_is_corrupt_for_its_user_alone() {
    let folder = Folder::with_a_user();
    let store = folder.open();
    run(store.update(user("bob"), |_, _| ((), Some(enrolled(1001))))).unwrap();
    drop(store);
    let file = folder.file();
    file.execute_batch(
        "INSERT INTO record SELECT 'mallory', uid, sealed FROM record WHERE subject = 'alice'; \
         INSERT INTO record SELECT 'carol', 7, sealed FROM record WHERE subject = 'alice'; \
         INSERT INTO record SELECT 'dave', -1, sealed FROM record WHERE subject = 'alice'; \
         INSERT INTO record SELECT 'erin', 1 << 40, sealed FROM record WHERE subject = 'alice'; \
         UPDATE record SET uid = 1002 WHERE subject = 'alice';",
    )
    .unwrap();
    drop(file);
    let store = folder.open();
    // A name that no user can have is no user, and harms no other.
    for name in ["mallory", "carol", "dave", "erin", "alice"] {
        let read = run(store.read(user(name)));
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{name}");
        let updated = run(store.update(user(name), |record, _| ((), record)));
        assert!(matches!(updated, Err(StoreError::Corrupt(_))), "{name}");
    }
    run(store.discard(user("dave"))).unwrap();
    assert!(run(store.read(user("dave"))).unwrap().is_none());
    assert!(run(store.read(user("bob"))).unwrap().is_some());
    let listed = run(store.list(String::new(), 10)).unwrap();
    assert_eq!(listed.iter().filter(|listed| listed.record.is_err()).count(), 4);
}

#[test]
fn the_store_of_one_host_conforms() {
    let folders = Mutex::new(Vec::new());
    conformance::all(|| {
        let folder = Folder::new();
        let local = folder.opened().local;
        lock(&folders).push(folder);
        Arc::new(local)
    });
}

#[test]
fn all_rows_are_counted() {
    let folder = Folder::with_a_user();
    let opened = folder.opened();
    assert_eq!(opened.local.count(), Ok(1));
    assert_eq!(
        opened.local.read_now(|rows| rows::count(rows, &RowName::FIRST, 1)),
        Ok((1, RowName::Text(b"alice".to_vec())))
    );
    run(opened.store.update(RecordKey::Bucket(1), |_, _| ((), Some(enrolled(1))))).unwrap();
    assert_eq!(opened.local.count(), Ok(2));
}

#[test]
fn the_files_show_no_seed() {
    let folder = Folder::with_a_user();
    let seed = enrolled(0).factors.remove(0).seed;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let base32 = seed.base32();
        for needle in [seed.bytes(), base32.as_bytes()] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle));
        }
    }
}

#[test]
fn a_name_that_became_a_blob_ends_every_listing() {
    let folder = Folder::with_a_user();
    // A flipped bit can do that; SQLite only without its strictness.
    folder
        .file()
        .execute_batch(
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '')",
        )
        .unwrap();
    folder
        .file()
        .execute_batch("INSERT INTO record SELECT CAST('bob' AS BLOB), uid, sealed FROM record")
        .unwrap();
    let opened = folder.opened();
    let progress = Progress::default();
    let report = opened.local.scan(&progress).unwrap();
    assert_eq!((report.records, report.damaged), (2, vec!["bob".to_owned()]));
    assert_eq!(opened.local.count(), Ok(2));
    assert_eq!(opened.local.rekey(&progress).unwrap().scan.damaged, ["bob"]);
    assert_eq!(opened.local.enrolled_users(), Ok(1));
    let users = run(opened.store.list(String::new(), 10)).unwrap();
    assert_eq!(users.len(), 1);
    assert!(run(opened.store.list("alice".into(), 10)).unwrap().is_empty());
}
