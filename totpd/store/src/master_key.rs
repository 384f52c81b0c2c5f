//! The key that everything is sealed under: a file that is created once, durably, and never
//! replaced.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::Hmac;
use nix::fcntl::OFlag;
use sha2::Sha256;
use totpd_core::hmac::hmac;
use zeroize::Zeroizing;

use crate::fsync::{remove, sync_parent};
use crate::owner::Owner;

mod error;
mod key_id;
#[cfg(test)]
mod tests;

pub use error::KeyError;
pub use key_id::KeyId;

/// The key that everything in the store is sealed under. It prints nothing of itself.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// The origin of a key file. It decides who may read the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyOrigin {
    /// Beside the store: only its owner may read it.
    StoreFile,
    /// A credential of systemd, whose group may read it in later versions.
    Credential,
}

impl MasterKey {
    /// Reads the key; nothing if there is no such file. The file must belong to `owner`.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be read or trusted.
    pub fn read(path: &Path, origin: KeyOrigin, owner: Owner) -> Result<Option<Self>, KeyError> {
        let io_error = |verb| {
            let path = path.to_path_buf();
            move |source| KeyError::Io { path, verb, source }
        };
        let mut file = match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io_error("open"))?,
        };
        let metadata = file.metadata().map_err(io_error("examine"))?;
        let (uid, mode) = (metadata.uid(), metadata.mode());
        let is_private = match origin {
            KeyOrigin::StoreFile => mode == S_IFREG | 0o600,
            KeyOrigin::Credential => mode & !0o640 == S_IFREG,
        };
        let owner = owner.uid();
        if uid != owner || !is_private {
            let path = path.to_path_buf();
            return Err(KeyError::InsecurePermissions { path, uid, owner, mode });
        }
        // One byte more than a key has, to detect a longer file.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
        let mut length = 0;
        loop {
            let rest = bytes.get_mut(length..).unwrap_or_default();
            match file.read(rest).map_err(io_error("read"))? {
                0 => break,
                more => length += more,
            }
        }
        match bytes.first_chunk::<KEY_BYTES>() {
            Some(key) if length == KEY_BYTES => Ok(Some(Self(Zeroizing::new(*key)))),
            _ => Err(KeyError::Length { path: path.to_path_buf(), found: length }),
        }
    }

    /// Creates the key and its file, which must not exist. Both are on disk when this returns.
    ///
    /// # Errors
    /// [`KeyError`]. Then nothing may be sealed.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let io_error = |verb| {
            let path = path.to_path_buf();
            move |source| KeyError::Io { path, verb, source }
        };
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(KeyError::Random)?;
        // Under another name first: a crash must not leave a short key, which nothing would
        // replace.
        let temporary = unfinished_path(path);
        remove(&temporary).map_err(io_error("create"))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(io_error("create"))?;
        file.write_all(bytes.as_slice()).map_err(io_error("write"))?;
        file.sync_all().map_err(io_error("sync"))?;
        // A link, unlike a rename, never replaces an existing key.
        std::fs::hard_link(&temporary, path).map_err(io_error("create"))?;
        std::fs::remove_file(&temporary).map_err(io_error("create"))?;
        sync_parent(path).map_err(io_error("sync"))?;
        Ok(Self(bytes))
    }

    /// Returns the id of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = self.derive("totpd key id 2");
        KeyId::from_hash(hash.first_chunk().copied().unwrap_or_default())
    }

    /// Derives a key for one `purpose`. It reveals no other key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mac = hmac::<Hmac<Sha256>>(self.0.as_slice(), purpose.as_bytes());
        Zeroizing::new(mac.into())
    }
}

/// Returns the path under which a key's file is written.
fn unfinished_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    path.with_file_name(name)
}

fn open(path: &Path) -> io::Result<File> {
    // The open follows no link, and does not wait for the other end of a pipe.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

const KEY_BYTES: usize = 32;
/// A regular file (`st_mode`).
const S_IFREG: u32 = 0o100_000;
