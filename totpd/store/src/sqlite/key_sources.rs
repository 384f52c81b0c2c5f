//! Where the master keys of the store are read from: credentials of systemd, and files beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::master_key::{KeyError, KeyId, KeyOrigin, MasterKey};
use crate::owner::Owner;
use crate::sqlite::layout::{KEY_FILE, NEXT_KEY_FILE};

/// The places to search for keys, and the required owner of the keys.
#[derive(Clone, Debug)]
pub(super) struct KeySources {
    /// The store's directory.
    pub(super) directory: PathBuf,
    /// The directory of systemd's credentials.
    pub(super) credentials: Option<PathBuf>,
    pub(super) owner: Owner,
}

/// The place of one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum KeySource {
    /// A credential of systemd, by its name.
    Credential(&'static str),
    /// A file beside the store, by its name.
    File(&'static str),
}

/// A key that was found.
pub(super) struct FoundKey {
    pub(super) key: MasterKey,
    pub(super) source: KeySource,
}

/// The keys that were found, the preferred ones first.
pub(super) struct Keyring(Vec<FoundKey>);

impl KeySources {
    /// Reads a key file beside the store; nothing if there is none.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be read or trusted.
    pub(super) fn read_file(&self, path: &Path) -> Result<Option<MasterKey>, KeyError> {
        MasterKey::read(path, KeyOrigin::StoreFile, self.owner)
    }
}

impl Keyring {
    /// Reads all keys.
    ///
    /// # Errors
    /// [`KeyError`] if one cannot be read or trusted: it may be the one that is needed.
    pub(super) fn load(sources: &KeySources) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for source in SOURCES {
            let (path, origin) = match (&source, &sources.credentials) {
                (KeySource::Credential(_), None) => continue,
                (KeySource::Credential(name), Some(credentials)) => {
                    (credentials.join(name), KeyOrigin::Credential)
                }
                (KeySource::File(name), _) => (sources.directory.join(name), KeyOrigin::StoreFile),
            };
            if let Some(key) = MasterKey::read(&path, origin, sources.owner)? {
                keys.push(FoundKey { key, source });
            }
        }
        Ok(Self(keys))
    }

    /// Takes the key with that id.
    pub(super) fn take(&mut self, id: &KeyId) -> Option<FoundKey> {
        self.take_if(|entry| entry.key.id() == *id)
    }

    /// Takes the first key for which `fits` holds.
    pub(super) fn take_fitting(&mut self, fits: impl Fn(&MasterKey) -> bool) -> Option<FoundKey> {
        self.take_if(|entry| fits(&entry.key))
    }

    /// Takes the key for a new store, if one exists.
    pub(super) fn take_preferred(&mut self) -> Option<FoundKey> {
        self.take_if(|_| true)
    }

    /// Takes the credential that the store is to be sealed under, if systemd gave one.
    pub(super) fn take_credential(&mut self) -> Option<FoundKey> {
        self.take_if(|entry| entry.source == CREDENTIAL)
    }

    /// Returns a key that was taken, as the preferred one.
    pub(super) fn reinsert(&mut self, entry: FoundKey) {
        self.0.insert(0, entry);
    }

    /// Lists the ids of all keys for people to read.
    pub(super) fn ids(&self) -> String {
        let ids: Vec<_> =
            self.0.iter().map(|entry| format!("{} in {}", entry.key.id(), entry.source)).collect();
        if ids.is_empty() { "no key".into() } else { ids.join(", ") }
    }

    fn take_if(&mut self, fits: impl Fn(&FoundKey) -> bool) -> Option<FoundKey> {
        let index = self.0.iter().position(fits)?;
        Some(self.0.remove(index))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(name) => write!(f, "the credential {name}"),
            Self::File(name) => f.write_str(name),
        }
    }
}

/// The source that is preferred to all others.
pub(super) const CREDENTIAL: KeySource = KeySource::Credential("totpd.key");
/// The source that holds no current key once a rekey has ended.
pub(super) const NEXT_KEY: KeySource = KeySource::File(NEXT_KEY_FILE);
/// All sources, the preferred ones first. `totpd.key.old` is the credential that `totpd.key`
/// replaces (`totpctl rekey`).
const SOURCES: [KeySource; 4] =
    [CREDENTIAL, KeySource::Credential("totpd.key.old"), KeySource::File(KEY_FILE), NEXT_KEY];
