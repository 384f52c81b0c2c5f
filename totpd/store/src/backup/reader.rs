//! Reading a backup, which may be anything.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::iter;

use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Identity, scrypt};
use postcard::from_bytes;
use serde::Deserialize;
use sha2::{Digest, Sha512};
use totpd_core::record::Record;
use totpd_core::user_name::UserName;
use zeroize::Zeroizing;

use super::signature::SIGNATURE;
use super::{
    AGE_HEADER, BackupError, FIRST_LINE, FORMAT, Head, MAX_FRAME_BYTES, MAX_HEADER_BYTES, Opener,
    PublicKey, User1, User2, User3, WORK_FACTOR,
};

/// A backup that is being read. Nothing of it counts before it was read to its end.
pub struct Reader<R: BufRead> {
    source: Hashed<Plain<R>>,
    format: u32,
    head: Head,
    users: u64,
    end: Option<End>,
}

/// What age has opened, behind a header that was read already.
type Plain<R> = BufReader<StreamReader<Chain<Cursor<Vec<u8>>, R>>>;

/// The end of a backup, as it was written.
struct End {
    /// Who signed it; nothing in formats 1 to 3.
    signed_by: Option<PublicKey>,
}

/// A source, and the hash of all that was read from it.
struct Hashed<R> {
    source: R,
    hash: Sha512,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
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
        let source = BufReader::new(source.map_err(refusal)?);
        let mut source = Hashed { source, hash: Sha512::new() };
        let found = format_of(&mut source)?;
        if !(1..=FORMAT).contains(&found) {
            return Err(BackupError::Newer { found });
        }
        let head = frame(&mut source)?.ok_or(BackupError::Damaged)?;
        Ok(Self { source, format: found, head, users: 0, end: None })
    }

    /// Where and when it was made.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The key that signed it. It is known, and its signature was checked, when
    /// [`Reader::next_user`] has answered that there is no other; before that, and for formats 1 to
    /// 3, there is none.
    pub fn signed_by(&self) -> Option<&PublicKey> {
        self.end.as_ref()?.signed_by.as_ref()
    }

    /// Tells what it holds from what another one holds, however it is encrypted: the SHA-512 of all of it. It is whole
    /// when [`Reader::next_user`] has answered that there is no other.
    pub fn digest(&self) -> [u8; 64] {
        self.source.hash.clone().finalize().into()
    }

    /// The next user; nothing at the end, which was then seen to be the end that was written, and
    /// to fit its signature.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], [`BackupError::Forged`] or [`BackupError::Source`].
    pub fn next_user(&mut self) -> Result<Option<(UserName, Record)>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let user = match self.format {
            1 => frame::<User1>(&mut self.source)?.map(User2::from).map(User3::from),
            2 => frame::<User2>(&mut self.source)?.map(User3::from),
            _ => frame(&mut self.source)?,
        };
        if let Some(user) = user {
            self.users += 1;
            let name = UserName::parse(&user.name).ok_or(BackupError::Damaged)?;
            let record = user.record.record_of_plain(user.uid).ok_or(BackupError::Damaged)?;
            return Ok(Some((name, record)));
        }
        self.end = Some(self.end()?);
        Ok(None)
    }

    /// Reads what stands behind the last user.
    fn end(&mut self) -> Result<End, BackupError> {
        if u64::from_le_bytes(self.bytes()?) != self.users {
            return Err(BackupError::Damaged);
        }
        let signed_by = match self.format {
            1..=3 => None,
            _ => Some(self.signature()?),
        };
        match self.source.read(&mut [0]).map_err(unreadable)? {
            0 => Ok(End { signed_by }),
            _ => Err(BackupError::Damaged),
        }
    }

    /// The key that signed all that was read so far.
    fn signature(&mut self) -> Result<PublicKey, BackupError> {
        let digest = self.digest();
        let key = PublicKey::from_bytes(self.bytes()?);
        match key.has_signed(&digest, &self.bytes::<SIGNATURE>()?) {
            true => Ok(key),
            false => Err(BackupError::Forged),
        }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

/// The header of a file of age: the lines up to its MAC. age itself would read on and on through what
/// has no lines.
fn header(source: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut header = Vec::new();
    loop {
        let before = header.len();
        let left = MAX_HEADER_BYTES.saturating_sub(before as u64);
        source.take(left).read_until(b'\n', &mut header).map_err(BackupError::Source)?;
        let line = header.get(before..).unwrap_or_default();
        if !line.ends_with(b"\n") || !header.starts_with(AGE_HEADER) {
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
    let number = line.strip_prefix(FIRST_LINE).and_then(|number| number.parse().ok());
    number.ok_or(BackupError::NotABackup)
}

/// The next frame; nothing at the end.
fn frame<T: for<'a> Deserialize<'a>>(source: &mut impl Read) -> Result<Option<T>, BackupError> {
    let mut length = [0; 4];
    source.read_exact(&mut length).map_err(unreadable)?;
    let length = u32::from_le_bytes(length) as usize;
    match length {
        0 => return Ok(None),
        1..=MAX_FRAME_BYTES => {}
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
