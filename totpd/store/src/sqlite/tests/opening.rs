//! Opening a store: what is refused, and what is created.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use rusqlite::Connection;
use totpd_core::fixtures::{enrolled, user};

use super::child::{self, child};
use super::folder::Folder;
use crate::conformance::run;
use crate::owner::Owner;
use crate::owner::tests::this_user;
use crate::sqlite::{Local, OpenError};

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
    let next = thread::scope(|scope| {
        let next = scope.spawn(|| folder.try_open().map(drop));
        drop(first);
        next.join().unwrap()
    });
    assert!(next.is_ok(), "{next:?}");
}

/// Reads the file as any program can.
#[test]
#[ignore = "the next test runs it in a process of its own"]
fn another_program() {
    let Some(folder) = child::folder() else { return };
    let file = Connection::open(folder.join("store.db")).unwrap();
    let read = file.query_row("SELECT name FROM meta", [], |row| row.get::<_, String>(0));
    println!("{read:?}");
}

#[test]
fn another_program_is_kept_out_while_the_store_is_open() {
    let folder = Folder::new();
    let _first = folder.open();
    // Locks are those of a process, so this takes another one.
    let other = child("opening::another_program", &folder.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&other.stdout).contains("locked"), "{other:?}");
}

#[test]
fn a_directory_or_file_open_to_others_is_refused() {
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
fn a_directory_of_another_owner_is_refused() {
    let folder = Folder::with_a_user();
    let uid = this_user().uid();
    let trusted = Owner::from_uid(uid + 1);
    let refusal = Local::open(&folder.path(), None, None, trusted).err().expect("it opened");
    assert!(matches!(refusal, OpenError::InsecurePermissions { uid: found, .. } if found == uid));
    let refusal = refusal.to_string();
    let owners = [format!("must belong to uid {}", uid + 1), format!("owned by uid {uid}")];
    assert!(owners.iter().all(|owner| refusal.contains(owner)), "{refusal}");
}

#[test]
fn a_directory_without_a_parent_is_refused() {
    let folder = Folder::new();
    let missing = folder.path().join("deep");
    let refusal = Local::open(&missing, None, None, this_user()).err().unwrap().to_string();
    assert!(refusal.contains("cannot open"), "{refusal}");
}

#[test]
fn a_directory_that_is_a_link_is_refused() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/tmp", folder.path()).unwrap();
    folder.refusal();
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = Folder::new();
    drop(folder.open());
    let file = folder.path().join("store.db");
    fs::write(&file, "this is not a database, it is a letter to the administrator").unwrap();
    assert!(folder.refusal().contains("not a store of totpd"), "{}", folder.refusal());
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is not"));
    fs::remove_file(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE cats (name)").unwrap();
    drop(other);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(folder.refusal().contains("other tables"), "{}", folder.refusal());
}

#[test]
fn a_log_without_its_database_is_refused() {
    let folder = Folder::with_a_user();
    fs::rename(folder.path().join("store.db"), folder.path().join("away")).unwrap();
    let refusal = folder.refusal();
    assert!(
        refusal.contains("store.db-wal is not a store") && refusal.contains("does not exist"),
        "{refusal}"
    );
    fs::rename(folder.path().join("away"), folder.path().join("store.db")).unwrap();
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let folder = Folder::with_a_user();
    let file = folder.file();
    file.pragma_update(None, "user_version", 7).unwrap();
    drop(file);
    let refusal = folder.refusal();
    assert!(refusal.contains("format 7") && refusal.contains("up to 6"), "{refusal}");
}

#[test]
fn a_missing_key_is_never_replaced_over_records() {
    let folder = Folder::with_a_user();
    let key = folder.path().join("store.key");
    let bytes = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(folder.refusal().contains("found: no key"), "{}", folder.refusal());
    assert!(!key.exists());
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let refusal = folder.refusal();
    let ids: Vec<_> = refusal.match_indices("k-").collect();
    assert!(ids.len() == 2 && refusal.contains("found: k-"), "{refusal}");
    fs::write(&key, bytes).unwrap();
    assert!(run(folder.open().read(user("alice"))).unwrap().is_some());
}

#[test]
fn a_key_lost_before_the_first_record_is_replaced() {
    let folder = Folder::new();
    drop(folder.open());
    fs::remove_file(folder.path().join("store.key")).unwrap();
    let store = folder.open();
    run(store.update(user("alice"), |_, _| ((), Some(enrolled(1))))).unwrap();
}
