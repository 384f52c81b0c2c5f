//! A line of a batch: a user name, or a JSON object.

use serde::Deserialize;
use totpd_formats::import::Token;
use totpd_interface::Dictionary;
use zbus::Variant;

use crate::cli::Enroll;
use crate::client::details;
use crate::commands::enroll::existing_token::Parameters;

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
            let parsed: Self = serde_json::from_str(line).map_err(|error| json_fault(&error))?;
            // "CORP\bob" is valid JSON: its \b is a backspace.
            return match parsed.user.chars().any(char::is_control) {
                true => Err(format!("user has a control character; {BACKSLASH}")),
                false => Ok(parsed),
            };
        }
        if line.chars().any(char::is_control) {
            return Err("it is neither a name nor a JSON object".into());
        }
        if let Some(separator) = line.chars().find(|c| matches!(c, ',' | ';')) {
            return Err(format!(
                "it has {separator:?}: a line is a name or a JSON object ({{\"user\":\"alice\"}}), and not a row \
                 of a table"
            ));
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

    /// Returns the user that a line names, even if something else is wrong with it; empty if none.
    pub(super) fn user_of(line: &str) -> String {
        let object = serde_json::from_str::<serde_json::Value>(line.trim());
        let user = object.ok().and_then(|object| Some(object.get("user")?.as_str()?.to_owned()));
        user.filter(|user| !user.chars().any(char::is_control)).unwrap_or_default()
    }

    /// Returns the existing token of the line.
    ///
    /// # Errors
    /// Says what is wrong with its secret.
    pub(super) fn token(&self) -> Result<Option<Token>, String> {
        let token = self.secret.as_deref().map(Token::parse).transpose();
        token.map_err(|error| error.to_string())
    }

    /// Returns the options of the request. The line takes precedence over the options of the
    /// command.
    ///
    /// # Errors
    /// Says what is wrong with the line.
    pub(super) fn request(
        &self,
        options: &Enroll,
        token: Option<&Token>,
    ) -> Result<Dictionary, String> {
        let parameters = Parameters {
            is_hotp: options.hotp,
            algorithm: self.algorithm.as_deref().or(options.algorithm.map(|name| name.name())),
            digits: self.digits.or(options.digits),
            period: self.period.or(options.period),
            counter: None,
        };
        let parameters = parameters.of_token(token)?;
        // The user has this key already, so it need not be printed before the factor is verified.
        // A sheet also has recovery codes. A dry run asks for the outcome of both steps.
        let is_known = token.is_some() && options.sheet.is_none();
        let at_once = options.no_confirm && (is_known || options.dry_run);
        let others = [
            ("name", self.name.as_deref().or(options.name.as_deref()).map(Variant::from)),
            ("issuer", self.issuer.as_deref().or(options.issuer.as_deref()).map(Variant::from)),
            ("secret", token.map(|token| token.secret.to_vec().into())),
            ("if_unenrolled", options.if_unenrolled.then(|| true.into())),
            ("dry_run", options.dry_run.then(|| true.into())),
            ("qr", Some(false.into())),
            // The next run after an interrupted one continues with the same factors.
            ("resume", (!at_once).then(|| true.into())),
            ("confirmed", at_once.then(|| true.into())),
            ("recovery_codes", at_once.then(|| false.into())),
        ];
        Ok(details::dictionary(parameters.entries().into_iter().chain(others)))
    }
}

fn json_fault(error: &serde_json::Error) -> String {
    let fault = error.to_string();
    match fault.contains("invalid escape") {
        true => format!("{fault}; {BACKSLASH}"),
        false => fault,
    }
}

const BACKSLASH: &str = "a backslash in JSON is written twice, as in \"CORP\\\\bob\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: &str) -> String {
        Line::parse(line).err().unwrap_or_default()
    }

    #[test]
    fn a_line_is_a_name_or_an_object() {
        for (line, user) in [
            (" alice \r", "alice"),
            (r"CORP\bob", r"CORP\bob"),
            (r#"{"user":"CORP\\bob"}"#, r"CORP\bob"),
        ] {
            assert_eq!(Line::parse(line).ok().unwrap().user, user, "{line}");
        }
    }

    #[test]
    fn a_faulty_object_names_its_user() {
        for (line, user) in [
            (r#"{"user":"bob","color":1}"#, "bob"),
            (r#"{"user":"bob","digits":"x"}"#, "bob"),
            (r#"{"user":7}"#, ""),
            (r#"{"user":"bob""#, ""),
            ("alice,bob", ""),
        ] {
            assert!(!fault(line).is_empty(), "{line}");
            assert_eq!(Line::user_of(line), user, "{line}");
        }
    }

    #[test]
    fn a_single_backslash_in_json_is_explained() {
        for line in
            [r#"{"user":"CORP\bob"}"#, r#"{"user":"CORP\alice"}"#, r#"{"user":"CORP\nina"}"#]
        {
            assert!(fault(line).contains(r#""CORP\\bob""#), "{line}: {}", fault(line));
        }
    }

    #[test]
    fn a_row_of_a_table_is_explained() {
        for line in ["alice,GEZDGNBV", "alice;x", "user,secret"] {
            assert!(fault(line).contains("not a row of a table"), "{line}");
        }
        assert!(fault("\u{1}").contains("neither a name"), "control characters");
    }
}
