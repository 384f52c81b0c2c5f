use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::owner::tests::this_user;

fn with_key(bytes: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.key");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn read(path: &Path) -> Result<Option<MasterKey>, KeyError> {
    MasterKey::read(path, KeyOrigin::StoreFile, this_user())
}

#[test]
fn a_key_is_created_once_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.key");
    assert!(read(&path).unwrap().is_none());
    let created = MasterKey::create(&path).unwrap();
    let again = read(&path).unwrap().unwrap();
    assert_eq!(created.derive("a"), again.derive("a"));
    assert_ne!(created.derive("a"), created.derive("b"));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert!(MasterKey::create(&path).is_err(), "never over one that is there");
    assert_eq!(read(&path).unwrap().unwrap().derive("a"), created.derive("a"));
}

#[test]
fn a_half_written_key_does_not_prevent_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("store.key.new"), b"half").unwrap();
    MasterKey::create(&folder.path().join("store.key")).unwrap();
}

#[test]
fn a_key_of_another_length_is_refused() {
    for length in [0, 1, 31, 33, 4096] {
        let (_folder, path) = with_key(&vec![7; length], 0o600);
        assert!(matches!(read(&path), Err(KeyError::Length { .. })), "{length}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    for mode in [0o644, 0o640, 0o660, 0o400, 0o4600] {
        let (_folder, path) = with_key(&[7; 32], mode);
        assert!(matches!(read(&path), Err(KeyError::InsecurePermissions { .. })), "{mode:o}");
    }
}

#[test]
fn a_key_of_another_owner_is_refused() {
    let (_folder, path) = with_key(&[7; 32], 0o600);
    let uid = this_user().uid();
    let trusted = Owner::from_uid(uid + 1);
    let result = MasterKey::read(&path, KeyOrigin::StoreFile, trusted);
    let Err(KeyError::InsecurePermissions { uid: found, owner, .. }) = result else { panic!() };
    assert_eq!((found, owner), (uid, uid + 1));
}

#[test]
fn a_credential_may_be_readable_by_its_group_alone() {
    for (mode, is_private) in
        [(0o400, true), (0o440, true), (0o600, true), (0o640, true), (0o660, false), (0o444, false)]
    {
        let (_folder, path) = with_key(&[7; 32], mode);
        assert_eq!(
            MasterKey::read(&path, KeyOrigin::Credential, this_user()).is_ok(),
            is_private,
            "{mode:o}"
        );
    }
}

#[test]
fn different_keys_have_different_ids() {
    let (_one, path) = with_key(&[7; 32], 0o600);
    let (_other, second) = with_key(&[8; 32], 0o600);
    let id = |path| read(path).unwrap().unwrap().id();
    assert_eq!(id(&path), id(&path));
    assert_ne!(id(&path), id(&second));
    assert_eq!(KeyId::from_text(id(&path).as_str()), id(&path));
    assert_eq!(id(&path).as_str().len(), 10);
}

#[test]
fn a_link_or_a_directory_is_refused_as_a_key() {
    let (folder, path) = with_key(&[7; 32], 0o600);
    let link = folder.path().join("link.key");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(read(&link), Err(KeyError::Io { .. })));
    assert!(read(folder.path()).is_err());
}
