//! An enrollment without a first code (`--no-confirm`). The factor is verified when its key is
//! written, so a failed output costs nobody a factor.

use serde_json::{Map, Value};

use super::qr_file::QrFile;
use super::{new_factor, screen, verification};
use crate::cli::Enroll;
use crate::client::{Client, details};
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::output;
use crate::terminal::recovery_codes::{self, NewFile};

/// A pending factor that is verified without a first code.
pub(super) struct Pending<'a> {
    pub(super) user: &'a str,
    pub(super) factor: &'a str,
    pub(super) uri: &'a str,
    pub(super) details: Map<String, Value>,
}

impl Pending<'_> {
    /// Writes the key to all outputs, verifies the factor, and writes the recovery codes.
    pub(super) fn finish(
        mut self,
        client: &Client,
        options: &Enroll,
        (qr_file, save): (Option<QrFile>, Option<NewFile>),
        json: bool,
    ) -> Result<(), Error> {
        // It waits for no code, and replaces the others now.
        self.details.retain(|key, _| !matches!(key.as_str(), "expires" | "replaces"));
        let Self { user, factor, uri, ref details } = self;
        let written = qr_file.map_or(Ok(()), |file| file.fill(uri)).and_then(|()| match json {
            true => output::json_start(&new_factor::pending(user, factor, uri, details).into()),
            false => screen::show(uri, options, details),
        });
        if let Err(error) = written {
            return Err(error.with_consequence(&self.withdraw(client)));
        }
        let request = verification::request(factor, true, options.if_unenrolled);
        let reply = match client.manager(async |totpd| totpd.enroll(user, &request).await) {
            Ok((_, _, reply)) => details::object(&reply),
            Err(error) if json => {
                if let Some(object) = error.json() {
                    output::json_end(&object)?;
                }
                return Err(Error::reported(error.to_string()));
            }
            Err(error) => {
                let consequence =
                    format!("\"totpctl show {user}\" tells if the factor is verified");
                return Err(error.with_consequence(&consequence));
            }
        };
        let codes = details::texts(&reply, "recovery_codes");
        let told = match json {
            true => recovery_codes::save(user, &codes, save)
                .and_then(|()| output::json_end(&new_factor::verified(&reply).into())),
            false => {
                output::note(&verified(user, factor, &reply));
                recovery_codes::show(user, &codes, save)
            }
        };
        told.map_err(|error| {
            error.with_consequence(&format!(
                "factor {factor} is verified; if its recovery codes are lost, make new ones: \
                 totpctl recovery-codes {user}"
            ))
        })
    }

    /// Removes the factor. Says what that leaves.
    fn withdraw(&self, client: &Client) -> String {
        let Self { user, factor, .. } = self;
        let removed = client.manager(async |totpd| totpd.remove(user, factor, "").await);
        let fate = if removed.is_ok() { "removed" } else { "not verified" };
        format!("the new factor is {fate}, and an earlier factor of {user} stays valid")
    }
}

/// Says from when the codes are valid.
fn verified(user: &str, factor: &str, details: &Map<String, Value>) -> String {
    match details::number(details, "usable_from") {
        None => format!("Factor {factor} of {user} is verified: its codes are valid at once."),
        Some(from) => format!(
            "Factor {factor} of {user} is verified: its codes are valid from {} on. Earlier ones may \
             have been used elsewhere, and are denied.",
            local_time::display_time_of_day(from)
        ),
    }
}
