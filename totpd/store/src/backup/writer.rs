//! Writing a backup.

use std::io::{self, BufWriter, Write};
use std::iter;

use age::stream::StreamWriter;
use age::{Encryptor, Recipient, scrypt};
use postcard::to_stdvec;
use serde::Serialize;
use sha2::{Digest, Sha512};
use totpd_core::record::Record;
use totpd_core::user_name::UserName;
use zeroize::Zeroizing;

use crate::backup::error::BackupError;
use crate::backup::format::{FORMAT, FORMAT_LINE, Head, User3};
use crate::backup::secret::{Recipients, WORK_FACTOR};
use crate::backup::signature::SigningKey;
use crate::record_format::Record3;

/// A backup that is being written.
pub struct Writer<W: Write> {
    out: StreamWriter<BufWriter<W>>,
    users: u64,
    /// The hash of everything that was written.
    hash: Sha512,
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
        let mut writer = Self { out, users: 0, hash: Sha512::new() };
        writer.write(format!("{FORMAT_LINE}{FORMAT}\n").as_bytes())?;
        writer.write_frame(head)?;
        Ok(writer)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`BackupError::Target`].
    pub fn add(&mut self, name: &UserName, record: &Record) -> Result<(), BackupError> {
        let plain = Record3::from_record_with_plain_seeds(record);
        self.write_frame(&User3 { name: name.as_str().into(), uid: record.uid, record: plain })?;
        self.users += 1;
        Ok(())
    }

    /// Signs and ends it. Returns how many users are in it. Without that it cannot be used.
    ///
    /// # Errors
    /// [`BackupError::Target`].
    pub fn finish(mut self, key: &SigningKey) -> Result<u64, BackupError> {
        let users = self.users;
        self.write(&0_u32.to_le_bytes())?;
        self.write(&users.to_le_bytes())?;
        let digest = self.hash.finalize_reset().into();
        self.write(key.public().bytes())?;
        self.write(&key.sign(&digest))?;
        let mut out = self.out.finish().map_err(BackupError::Target)?;
        out.flush().map_err(BackupError::Target)?;
        Ok(users)
    }

    fn write_frame(&mut self, content: &impl Serialize) -> Result<(), BackupError> {
        let failed = |error| BackupError::Target(io::Error::other(error));
        let bytes = Zeroizing::new(to_stdvec(content).map_err(failed)?);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.write(&length.to_le_bytes())?;
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(BackupError::Target)
    }
}
