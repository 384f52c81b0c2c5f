use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::factor::Kind;
use crate::factor::tests::verified;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("totpd")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).unwrap().store
    }

    fn refusal(&self) -> String {
        Store::open(&self.path()).err().expect("it opened").to_string()
    }

    /// A store with one user in it, closed.
    fn with_a_user() -> Self {
        let folder = Self::new();
        run(folder.open().update(user("alice"), |_| ((), Some(enrolled(1000))))).unwrap();
        folder.wait_until_closed();
        folder
    }

    /// The thread closes the file after the last handle is gone; the lock tells when.
    fn wait_until_closed(&self) {
        for _ in 0..1000 {
            let connection = rusqlite::Connection::open(self.path().join("store.db")).unwrap();
            if connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").is_ok() {
                return;
            }
            thread::yield_now();
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        panic!("the store did not close");
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn user(name: &str) -> Subject {
    Subject::User(UserName::parse(name).unwrap())
}

fn enrolled(uid: u32) -> Record {
    let factors = vec![verified(Kind::Totp { period: 30 }, None)];
    Record { factors, ..Record::new(uid) }
}

#[test]
fn what_was_updated_is_there_after_a_reopening() {
    let folder = Folder::with_a_user();
    let record = run(folder.open().read(user("alice"))).unwrap().unwrap();
    assert_eq!(record.uid, 1000);
    assert_eq!(record.factors[0].seed.bytes(), enrolled(0).factors[0].seed.bytes());
}

#[test]
fn an_update_that_answers_no_record_removes_it() {
    let folder = Folder::new();
    let store = folder.open();
    run(store.update(user("alice"), |_| ((), Some(enrolled(1000))))).unwrap();
    let had = run(store.update(user("alice"), |record| (record.is_some(), None))).unwrap();
    assert!(had);
    assert!(run(store.read(user("alice"))).unwrap().is_none());
}

#[test]
fn users_are_listed_in_pages_and_in_order_and_buckets_are_not_users() {
    let folder = Folder::new();
    let store = folder.open();
    for name in ["bob", "alice", "Zoe", "7of9", "~x"] {
        run(store.update(user(name), |_| ((), Some(enrolled(1))))).unwrap();
    }
    run(store.update(Subject::Bucket(5), |_| ((), Some(Record::new(0))))).unwrap();
    let names = |after: &str, limit| -> Vec<String> {
        let listed = run(store.list(after.into(), limit)).unwrap();
        listed.into_iter().map(|listed| listed.name.to_string()).collect()
    };
    assert_eq!(names("", 100), ["7of9", "Zoe", "alice", "bob", "~x"]);
    assert_eq!(names("Zoe", 2), ["alice", "bob"]);
    assert!(names("~x", 2).is_empty());
}

#[test]
fn concurrent_updates_lose_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    run(async {
        let mut waiting = Vec::new();
        for _ in 0..500 {
            let store = store.clone();
            waiting.push(tokio::spawn(async move {
                let one_more = |record: Option<Record>| {
                    let mut record = record.unwrap_or_else(|| Record::new(0));
                    record.uid += 1;
                    ((), Some(record))
                };
                store.update(user("alice"), one_more).await
            }));
        }
        for update in waiting {
            update.await.unwrap().unwrap();
        }
    });
    assert_eq!(run(store.read(user("alice"))).unwrap().unwrap().uid, 500);
}

#[test]
fn a_row_that_was_moved_or_edited_is_corrupt_and_harms_nobody_else() {
    let folder = Folder::with_a_user();
    let store = folder.open();
    run(store.update(user("bob"), |_| ((), Some(enrolled(1001))))).unwrap();
    drop(store);
    folder.wait_until_closed();
    let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
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
    for name in ["mallory", "carol", "dave", "erin", "alice"] {
        let read = run(store.read(user(name)));
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{name}");
        let updated = run(store.update(user(name), |record| ((), record)));
        assert!(matches!(updated, Err(StoreError::Corrupt(_))), "{name}");
    }
    assert!(run(store.read(user("bob"))).unwrap().is_some());
    let listed = run(store.list(String::new(), 10)).unwrap();
    assert_eq!(listed.iter().filter(|listed| listed.record.is_err()).count(), 5);
}

#[test]
fn a_second_daemon_is_kept_out() {
    let folder = Folder::new();
    let _first = folder.open();
    assert!(folder.refusal().contains("second totpd"), "{}", folder.refusal());
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
    let refusal = Store::open(&missing).err().unwrap().to_string();
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
    folder.wait_until_closed();
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
fn a_newer_format_is_refused_with_both_numbers() {
    let folder = Folder::with_a_user();
    let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    file.pragma_update(None, "user_version", 2).unwrap();
    drop(file);
    let refusal = folder.refusal();
    assert!(refusal.contains("format 2") && refusal.contains("up to 1"), "{refusal}");
}

#[test]
fn a_missing_key_is_never_replaced_over_records() {
    let folder = Folder::with_a_user();
    let key = folder.path().join("store.key");
    let bytes = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(folder.refusal().contains("missing"), "{}", folder.refusal());
    assert!(!key.exists());
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(folder.refusal().contains("not the one"), "{}", folder.refusal());
    fs::write(&key, bytes).unwrap();
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_key_lost_before_the_first_record_is_made_anew() {
    let folder = Folder::new();
    drop(folder.open());
    folder.wait_until_closed();
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
