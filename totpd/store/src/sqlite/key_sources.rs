//! The keys that are there: credentials of systemd, and files of our own beside the store.

use std::path::Path;

use crate::master_key::{KeyError, KeyId, KeyOrigin, MasterKey};

/// A key that was found.
pub(super) struct Found {
    pub(super) key: MasterKey,
    pub(super) place: Place,
}

/// Where a key comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// A credential that systemd gave, by its name.
    Credential(&'static str),
    /// A file beside the store, by its name.
    File(&'static str),
}

/// The keys that are there, those that are preferred first.
pub(super) struct Keyring(Vec<Found>);

impl Keyring {
    /// Looks for keys.
    ///
    /// # Errors
    /// [`KeyError`] if one cannot be read or trusted: it may be the one that is needed.
    pub(super) fn look(folder: &Path, credentials: Option<&Path>) -> Result<Self, KeyError> {
        let mut found = Vec::new();
        let places = CREDENTIALS.into_iter().map(Place::Credential);
        for place in places.chain(FILES.into_iter().map(Place::File)) {
            let (path, kept) = match (&place, credentials) {
                (Place::Credential(_), None) => continue,
                (Place::Credential(name), Some(credentials)) => {
                    (credentials.join(name), KeyOrigin::Credential)
                }
                (Place::File(name), _) => (folder.join(name), KeyOrigin::StoreFile),
            };
            if let Some(key) = MasterKey::read(&path, kept)? {
                found.push(Found { key, place });
            }
        }
        Ok(Self(found))
    }

    /// The key of that id.
    pub(super) fn take(&mut self, id: &KeyId) -> Option<Found> {
        let index = self.0.iter().position(|found| found.key.id() == *id)?;
        Some(self.0.swap_remove(index))
    }

    /// The key that fits, whichever it is.
    pub(super) fn find(&mut self, fits: impl Fn(&MasterKey) -> bool) -> Option<Found> {
        let index = self.0.iter().position(|found| fits(&found.key))?;
        Some(self.0.remove(index))
    }

    /// Gives back what was taken.
    pub(super) fn reinsert(&mut self, found: Found) {
        self.0.insert(0, found);
    }

    /// The key that a new store is sealed under, if there is one already.
    pub(super) fn first(&mut self) -> Option<Found> {
        self.find(|_| true)
    }

    /// The credential that the store is to be sealed under, if systemd gave one.
    pub(super) fn wanted_credential(&mut self) -> Option<Found> {
        let index = self.0.iter().position(|found| found.place == CREDENTIAL)?;
        Some(self.0.swap_remove(index))
    }

    /// The ids of all keys, for people to read.
    pub(super) fn ids(&self) -> String {
        let ids: Vec<_> =
            self.0.iter().map(|found| format!("{} in {}", found.key.id(), found.place)).collect();
        if ids.is_empty() { "no key".into() } else { ids.join(", ") }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Credential(name) => write!(f, "the credential {name}"),
            Self::File(name) => f.write_str(name),
        }
    }
}

/// The credential that is used, and the one that it takes the place of (`totpctl rekey`).
const CREDENTIALS: [&str; 2] = ["totpd.key", "totpd.key.old"];
/// Where a key comes from that goes before all others.
pub(super) const CREDENTIAL: Place = Place::Credential("totpd.key");
/// The key's file beside the store.
pub(super) const FILE: &str = "store.key";
/// The key that the store is being re-sealed under.
pub(super) const NEXT: &str = "store.key.next";
/// Where the key is not when a rekey has been finished.
pub(super) const NEXT_KEY_FILE: Place = Place::File(NEXT);
const FILES: [&str; 2] = [FILE, NEXT];
