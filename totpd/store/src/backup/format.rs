//! The content of a backup.
//!
//! A line names the format, then frames follow. A frame is a length (u32, little endian) and as
//! many bytes in postcard. The first frame is the [`Head`], the others are users. A frame of length
//! 0 and the number of users (u64) follow. Then the signature follows: the public key (32 bytes)
//! and 64 bytes of Ed25519. Ed25519 signs a SHA-512 of everything before the signature. Formats 1
//! to 3 end without a signature.

use serde::{Deserialize, Serialize};

use crate::record_format::{Record1, Record2, Record3};

/// The format of what is inside.
pub(super) const FORMAT: u32 = 4;
/// The beginning of the first line, before the format.
pub(super) const FORMAT_LINE: &str = "totpd backup ";
/// A user has a few factors of a hundred bytes and a few known sources.
pub(super) const MAX_FRAME_BYTES: usize = 1 << 20;

/// The place and the time of the creation of a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Head {
    /// The time of the creation, in seconds since 1970.
    pub created: u64,
    /// The name of the host.
    pub host: String,
    /// The version of totpd.
    pub version: String,
}

/// A user in a backup of format 1, which is read and no longer written.
#[derive(Deserialize)]
pub(super) struct User1 {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) record: Record1,
}

/// A user in a backup of format 2, which is read and no longer written.
#[derive(Deserialize)]
pub(super) struct User2 {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) record: Record2,
}

/// A user in a backup of format 3 or 4, which differ in the signature alone.
#[derive(Deserialize, Serialize)]
pub(super) struct User3<'a> {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) record: Record3<'a>,
}

impl From<User1> for User2 {
    fn from(old: User1) -> Self {
        Self { name: old.name, uid: old.uid, record: old.record.into() }
    }
}

impl From<User2> for User3<'_> {
    fn from(old: User2) -> Self {
        Self { name: old.name, uid: old.uid, record: old.record.into() }
    }
}
