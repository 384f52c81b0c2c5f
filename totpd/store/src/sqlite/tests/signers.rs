//! The backups that a store takes for its own, after a rekey, a restore and a restart.

use super::folder::Folder;
use super::host::Host;
use crate::backup::{PublicKey, Signer};
use crate::progress::Progress;
use crate::sqlite::{OpenStore, rekey};

/// Reports whether the store takes the last of these keys for its present one, and the others for
/// earlier ones.
fn knows(opened: &OpenStore, keys: &[PublicKey]) -> bool {
    let known = opened.local.known_backups().unwrap();
    let (current, earlier) = keys.split_last().unwrap();
    known.signer(Some(current)) == Signer::Ours(current.fingerprint())
        && earlier.iter().all(|key| known.signer(Some(key)) == Signer::Earlier(key.fingerprint()))
}

#[test]
fn a_store_knows_its_signers_over_rekey_restore_and_restart() {
    let folder = Folder::new();
    let host = Host::open(&folder.path()).unwrap();
    host.enroll("alice").unwrap();
    let mut signers = vec![host.opened.local.signing_key().public()];
    for _ in 0..2 {
        let report = host.rekey().unwrap();
        let signer = host.opened.local.signing_key().public();
        assert_eq!(report.fingerprint, signer.fingerprint());
        assert!(!signers.contains(&signer), "a new key signs");
        signers.push(signer);
    }
    let backup = host.backup().unwrap();
    host.restore(&backup).unwrap();
    assert!(knows(&host.opened, &signers));
    drop(host);
    let host = Host::open(&folder.path()).unwrap();
    assert_eq!(host.opened.local.signing_key().public(), signers[2]);
    assert!(knows(&host.opened, &signers));
    assert!(!knows(&Folder::new().opened(), &signers[..1]), "another store does not");
}

#[test]
fn an_interrupted_rekey_loses_no_signer() {
    let folder = Folder::with_a_user();
    let opened = folder.opened();
    let before = opened.local.signing_key().public();
    rekey::begin(&opened.local).unwrap();
    // Both keys are the store's now, and it can remember a backup.
    let after = opened.local.signing_key().public();
    assert_ne!(before, after);
    assert!(knows(&opened, &[before, after]));
    opened.local.note_backup(7).unwrap();
    drop(opened);
    // The next start continues it.
    let opened = folder.opened();
    assert!(knows(&opened, &[before, after]));
    while opened.local.rekey(&Progress::default()).is_err() {
        std::thread::yield_now();
    }
    assert!(knows(&opened, &[before, opened.local.signing_key().public()]));
    assert_eq!(opened.local.known_backups().unwrap().newest, Some(7));
}

#[test]
fn a_restore_of_an_older_backup_keeps_the_newest_date() {
    let folder = Folder::new();
    let host = Host::open(&folder.path()).unwrap();
    let newest = |host: &Host| host.opened.local.known_backups().unwrap().newest;
    assert_eq!(newest(&host), None);
    host.enroll("alice").unwrap();
    let (_, created) = host.signed().unwrap();
    assert_eq!(newest(&host), Some(created));
    let backup = host.backup().unwrap();
    let restore = |from: u64, now: u64| {
        let mut restoring = host.opened.local.begin_restore().unwrap();
        for (name, record) in &backup {
            restoring.add(name.clone(), record).unwrap();
        }
        restoring.finish(from, now, move || now, 1).unwrap();
        newest(&host)
    };
    assert_eq!(restore(created - 1, created + 9), Some(created), "it was older");
    assert_eq!(restore(created + 5, created + 9), Some(created + 5));
    assert_eq!(restore(u64::MAX, created + 9), Some(created + 9), "nothing is newer than now");
    host.rekey().unwrap();
    drop(host);
    assert_eq!(newest(&Host::open(&folder.path()).unwrap()), Some(created + 9));
}

#[test]
fn edited_secrets_keep_the_store_closed() {
    let folder = Folder::with_a_user();
    folder
        .file()
        .execute_batch("UPDATE meta SET value = substr(value, 1, 60) WHERE name = 'secrets'")
        .unwrap();
    assert!(folder.refusal().contains("its sealed metadata was changed"));
}
