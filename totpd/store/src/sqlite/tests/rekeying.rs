//! Tasks on the whole store: a rekey, and one task at a time.

use std::fs;

use totpd_core::fixtures::{enrolled, user};

use super::folder::Folder;
use crate::backend::StoreError;
use crate::conformance::run;
use crate::progress::Progress;
use crate::sqlite::row::RowName;
use crate::sqlite::rows;

#[test]
fn a_rekey_leaves_no_bytes_sealed_under_the_old_key() {
    let folder = Folder::new();
    let opened = folder.opened();
    for name in ["alice", "bob", "carol"] {
        run(opened.store.update(user(name), |_, _| ((), Some(enrolled(1))))).unwrap();
    }
    let rows = opened.local.read_now(|rows| rows::page(rows, &RowName::FIRST, 10)).unwrap();
    assert_eq!(rows.len(), 3);
    fs::write(folder.path().join("store.db.format-2"), &rows[0].row.sealed).unwrap();
    let old = fs::read(folder.path().join("store.key")).unwrap();
    let report = opened.local.rekey(&Progress::default()).unwrap();
    assert_eq!((report.scan.records, report.scan.damaged_count), (3, 0));
    assert!(run(opened.store.read(user("bob"))).unwrap().is_some());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for needle in rows.iter().map(|row| &row.row.sealed[..]).chain([&old[..]]) {
            let is_there = bytes.windows(24).any(|window| window == &needle[..24]);
            assert!(!is_there, "{}", path.display());
        }
    }
}

#[test]
fn a_rekey_keeps_and_names_a_damaged_record() {
    let folder = Folder::with_a_user();
    folder
        .file()
        .execute_batch("INSERT INTO record SELECT 'mallory', uid, sealed FROM record")
        .unwrap();
    let opened = folder.opened();
    let report = opened.local.rekey(&Progress::default()).unwrap();
    assert_eq!(report.scan.damaged, ["mallory"]);
    assert!(run(opened.store.read(user("alice"))).unwrap().is_some());
    assert!(run(opened.store.read(user("mallory"))).is_err());
}

#[test]
fn tasks_on_the_whole_store_run_one_at_a_time() {
    let folder = Folder::with_a_user();
    let opened = folder.opened();
    let restoring = opened.local.begin_restore().unwrap();
    let result = opened.local.rekey(&Progress::default());
    assert!(matches!(result, Err(StoreError::Refused(reason)) if reason.contains("is running")));
    drop(restoring);
    assert!(!folder.path().join("store.db.new").exists());
    opened.local.scan(&Progress::default()).unwrap();
    assert!(run(opened.store.read(user("alice"))).unwrap().is_some());
}
