//! A line of a batch: a user name, or a JSON object.

use serde::Deserialize;
use totpd_interface::Dictionary;
use zbus::Variant;

use crate::cli::Enroll;
use crate::client::details;
use crate::terminal::base32;

/// A parsed line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) user: String,
    name: Option<String>,
    issuer: Option<String>,
    algorithm: Option<String>,
    digits: Option<u32>,
    period: Option<u32>,
    /// The allocator wipes it, as all memory of totpctl.
    secret: Option<String>,
}

impl Line {
    /// Parses a line.
    ///
    /// # Errors
    /// Says what is wrong with the line.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if line.starts_with('{') {
            return serde_json::from_str(line).map_err(|error| error.to_string());
        }
        if line.chars().any(char::is_control) {
            return Err("it is neither a name nor a JSON object".into());
        }
        Ok(Self {
            user: line.to_owned(),
            name: None,
            issuer: None,
            algorithm: None,
            digits: None,
            period: None,
            secret: None,
        })
    }

    /// Returns the options of the request. The line takes precedence over the options of the
    /// command.
    ///
    /// # Errors
    /// Says what is wrong with the line.
    pub(super) fn request(&self, options: &Enroll) -> Result<Dictionary, String> {
        let secret = self.secret.as_ref().map(|text| base32::parse(text)).transpose();
        let secret = secret.map_err(|_| "secret is not base32".to_owned())?;
        let algorithm = self.algorithm.as_deref().or(options.algorithm.map(|name| name.name()));
        // The user has this key already, so it need not be printed before the factor is verified.
        let at_once = options.no_confirm && secret.is_some();
        Ok(details::dictionary([
            ("name", self.name.as_deref().or(options.name.as_deref()).map(Variant::from)),
            ("issuer", self.issuer.as_deref().or(options.issuer.as_deref()).map(Variant::from)),
            ("algorithm", algorithm.map(Variant::from)),
            ("digits", self.digits.or(options.digits).map(Variant::from)),
            ("period", self.period.or(options.period).map(Variant::from)),
            ("kind", options.hotp.then(|| "hotp".into())),
            ("secret", secret.map(|secret| secret.to_vec().into())),
            ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
            ("qr", Some(false.into())),
            // The next run after an interrupted one continues with the same factors.
            ("resume", (!at_once).then(|| true.into())),
            ("confirmed", at_once.then(|| true.into())),
            ("recovery_codes", at_once.then(|| options.sheet.is_some().into())),
        ]))
    }
}
