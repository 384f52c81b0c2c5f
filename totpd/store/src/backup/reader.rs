//! Reading a backup, which may be anything.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::iter;

use age::stream::StreamReader;
use age::{Decryptor, Identity, scrypt};
use sha2::{Digest, Sha512};
use totpd_core::record::Record;
use totpd_core::user_name::UserName;

use crate::backup::error::BackupError;
use crate::backup::format::{FORMAT, Head, User1, User2, User3};
use crate::backup::parts::{decrypt_error, read_age_header, read_error, read_format, read_frame};
use crate::backup::secret::{Opener, WORK_FACTOR};
use crate::backup::signature::{PublicKey, SIGNATURE_BYTES};

/// A backup that is being read. Nothing of it may be used before it was read to its end.
pub struct Reader<R: BufRead> {
    source: Hashed<Plain<R>>,
    format: u32,
    head: Head,
    users: u64,
    end: Option<End>,
}

/// The plain text that age decrypts, after a header that was read already.
type Plain<R> = BufReader<StreamReader<Chain<Cursor<Vec<u8>>, R>>>;

/// The end of a backup.
struct End {
    /// The key that signed it; nothing in formats 1 to 3.
    signed_by: Option<PublicKey>,
}

/// A source, and the hash of everything that was read from it.
struct Hashed<R> {
    source: R,
    hash: Sha512,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.hash.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

impl<R: BufRead> Reader<R> {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`BackupError`] if it is no backup, or cannot be opened with this.
    pub fn open(mut source: R, opener: &Opener) -> Result<Self, BackupError> {
        let header = read_age_header(&mut source)?;
        let source = Cursor::new(header).chain(source);
        let decryptor = Decryptor::new_buffered(source).map_err(decrypt_error)?;
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
        let source = BufReader::new(source.map_err(decrypt_error)?);
        let mut source = Hashed { source, hash: Sha512::new() };
        let format = read_format(&mut source)?;
        if !(1..=FORMAT).contains(&format) {
            return Err(BackupError::Newer { found: format });
        }
        let head = read_frame(&mut source)?.ok_or(BackupError::Damaged)?;
        Ok(Self { source, format, head, users: 0, end: None })
    }

    /// Returns the place and the time of the creation.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the key that signed it, after [`Reader::next_user`] has returned `None` and so
    /// checked the signature. Before that, and for formats 1 to 3, there is none.
    pub fn signed_by(&self) -> Option<&PublicKey> {
        self.end.as_ref()?.signed_by.as_ref()
    }

    /// Returns the SHA-512 of the content, for any encryption. It covers all of the content after
    /// [`Reader::next_user`] has returned `None`.
    pub fn digest(&self) -> [u8; 64] {
        self.source.hash.clone().finalize().into()
    }

    /// Reads the next user. Returns `None` at the end, after checking that the backup is complete
    /// and fits its signature.
    ///
    /// # Errors
    /// [`BackupError::Damaged`], [`BackupError::Forged`] or [`BackupError::Source`].
    pub fn next_user(&mut self) -> Result<Option<(UserName, Record)>, BackupError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let user = match self.format {
            1 => read_frame::<User1>(&mut self.source)?.map(User2::from).map(User3::from),
            2 => read_frame::<User2>(&mut self.source)?.map(User3::from),
            _ => read_frame(&mut self.source)?,
        };
        if let Some(user) = user {
            self.users += 1;
            let name = UserName::parse(&user.name).ok_or(BackupError::Damaged)?;
            let record =
                user.record.into_record_with_plain_seeds(user.uid).ok_or(BackupError::Damaged)?;
            return Ok(Some((name, record)));
        }
        self.end = Some(self.read_end()?);
        Ok(None)
    }

    /// Reads what follows the last user.
    fn read_end(&mut self) -> Result<End, BackupError> {
        if u64::from_le_bytes(self.read_bytes()?) != self.users {
            return Err(BackupError::Damaged);
        }
        let signed_by = match self.format {
            1..=3 => None,
            _ => Some(self.read_signature()?),
        };
        match self.source.read(&mut [0]).map_err(read_error)? {
            0 => Ok(End { signed_by }),
            _ => Err(BackupError::Damaged),
        }
    }

    /// Reads the key that signed everything before it, and checks the signature.
    fn read_signature(&mut self) -> Result<PublicKey, BackupError> {
        let digest = self.digest();
        let key = PublicKey::from_bytes(self.read_bytes()?);
        match key.has_signed(&digest, &self.read_bytes::<SIGNATURE_BYTES>()?) {
            true => Ok(key),
            false => Err(BackupError::Forged),
        }
    }

    fn read_bytes<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(read_error)?;
        Ok(bytes)
    }
}
