//! The file of the QR code (`--qr-file`).

use std::path::Path;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::terminal::qr;
use crate::terminal::recovery_codes::NewFile;

/// The new file, before it has its picture.
pub(super) struct QrFile {
    file: NewFile,
    is_png: bool,
}

impl QrFile {
    /// Creates the file. The ending of its name decides the format.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let is_png = match path.extension().and_then(|extension| extension.to_str()) {
            Some("png") => true,
            Some("svg") => false,
            _ => {
                let path = path.display();
                return Err(Error::Usage(format!(
                    "--qr-file {path}: the name must end in .png or .svg"
                )));
            }
        };
        Ok(Self { file: NewFile::create("--qr-file", path)?, is_png })
    }

    /// Writes the picture of the link.
    pub(super) fn fill(self, uri: &str) -> Result<(), Error> {
        let picture = qr::encode(uri)?;
        let mut content = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES));
        if self.is_png {
            qr::png(&picture, &mut *content)?;
        } else {
            content.extend_from_slice(qr::svg(&picture).as_bytes());
        }
        self.file.fill(&content)
    }
}

/// The limit of a file. The buffer never grows, so it leaves no copy of the key.
const MAX_FILE_BYTES: usize = 256 * 1024;
