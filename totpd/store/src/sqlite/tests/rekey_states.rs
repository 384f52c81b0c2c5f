//! Every state of the table in `rekey.rs`: what the next start makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use totpd_core::fixtures::{enrolled, user};

use crate::conformance::run;
use crate::master_key::KeyId;
use crate::owner::tests::this_user;
use crate::progress::Progress;
use crate::sqlite::metadata::{self, KeyRole};
use crate::sqlite::row::RowName;
use crate::sqlite::{Local, OpenError, OpenStore, rekey, rows};

/// The state that an interruption of a rekey leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Created,
    Begun,
    /// Begun, with every row under the new key.
    Resealed,
    Sealed,
    Renamed,
}

/// The places of the keys before and after the rekey.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keys {
    FileToFile,
    FileToCredential,
    CredentialToCredential,
    CredentialToFile,
}

/// A directory, and credentials beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("totpd").join(name)
    }

    fn credential(&self, name: &str) -> PathBuf {
        self.0.path().join("credentials").join(name)
    }

    fn give(&self, name: &str, byte: u8) {
        fs::write(self.credential(name), [byte; 32]).unwrap();
        let mode = fs::Permissions::from_mode(0o400);
        fs::set_permissions(self.credential(name), mode).unwrap();
    }

    fn open(&self) -> Result<OpenStore, OpenError> {
        let credentials = self.credential("");
        Local::open(&self.path(""), Some(&credentials), None, this_user())
    }

    /// Returns a store with alice under the key before. If the key after is a credential, it is
    /// there too.
    fn new(keys: Keys) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.credential("")).unwrap();
        if matches!(keys, Keys::CredentialToCredential | Keys::CredentialToFile) {
            place.give("totpd.key", 7);
        }
        run(place.open().unwrap().store.update(user("alice"), |_, _| ((), Some(enrolled(1000)))))
            .unwrap();
        if matches!(keys, Keys::CredentialToCredential | Keys::CredentialToFile) {
            let old = place.credential("totpd.key.old");
            fs::rename(place.credential("totpd.key"), old).unwrap();
        }
        if matches!(keys, Keys::FileToCredential | Keys::CredentialToCredential) {
            place.give("totpd.key", 8);
        }
        place
    }

    /// Runs a rekey up to `state`, and ends the daemon there. Returns the ids before and after.
    fn interrupt(&self, state: State) -> (KeyId, KeyId) {
        let OpenStore { store, local, .. } = self.open().unwrap();
        let before = local.keys().get().id.clone();
        if state == State::Created {
            rekey::create_next_key(&self.path("store.key.next")).unwrap();
            return (before.clone(), before);
        }
        rekey::begin(&local).unwrap();
        if state != State::Begun {
            rekey::reseal_all(&local, &Progress::default()).unwrap();
        }
        if matches!(state, State::Sealed | State::Renamed) {
            rekey::retire_previous(&local).unwrap();
        }
        if state == State::Renamed {
            let old = before.clone();
            let (layout, sources) = (local.layout().clone(), local.key_sources().clone());
            rekey::erase_key_file(&old, &layout, &sources).unwrap();
        }
        let after = local.keys().get().id.clone();
        drop(store);
        (before, after)
    }
}

/// Returns the ids that the store names, by their roles.
fn named(local: &Local) -> [Option<KeyId>; 3] {
    local
        .read_now(|connection| {
            let id = |role| metadata::key_id(connection, role);
            Ok([id(KeyRole::Current)?, id(KeyRole::Next)?, id(KeyRole::Old)?])
        })
        .unwrap()
}

/// Waits for the thread that continues the rekey.
fn settle(local: &Local, wanted: &[Option<KeyId>; 3]) {
    let end = Instant::now() + Duration::from_secs(60);
    while named(local) != *wanted {
        assert!(Instant::now() < end, "{:?} instead of {wanted:?}", named(local));
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn the_next_start_finishes_an_interrupted_rekey() {
    use Keys::{CredentialToCredential, CredentialToFile, FileToCredential, FileToFile};
    for keys in [FileToFile, FileToCredential, CredentialToCredential, CredentialToFile] {
        for state in [State::Begun, State::Resealed, State::Sealed, State::Renamed] {
            let place = Place::new(keys);
            let (before, after) = place.interrupt(state);
            assert_ne!(before, after, "{keys:?} {state:?}");
            let OpenStore { store, local, .. } = place.open().unwrap();
            settle(&local, &[Some(after.clone()), None, None]);
            assert_eq!(local.keys().get().id, after, "{keys:?} {state:?}");
            assert!(run(store.read(user("alice"))).unwrap().is_some(), "{keys:?} {state:?}");
            let row = local.read_now(|rows| rows::page(rows, &RowName::FIRST, 1)).unwrap();
            assert!(
                local.keys().get().is_sealed_with_current(&user("alice"), &row[0].row),
                "{keys:?} {state:?}"
            );
            let has_file = matches!(keys, FileToFile | CredentialToFile);
            assert_eq!(place.path("store.key").exists(), has_file, "{keys:?} {state:?}");
            assert!(!place.path("store.key.next").exists(), "{keys:?} {state:?}");
            drop((store, local));
            // The store needs nothing but the new key any more.
            let _ = fs::remove_file(place.credential("totpd.key.old"));
            let again = place.open().unwrap();
            assert!(run(again.store.read(user("alice"))).unwrap().is_some());
            assert!(again.local.keys().get().previous.is_none());
        }
    }
}

#[test]
fn a_next_key_that_is_not_named_is_ignored_and_replaced() {
    let place = Place::new(Keys::FileToFile);
    let (before, _) = place.interrupt(State::Created);
    let unnamed = fs::read(place.path("store.key.next")).unwrap();
    let opened = place.open().unwrap();
    assert_eq!(named(&opened.local), [Some(before.clone()), None, None]);
    assert!(run(opened.store.read(user("alice"))).unwrap().is_some());
    let report = opened.local.rekey(&Progress::default()).unwrap();
    assert_ne!(report.key, before);
    assert_ne!(fs::read(place.path("store.key")).unwrap(), unnamed);
    assert!(!place.path("store.key.next").exists());
}

#[test]
fn a_next_key_that_is_not_named_gives_way_to_a_credential() {
    let place = Place::new(Keys::FileToCredential);
    let (before, _) = place.interrupt(State::Created);
    let opened = place.open().unwrap();
    let report = opened.local.rekey(&Progress::default()).unwrap();
    assert_ne!(report.key, before);
    assert!(!place.path("store.key").exists() && !place.path("store.key.next").exists());
}

#[test]
fn a_rekey_that_has_begun_needs_both_keys() {
    for (keys, missing) in [
        (Keys::FileToFile, "store.key"),
        (Keys::FileToFile, "store.key.next"),
        (Keys::FileToCredential, "../credentials/totpd.key"),
        (Keys::CredentialToCredential, "../credentials/totpd.key.old"),
    ] {
        let place = Place::new(keys);
        let (_, after) = place.interrupt(State::Resealed);
        let (file, away) = (place.path(missing), place.path("away"));
        fs::rename(&file, &away).unwrap();
        let error = place.open().err();
        assert!(matches!(error, Some(OpenError::WrongKey { .. })), "{missing}: {error:?}");
        fs::rename(&away, &file).unwrap();
        let opened = place.open().unwrap();
        settle(&opened.local, &[Some(after), None, None]);
    }
}
