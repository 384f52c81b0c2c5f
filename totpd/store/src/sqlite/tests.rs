#![allow(clippy::disallowed_methods, reason = "tests run programs")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use totpd_core::fixtures::{enrolled, user};

use super::*;
use crate::conformance::{self, run};

mod campaign;
mod formats;
mod host;
mod signers;
mod tampering;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("totpd")
    }

    fn open(&self) -> Store {
        self.opened().store
    }

    fn opened(&self) -> Opened {
        Local::open(&self.path(), None).unwrap()
    }

    fn refusal(&self) -> String {
        Local::open(&self.path(), None).err().expect("it opened").to_string()
    }

    /// A store with one user in it, closed.
    fn with_a_user() -> Self {
        let folder = Self::new();
        run(folder.open().update(user("alice"), |_| ((), Some(enrolled(1000))))).unwrap();
        folder
    }

    /// The file as another program of root sees it, all of it in one piece.
    fn file(&self) -> Connection {
        let file = Connection::open(self.path().join("store.db")).unwrap();
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        file
    }
}

#[test]
fn what_was_updated_is_there_after_a_reopening() {
    let folder = Folder::with_a_user();
    let record = run(folder.open().read(user("alice"))).unwrap().unwrap();
    assert_eq!(record.uid, 1000);
    assert_eq!(record.factors[0].seed.bytes(), enrolled(0).factors[0].seed.bytes());
}

#[test]
fn a_row_that_was_moved_or_edited_is_corrupt_and_harms_nobody_else() {
    let folder = Folder::with_a_user();
    let store = folder.open();
    run(store.update(user("bob"), |_| ((), Some(enrolled(1001))))).unwrap();
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
    // A name that nobody can have is no user, and in nobody's way.
    for name in ["mallory", "carol", "dave", "erin", "alice"] {
        let read = run(store.read(user(name)));
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{name}");
        let updated = run(store.update(user(name), |record| ((), record)));
        assert!(matches!(updated, Err(StoreError::Corrupt(_))), "{name}");
    }
    run(store.discard(user("dave"))).unwrap();
    assert!(run(store.read(user("dave"))).unwrap().is_none());
    assert!(run(store.read(user("bob"))).unwrap().is_some());
    let listed = run(store.list(String::new(), 10)).unwrap();
    assert_eq!(listed.iter().filter(|listed| listed.record.is_err()).count(), 4);
}

#[test]
fn a_second_daemon_is_kept_out() {
    let folder = Folder::new();
    let _first = folder.open();
    assert!(folder.refusal().contains("second totpd"), "{}", folder.refusal());
}

#[test]
fn a_daemon_that_is_about_to_end_is_waited_for() {
    let folder = Folder::new();
    let first = folder.open();
    let next = std::thread::scope(|scope| {
        let next = scope.spawn(|| Local::open(&folder.path(), None).map(drop));
        drop(first);
        next.join().unwrap()
    });
    assert!(next.is_ok(), "{next:?}");
}

#[test]
fn another_program_is_kept_out_while_the_store_is_open() {
    let folder = Folder::new();
    let _first = folder.open();
    // Locks are those of a process, so this takes another one.
    let other = std::process::Command::new("sqlite3")
        .arg(folder.path().join("store.db"))
        .arg("SELECT * FROM meta")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&other.stderr).contains("locked"), "{other:?}");
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
fn a_folder_or_file_that_others_may_enter_is_refused() {
    for (name, mode) in [("", 0o755), ("", 0o710), ("store.db", 0o644), ("store.db", 0o660)] {
        let folder = Folder::with_a_user();
        let path = if name.is_empty() { folder.path() } else { folder.path().join(name) };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refusal = folder.refusal();
        assert!(refusal.contains(&format!("mode {mode:04o}")), "{refusal}");
        assert!(refusal.contains("chmod"), "{refusal}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let folder = Folder::with_a_user();
    std::os::unix::fs::chown(folder.path(), Some(65_534), None).unwrap();
    assert!(folder.refusal().contains("uid 65534"), "{}", folder.refusal());
}

#[test]
fn a_folder_without_a_parent_is_refused() {
    let folder = Folder::new();
    let missing = folder.path().join("deep");
    let refusal = Local::open(&missing, None).err().unwrap().to_string();
    assert!(refusal.contains("cannot be opened"), "{refusal}");
}

#[test]
fn a_folder_that_is_a_link_is_refused() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/tmp", folder.path()).unwrap();
    folder.refusal();
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(folder.open());
    let file = folder.path().join("store.db");
    fs::write(&file, "this is not a database, it is a letter to the administrator").unwrap();
    assert!(folder.refusal().contains("not a store of totpd"), "{}", folder.refusal());
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is not"));
    fs::remove_file(&file).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE cats (name)").unwrap();
    drop(other);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(folder.refusal().contains("other tables"), "{}", folder.refusal());
}

#[test]
fn a_log_without_its_file_is_not_taken_for_that_of_a_new_one() {
    let folder = Folder::with_a_user();
    fs::rename(folder.path().join("store.db"), folder.path().join("away")).unwrap();
    let refusal = folder.refusal();
    assert!(
        refusal.contains("store.db-wal is not a store") && refusal.contains("not there"),
        "{refusal}"
    );
    fs::rename(folder.path().join("away"), folder.path().join("store.db")).unwrap();
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn all_rows_are_counted() {
    let folder = Folder::with_a_user();
    let opened = folder.opened();
    assert_eq!(opened.local.count(), Ok(1));
    assert_eq!(
        opened.local.read_now("", |rows| rows::count(rows, &rows::Name::FIRST, 1)),
        Ok((1, rows::Name::Text(b"alice".to_vec())))
    );
    run(opened.store.update(RecordKey::Bucket(1), |_| ((), Some(enrolled(1))))).unwrap();
    assert_eq!(opened.local.count(), Ok(2));
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let folder = Folder::with_a_user();
    let file = folder.file();
    file.pragma_update(None, "user_version", 6).unwrap();
    drop(file);
    let refusal = folder.refusal();
    assert!(refusal.contains("format 6") && refusal.contains("up to 5"), "{refusal}");
}

#[test]
fn a_missing_key_is_never_replaced_over_records() {
    let folder = Folder::with_a_user();
    let key = folder.path().join("store.key");
    let bytes = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(folder.refusal().contains("found was: no key"), "{}", folder.refusal());
    assert!(!key.exists());
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let refusal = folder.refusal();
    let ids: Vec<_> = refusal.match_indices("k-").collect();
    assert!(ids.len() == 2 && refusal.contains("found was: k-"), "{refusal}");
    fs::write(&key, bytes).unwrap();
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_key_lost_before_the_first_record_is_made_anew() {
    let folder = Folder::new();
    drop(folder.open());
    fs::remove_file(folder.path().join("store.key")).unwrap();
    let store = folder.open();
    run(store.update(user("alice"), |_| ((), Some(enrolled(1))))).unwrap();
}

#[test]
fn no_seed_is_in_the_files() {
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
fn a_rekey_leaves_nothing_of_what_was_sealed_under_the_old_key() {
    let folder = Folder::new();
    let opened = folder.opened();
    for name in ["alice", "bob", "carol"] {
        run(opened.store.update(user(name), |_| ((), Some(enrolled(1))))).unwrap();
    }
    let rows = opened.local.read_now("", |rows| rows::page(rows, &rows::Name::FIRST, 10)).unwrap();
    assert_eq!(rows.len(), 3);
    fs::write(folder.path().join("store.db.format-2"), &rows[0].row.sealed).unwrap();
    let old = fs::read(folder.path().join("store.key")).unwrap();
    let done = opened.local.rekey(&crate::progress::Progress::default()).unwrap();
    assert_eq!((done.checked.records, done.checked.damaged_count), (3, 0));
    assert!(run(opened.store.read(user("bob"))).unwrap().is_some());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for needle in rows.iter().map(|row| &row.row.sealed[..]).chain([&old[..]]) {
            let found = bytes.windows(24).any(|window| window == &needle[..24]);
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn a_rekey_leaves_a_damaged_record_alone_and_names_it() {
    let folder = Folder::with_a_user();
    folder
        .file()
        .execute_batch("INSERT INTO record SELECT 'mallory', uid, sealed FROM record")
        .unwrap();
    let opened = folder.opened();
    let done = opened.local.rekey(&crate::progress::Progress::default()).unwrap();
    assert_eq!(done.checked.damaged, ["mallory"]);
    assert!(run(opened.store.read(user("alice"))).unwrap().is_some());
    assert!(run(opened.store.read(user("mallory"))).is_err());
}

#[test]
fn one_task_on_the_whole_store_at_a_time() {
    let folder = Folder::with_a_user();
    let opened = folder.opened();
    let restoring = opened.local.begin_restore().unwrap();
    let told = opened.local.rekey(&crate::progress::Progress::default());
    assert!(matches!(told, Err(StoreError::Refused(why)) if why.contains("under way")));
    drop(restoring);
    assert!(!folder.path().join("store.db.new").exists());
    opened.local.check(&crate::progress::Progress::default()).unwrap();
    assert!(run(opened.store.read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_name_that_became_a_blob_is_damage_and_ends_every_listing() {
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
    let progress = crate::progress::Progress::default();
    let checked = opened.local.check(&progress).unwrap();
    assert_eq!((checked.records, checked.damaged), (2, vec!["bob".to_owned()]));
    assert_eq!(opened.local.count(), Ok(2));
    assert_eq!(opened.local.rekey(&progress).unwrap().checked.damaged, ["bob"]);
    assert_eq!(opened.local.enrolled_users(), Ok(1));
    let users = run(opened.store.list(String::new(), 10)).unwrap();
    assert_eq!(users.len(), 1);
    assert!(run(opened.store.list("alice".into(), 10)).unwrap().is_empty());
}
