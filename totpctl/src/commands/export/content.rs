//! The text of an export, in its format.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use totpd_formats::export::{
    Exported, Factor, Unwritable, google_authenticator, oath, otpauth_uri, pskc, unused_from,
};
use zeroize::Zeroizing;

use crate::cli::ExportFormat;
use crate::commands::export::leaving::Leaving;
use crate::commands::export::target::Target;
use crate::error::Error;

/// The text of an export, as far as it is not written.
pub(super) struct Content {
    format: ExportFormat,
    /// The time, in seconds since 1970.
    pub(super) now: u64,
    /// The seconds by which local time is ahead of UTC.
    utc_offset: i32,
    /// The factors of a container, which is written at the end.
    packages: Vec<(String, Factor)>,
    issuer: String,
}

impl Content {
    pub(super) fn new(format: ExportFormat) -> Self {
        let (now, host) = (Timestamp::now(), rustix::system::uname());
        Self {
            format,
            now: now.as_second().max(0).unsigned_abs(),
            utc_offset: TimeZone::system().to_offset(now).seconds(),
            packages: Vec::new(),
            issuer: host.nodename().to_string_lossy().replace(':', "-"),
        }
    }

    /// Adds the factors of a user.
    pub(super) fn add(
        &mut self,
        user: &str,
        export: &mut Leaving,
        target: &mut Target,
    ) -> Result<(), Error> {
        for factor in std::mem::take(&mut export.factors) {
            let id = factor.id.to_string();
            if self.format == ExportFormat::GoogleAuthenticator && !export.gone.is_empty() {
                export.left_out.push(format!("{id}: the other program has one factor a user"));
                continue;
            }
            if self.format == ExportFormat::Uri {
                export.unused_from = export.unused_from.max(unused_from(&factor));
            }
            match self.text(user, factor) {
                Err(unwritable) => export.left_out.push(format!("{id}: {unwritable}")),
                Ok(Exported { text, notes }) => {
                    target.write(user, &text)?;
                    export.notes.extend(notes.iter().map(|note| format!("{id}: {note}")));
                    export.gone.push(id);
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, user: &str, factor: Factor) -> Result<Exported, Unwritable> {
        match self.format {
            ExportFormat::GoogleAuthenticator => google_authenticator(&factor, self.now),
            ExportFormat::Oath => oath(&factor, user, self.now, self.utc_offset),
            ExportFormat::Uri => {
                let uri = otpauth_uri(&factor, &self.issuer, user);
                // It never grows, so it leaves no copy of the seed.
                let mut text = Zeroizing::new(String::with_capacity(uri.len() + 1));
                text.push_str(&uri);
                text.push('\n');
                Ok(Exported { text, notes: Vec::new() })
            }
            ExportFormat::Pskc => {
                self.packages.push((user.to_owned(), factor));
                Ok(Exported { text: Zeroizing::default(), notes: Vec::new() })
            }
        }
    }

    /// Writes what has to stand in one piece.
    pub(super) fn finish(self, target: &mut Target) -> Result<(), Error> {
        if self.format != ExportFormat::Pskc {
            return Ok(());
        }
        let packages = self.packages.iter().map(|(user, factor)| (user.as_str(), factor));
        target.write("", &pskc(&packages.collect::<Vec<_>>()).text)
    }
}
