//! The sealing key: a file that is made once, durably, and never again.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE32_NOPAD;
use hmac::Hmac;
use nix::fcntl::OFlag;
use sha2::Sha256;
use totpd_core::hmac::hmac;
use zeroize::Zeroizing;

use crate::fsync::{remove, sync_folder_of};

/// The key that everything in the store is sealed under. It prints nothing of itself.
pub struct MasterKey(Zeroizing<[u8; LENGTH]>);

/// The name of a key: `k-` and eight lower-case base32 characters, made from the key by a one-way
/// function. It tells keys apart and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyId(String);

impl KeyId {
    /// The id that was written somewhere, which may be any text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(16).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may read a key's file, beside root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyOrigin {
    /// Nobody: a file of our own.
    StoreFile,
    /// Whoever systemd lets: a credential, of which later versions make the group the owner's.
    Credential,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be opened, read or made.
    #[error("the sealing key {path} cannot be {verb}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is not a plain file that only root can read.
    #[error(
        "the sealing key {path} must be a plain file of uid 0 with mode 0600; it is owned by uid \
         {uid} and has mode {mode:06o}: chown root {path}; chmod 600 {path}"
    )]
    InsecurePermissions {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// Its type and mode.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("the sealing key {path} has {found} bytes and must have 32: restore it from a backup")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: usize,
    },
    /// The kernel gives no random bytes.
    #[error("the kernel gives no random bytes for a sealing key")]
    NoRandomness,
}

impl MasterKey {
    /// Reads the key; nothing if there is no such file.
    ///
    /// # Errors
    /// [`KeyError`] if there is one that cannot be read or trusted.
    pub fn read(path: &Path, origin: KeyOrigin) -> Result<Option<Self>, KeyError> {
        let failed = |verb| {
            let path = path.to_path_buf();
            move |source| KeyError::Io { path, verb, source }
        };
        let mut file = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("opened"))?,
        };
        let metadata = file.metadata().map_err(failed("examined"))?;
        let (uid, mode) = (metadata.uid(), metadata.mode());
        let good = match origin {
            KeyOrigin::StoreFile => mode == S_IFREG | 0o600,
            KeyOrigin::Credential => mode & !0o640 == S_IFREG,
        };
        if uid != 0 || !good {
            return Err(KeyError::InsecurePermissions { path: path.to_path_buf(), uid, mode });
        }
        // One byte more than there may be, so that a long file is noticed.
        let mut bytes = Zeroizing::new([0; LENGTH + 1]);
        let mut found = 0;
        loop {
            let rest = bytes.get_mut(found..).unwrap_or_default();
            match file.read(rest).map_err(failed("read"))? {
                0 => break,
                more => found += more,
            }
        }
        match bytes.first_chunk::<LENGTH>() {
            Some(key) if found == LENGTH => Ok(Some(Self(Zeroizing::new(*key)))),
            _ => Err(KeyError::Length { path: path.to_path_buf(), found }),
        }
    }

    /// Makes the key and its file, which must not exist; both are on disk when this returns.
    ///
    /// # Errors
    /// [`KeyError`]; then nothing may be sealed.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let failed = |verb| {
            let path = path.to_path_buf();
            move |source| KeyError::Io { path, verb, source }
        };
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| KeyError::NoRandomness)?;
        // Written under another name first: a crash must not leave a short key behind, over
        // which no new one would ever be made.
        let unfinished = unfinished(path);
        remove(&unfinished).map_err(failed("made"))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(failed("made"))?;
        file.write_all(bytes.as_slice()).map_err(failed("written"))?;
        file.sync_all().map_err(failed("synced"))?;
        // A link, unlike a rename, never replaces a key that is there.
        std::fs::hard_link(&unfinished, path).map_err(failed("made"))?;
        std::fs::remove_file(&unfinished).map_err(failed("made"))?;
        sync_folder_of(path).map_err(failed("synced"))?;
        Ok(Self(bytes))
    }

    /// The id of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = self.derive("totpd key id 2");
        let bytes = hash.first_chunk::<5>().copied().unwrap_or_default();
        KeyId(format!("k-{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
    }

    /// A key for one `purpose`, from which no other can be found.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; LENGTH]> {
        let mac = hmac::<Hmac<Sha256>>(self.0.as_slice(), purpose.as_bytes());
        Zeroizing::new(mac.into())
    }
}

/// The name under which a key's file is written.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    path.with_file_name(name)
}

fn open(path: &Path) -> io::Result<File> {
    // Not through a link, and not waiting for the other end of a pipe.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

const LENGTH: usize = 32;
const S_IFREG: u32 = 0o100_000;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with_key(bytes: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.key");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.key");
        assert!(MasterKey::read(&path, KeyOrigin::StoreFile).unwrap().is_none());
        let made = MasterKey::create(&path).unwrap();
        let read = MasterKey::read(&path, KeyOrigin::StoreFile).unwrap().unwrap();
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(MasterKey::create(&path).is_err(), "never over one that is there");
        assert_eq!(
            MasterKey::read(&path, KeyOrigin::StoreFile).unwrap().unwrap().derive("a"),
            made.derive("a")
        );
    }

    #[test]
    fn what_a_crash_left_half_written_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("store.key.new"), b"half").unwrap();
        MasterKey::create(&folder.path().join("store.key")).unwrap();
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for length in [0, 1, 31, 33, 4096] {
            let (_folder, path) = with_key(&vec![7; length], 0o600);
            assert!(
                matches!(
                    MasterKey::read(&path, KeyOrigin::StoreFile),
                    Err(KeyError::Length { .. })
                ),
                "{length}"
            );
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o660, 0o400, 0o4600] {
            let (_folder, path) = with_key(&[7; 32], mode);
            assert!(
                matches!(
                    MasterKey::read(&path, KeyOrigin::StoreFile),
                    Err(KeyError::InsecurePermissions { .. })
                ),
                "{mode:o}"
            );
        }
    }

    #[test]
    fn a_key_of_somebody_else_is_refused() {
        let (_folder, path) = with_key(&[7; 32], 0o600);
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        let refused = MasterKey::read(&path, KeyOrigin::StoreFile);
        assert!(matches!(refused, Err(KeyError::InsecurePermissions { uid: 65_534, .. })));
    }

    #[test]
    fn a_credential_may_be_read_by_its_group_and_not_written() {
        for (mode, good) in [
            (0o400, true),
            (0o440, true),
            (0o600, true),
            (0o640, true),
            (0o660, false),
            (0o444, false),
        ] {
            let (_folder, path) = with_key(&[7; 32], mode);
            assert_eq!(MasterKey::read(&path, KeyOrigin::Credential).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn keys_are_told_apart_by_their_ids() {
        let (_one, path) = with_key(&[7; 32], 0o600);
        let (_other, second) = with_key(&[8; 32], 0o600);
        let id = |path| MasterKey::read(path, KeyOrigin::StoreFile).unwrap().unwrap().id();
        assert_eq!(id(&path), id(&path));
        assert_ne!(id(&path), id(&second));
        assert_eq!(KeyId::from_text(id(&path).as_str()), id(&path));
        assert_eq!(id(&path).as_str().len(), 10);
    }

    #[test]
    fn a_link_or_a_folder_is_no_key() {
        let (folder, path) = with_key(&[7; 32], 0o600);
        let link = folder.path().join("link.key");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(MasterKey::read(&link, KeyOrigin::StoreFile), Err(KeyError::Io { .. })));
        assert!(MasterKey::read(folder.path(), KeyOrigin::StoreFile).is_err());
    }
}
