//! A backup: all users with their seeds, in one file that the standard `age` tool opens
//! (<https://age-encryption.org/v1>).
//!
//! Inside is a line that names the format, then frames: a length (u32, little endian) and so many
//! bytes in postcard. The first frame is the [`Head`], the others are users; a frame of length 0
//! and the number of users (u64) end it.

use std::io::{self, BufRead, BufReader, BufWriter, Chain, Cursor, Read, Write};
use std::iter;

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, scrypt, x25519};
use postcard::{from_bytes, to_stdvec};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::codec::Record1;
use crate::record::Record;
use crate::store::StoreError;
use crate::user::UserName;

/// Where and when a backup was made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Head {
    /// When, in seconds since 1970.
    pub made: u64,
    /// The name of the host.
    pub host: String,
    /// The version of totpd.
    pub version: String,
}

/// Whom a backup is for.
pub enum Recipients {
    /// Whoever knows the passphrase.
    Passphrase(SecretString),
    /// Whoever holds one of the identities (`age-keygen`) to these recipients.
    Keys(Vec<x25519::Recipient>),
}

/// What opens a backup.
pub enum Opener {
    /// The passphrase.
    Passphrase(SecretString),
    /// Identities (`AGE-SECRET-KEY-1…`).
    Identities(Vec<x25519::Identity>),
}

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is not whole, or not as it was made.
    #[error("the backup is damaged or cut short")]
    Damaged,
    /// An identity is needed, and a passphrase was given.
    #[error("the backup was made for age recipients: say --identity FILE")]
    NeedsIdentity,
    /// A passphrase is needed, and an identity was given.
    #[error("the backup is protected by a passphrase, not by an identity")]
    NeedsPassphrase,
    /// A later version made it.
    #[error("the backup has format {found}; this version of totpd knows formats up to {FORMAT}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// age opened it, and it is something else.
    #[error("this is a file of age, but not a backup of totpd")]
    NotABackup,
    /// It is no file of age.
    #[error("this is not a backup: age does not know it")]
    NotAge,
    /// The store has users.
    #[error("the store has users already: say --replace to put the backup in its place")]
    NotEmpty,
    /// It cannot be read.
    #[error("the backup cannot be read: {0}")]
    Source(io::Error),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be written.
    #[error("the backup cannot be written: {0}")]
    Target(io::Error),
    /// A passphrase that is too expensive to try.
    #[error("the backup asks for more work for its passphrase than totpd does (2^{0})")]
    TooMuchWork(u8),
    /// The passphrase or the identity does not fit.
    #[error("the backup cannot be opened: the passphrase or identity is another one")]
    WrongSecret,
}

/// A user in a backup.
#[derive(Deserialize, Serialize)]
struct User1 {
    name: String,
    uid: u32,
    record: Record1,
}

/// A backup that is being written.
pub struct Writer<W: Write> {
    out: StreamWriter<BufWriter<W>>,
    users: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// [`BackupError::Target`].
    pub fn begin(out: W, recipients: &Recipients, head: &Head) -> Result<Self, BackupError> {
        let encryptor = match recipients {
            Recipients::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                Encryptor::with_recipients(iter::once(&recipient as &dyn Recipient))
            }
            Recipients::Keys(keys) => {
                Encryptor::with_recipients(keys.iter().map(|key| key as &dyn Recipient))
            }
        };
        let encryptor = encryptor.map_err(|error| BackupError::Target(io::Error::other(error)))?;
        let out = encryptor.wrap_output(BufWriter::new(out)).map_err(BackupError::Target)?;
        let mut writer = Self { out, users: 0 };
        writer.raw(format!("{MAGIC}{FORMAT}\n").as_bytes())?;
        writer.frame(head)?;
        Ok(writer)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`BackupError::Target`].
    pub fn add(&mut self, name: &UserName, record: &Record) -> Result<(), BackupError> {
        let record1 = Record1::plain(record);
        self.frame(&User1 { name: name.as_str().into(), uid: record.uid, record: record1 })?;
        self.users += 1;
        Ok(())
    }

    /// Ends it. Without that it cannot be used.
    ///
    /// # Errors
    /// [`BackupError::Target`].
    pub fn finish(mut self) -> Result<u64, BackupError> {
        let users = self.users;
        self.raw(&0_u32.to_le_bytes())?;
        self.raw(&users.to_le_bytes())?;
        let mut out = self.out.finish().map_err(BackupError::Target)?;
        out.flush().map_err(BackupError::Target)?;
        Ok(users)
    }

    fn frame(&mut self, content: &impl Serialize) -> Result<(), BackupError> {
        let failed = |error| BackupError::Target(io::Error::other(error));
        let bytes = Zeroizing::new(to_stdvec(content).map_err(failed)?);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.raw(&length.to_le_bytes())?;
        self.raw(&bytes)
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.out.write_all(bytes).map_err(BackupError::Target)
    }
}

/// A backup that is being read. Nothing of it counts before it was read to its end.
pub struct Reader<R: BufRead> {
    source: BufReader<StreamReader<Chain<Cursor<Vec<u8>>, R>>>,
    head: Head,
    users: u64,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`BackupError`] if it is none, or cannot be opened with this.
    pub fn open(mut source: R, opener: &Opener) -> Result<Self, BackupError> {
        let header = header(&mut source)?;
        let source = Cursor::new(header).chain(source);
        let decryptor = Decryptor::new_buffered(source).map_err(refusal)?;
        let source = match opener {
            Opener::Passphrase(_) if !decryptor.is_scrypt() => {
                return Err(BackupError::NeedsIdentity);
            }
            Opener::Identities(_) if decryptor.is_scrypt() => {
                return Err(BackupError::NeedsPassphrase);
            }
            Opener::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(WORK_FACTOR);
                decryptor.decrypt(iter::once(&identity as &dyn Identity))
            }
            Opener::Identities(identities) => {
                decryptor.decrypt(identities.iter().map(|identity| identity as &dyn Identity))
            }
        };
        let mut source = BufReader::new(source.map_err(refusal)?);
        let found = format_of(&mut source)?;
        if found != FORMAT {
            return Err(BackupError::Newer { found });
        }
        let head = frame(&mut source)?.ok_or(BackupError::Damaged)?;
        Ok(Self { source, head, users: 0, ended: false })
    }

    /// Where and when it was made.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next user; nothing at the end, which was then seen to be the end that was written.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] or [`BackupError::Source`].
    pub fn next_user(&mut self) -> Result<Option<(UserName, Record)>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        if let Some(user) = frame::<User1>(&mut self.source)? {
            self.users += 1;
            let name = UserName::parse(&user.name).ok_or(BackupError::Damaged)?;
            let record = user.record.record_of_plain(user.uid).ok_or(BackupError::Damaged)?;
            return Ok(Some((name, record)));
        }
        let mut users = [0; 8];
        self.source.read_exact(&mut users).map_err(unreadable)?;
        let more = self.source.read(&mut [0]).map_err(unreadable)?;
        if more > 0 || u64::from_le_bytes(users) != self.users {
            return Err(BackupError::Damaged);
        }
        self.ended = true;
        Ok(None)
    }
}

/// The header of a file of age: the lines up to its MAC. age itself would read on and on through what
/// has no lines.
fn header(source: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut header = Vec::new();
    loop {
        let before = header.len();
        let left = LONGEST_HEADER.saturating_sub(before as u64);
        source.take(left).read_until(b'\n', &mut header).map_err(BackupError::Source)?;
        let line = header.get(before..).unwrap_or_default();
        if !line.ends_with(b"\n") || !header.starts_with(AGE) {
            return Err(BackupError::NotAge);
        }
        if line.starts_with(b"---") {
            return Ok(header);
        }
    }
}

/// The format that the first line names.
fn format_of(source: &mut impl Read) -> Result<u32, BackupError> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < 64 {
        match source.read(&mut byte) {
            Ok(0) => return Err(BackupError::NotABackup),
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.extend(byte),
            Err(error) => return Err(unreadable(error)),
        }
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let number = line.strip_prefix(MAGIC).and_then(|number| number.parse().ok());
    number.ok_or(BackupError::NotABackup)
}

/// The next frame; nothing at the end.
fn frame<T: for<'a> Deserialize<'a>>(source: &mut impl Read) -> Result<Option<T>, BackupError> {
    let mut length = [0; 4];
    source.read_exact(&mut length).map_err(unreadable)?;
    let length = u32::from_le_bytes(length) as usize;
    match length {
        0 => return Ok(None),
        1..=LONGEST_FRAME => {}
        _ => return Err(BackupError::Damaged),
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    source.read_exact(&mut bytes).map_err(unreadable)?;
    from_bytes(&bytes).map(Some).map_err(|_| BackupError::Damaged)
}

/// age tells by the kind of an I/O error that what it reads was changed or cut.
fn unreadable(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => BackupError::Damaged,
        _ => BackupError::Source(error),
    }
}

fn refusal(error: DecryptError) -> BackupError {
    match error {
        DecryptError::ExcessiveWork { required, .. } => BackupError::TooMuchWork(required),
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => BackupError::WrongSecret,
        DecryptError::InvalidMac => BackupError::Damaged,
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            BackupError::NotAge
        }
        DecryptError::Io(error) => BackupError::Source(error),
        _ => BackupError::NotAge,
    }
}

const AGE: &[u8] = b"age-encryption.org/v1\n";
/// Room for a hundred recipients and more.
const LONGEST_HEADER: u64 = 64 << 10;
const MAGIC: &str = "totpd backup ";
/// The format of what is inside.
const FORMAT: u32 = 1;
/// 2^18: that of the `age` tool, a second or so and 256 MiB.
const WORK_FACTOR: u8 = 18;
/// A user has a few factors of a hundred bytes and a few known sources.
const LONGEST_FRAME: usize = 1 << 20;

#[cfg(test)]
mod tests;
