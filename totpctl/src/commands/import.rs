//! `totpctl import`: takes over the factors that other programs keep.
//!
//! `reader` has a child without rights parse the files. `owners` decides whose each entry is, and
//! `delivery` hands the factors of a user to totpd in one call.

use std::path::Path;

use totpd_formats::reading::{Format, MissingPart, Part, missing_parts};
use totpd_journal::escape::escape;

use crate::cli::Import;
use crate::client::Client;
use crate::commands::import::choice::Terminal;
use crate::commands::import::owners::{Accounts, Matching, assign};
use crate::commands::import::report::Report;
use crate::commands::import::source::Source;
use crate::error::Error;
use crate::terminal::input;

mod choice;
mod delivery;
mod homes;
mod map;
mod owners;
mod pam_line;
mod reader;
mod report;
mod source;

pub(super) fn run(options: &Import, json: bool) -> Result<(), Error> {
    if options.all_homes && options.format != Format::GoogleAuthenticator {
        return Err(Error::Usage("--all-homes is for google-authenticator".into()));
    }
    let client = Client::connect()?;
    let mut report = Report::new(json, options.dry_run);
    let accounts = Accounts::default();
    let assigned = if options.all_homes {
        homes::read(&accounts, &mut report)?
    } else {
        let matching = match (&options.user, &options.map) {
            (Some(user), _) => Matching::User(user.clone()),
            (None, Some(file)) => Matching::Map(map::read(file)?),
            (None, None) => Matching::Names,
        };
        let sources = read_files(options, &mut report)?;
        assign(sources, &matching, &accounts, &mut Terminal::new(), &mut report)?
    };
    delivery::deliver(&client, assigned, options, &mut report)?;
    report.finish()
}

/// Reads all files. A file that cannot be read is reported, and the others are read.
fn read_files(options: &Import, report: &mut Report) -> Result<Vec<Source>, Error> {
    let (mut sources, mut parts): (_, Vec<Part>) = (Vec::new(), Vec::new());
    for path in &options.files {
        match read_file(path, options) {
            Ok(reading) => {
                parts.extend(reading.summary.parts);
                sources.push(Source {
                    file: path.clone(),
                    owner: reading.owner,
                    is_of_one_user: options.format.is_of_one_user(),
                    entries: reading.entries,
                });
            }
            Err(reason) => report.file_failed(path, &reason)?,
        }
    }
    if let Some(MissingPart { number, of }) = missing_parts(&parts).first() {
        return Err(Error::refused(format!(
            "part {number} of {of} of the export is missing; name the files of all parts"
        )));
    }
    Ok(sources)
}

/// Reads a file. If it is encrypted, asks for its passphrase.
fn read_file(path: &Path, options: &Import) -> Result<reader::Reading, String> {
    match reader::read(path, options, None) {
        Err(reader::Failure::WantsPassphrase) => {
            let prompt = format!("Passphrase of {}: ", escape(&path.to_string_lossy()));
            let passphrase =
                input::passphrase(&prompt, false).map_err(|error| error.to_string())?;
            reader::read(path, options, Some(&passphrase)).map_err(|failure| failure.to_string())
        }
        reading => reading.map_err(|failure| failure.to_string()),
    }
}
