//! Reading the parts of a file that may be anything.

use std::io::{self, BufRead, Read};

use age::DecryptError;
use postcard::from_bytes;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::backup::error::BackupError;
use crate::backup::format::{FORMAT_LINE, MAX_FRAME_BYTES};
use crate::backup::secret::{AGE_HEADER, MAX_HEADER_BYTES};

/// Reads the header of a file of age: the lines up to its MAC. age itself would read a file without
/// lines to its end.
pub(super) fn read_age_header(source: &mut impl BufRead) -> Result<Vec<u8>, BackupError> {
    let mut header = Vec::new();
    loop {
        let before = header.len();
        let limit = MAX_HEADER_BYTES.saturating_sub(before as u64);
        source.take(limit).read_until(b'\n', &mut header).map_err(BackupError::Source)?;
        let line = header.get(before..).unwrap_or_default();
        if header.starts_with(ARMOR_HEADER) {
            return Err(BackupError::Armored);
        }
        if !line.ends_with(b"\n") || !header.starts_with(AGE_HEADER) {
            return Err(BackupError::NotAge);
        }
        if line.starts_with(b"---") {
            return Ok(header);
        }
    }
}

/// Reads the first line, and returns the format that it names.
pub(super) fn read_format(source: &mut impl Read) -> Result<u32, BackupError> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MAX_FORMAT_LINE_BYTES {
        match source.read(&mut byte) {
            Ok(0) => return Err(BackupError::NotABackup),
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.extend(byte),
            Err(error) => return Err(read_error(error)),
        }
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let number = line.strip_prefix(FORMAT_LINE).and_then(|number| number.parse().ok());
    number.ok_or(BackupError::NotABackup)
}

/// Reads the next frame; nothing at the end.
pub(super) fn read_frame<T: for<'a> Deserialize<'a>>(
    source: &mut impl Read,
) -> Result<Option<T>, BackupError> {
    let mut length = [0; 4];
    source.read_exact(&mut length).map_err(read_error)?;
    let length = u32::from_le_bytes(length) as usize;
    match length {
        0 => return Ok(None),
        1..=MAX_FRAME_BYTES => {}
        _ => return Err(BackupError::Damaged),
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    source.read_exact(&mut bytes).map_err(read_error)?;
    from_bytes(&bytes).map(Some).map_err(|_| BackupError::Damaged)
}

/// Converts an I/O error: its kind shows whether age found the file changed or cut.
pub(super) fn read_error(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => BackupError::Damaged,
        _ => BackupError::Source(error),
    }
}

/// Converts an error of age.
pub(super) fn decrypt_error(error: DecryptError) -> BackupError {
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

const ARMOR_HEADER: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const MAX_FORMAT_LINE_BYTES: usize = 64;
