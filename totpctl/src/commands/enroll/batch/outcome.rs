//! The outcome of a line of a batch.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::commands::enroll::sheet::Page;
use crate::terminal::base32;

/// A line and its outcome.
pub(super) struct Entry {
    /// The number of the line, from 1.
    pub(super) number: u64,
    pub(super) user: String,
    pub(super) outcome: Outcome,
}

/// The outcome of a line.
pub(super) enum Outcome {
    Enrolled {
        factor: String,
        uri: Zeroizing<String>,
        codes: Vec<String>,
        /// The time when the pending factor expires, in seconds since 1970. A verified factor has
        /// none.
        expires: Option<u64>,
        /// The time of the first valid code, in seconds since 1970, if earlier ones are refused.
        usable_from: Option<u64>,
    },
    /// Would get a factor (`--dry-run`), which replaces these.
    Planned { replaces: Vec<String> },
    /// Was enrolled already.
    Unchanged,
    /// The reason of a failure.
    Failed(String),
}

impl Outcome {
    pub(super) fn is_pending(&self) -> bool {
        matches!(self, Self::Enrolled { expires: Some(_), .. })
    }

    /// Returns the outcome of a line, with a hint if the line looks like the header of a table.
    pub(super) fn of_line(self, number: u64, user: &str) -> Self {
        match self {
            Self::Failed(reason) if number == 1 && HEADERS.contains(&&*user.to_lowercase()) => {
                Self::Failed(format!("{reason}; if this line is the header of a table, delete it"))
            }
            other => other,
        }
    }

    /// Reports whether the line made or would make a factor.
    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Enrolled { .. } | Self::Planned { .. })
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl Entry {
    /// Returns the page of the sheet, if the line made a factor.
    pub(super) fn page(&self) -> Option<Page<'_>> {
        match &self.outcome {
            Outcome::Enrolled { uri, codes, expires, .. } => {
                Some(Page { user: &self.user, uri, codes, expires: *expires })
            }
            _ => None,
        }
    }

    /// Returns the JSON. `is_verified_next`: a pending factor is verified at once, without a first
    /// code.
    pub(super) fn json(&self, is_verified_next: bool) -> Value {
        let (line, user) = (self.number, &self.user);
        match &self.outcome {
            Outcome::Enrolled { factor, uri, codes, expires, usable_from } => {
                let is_pending = expires.is_some() && !is_verified_next;
                json!({
                    "line": line, "user": user,
                    "result": if is_pending { "pending" } else { "enrolled" }, "changed": true,
                    "factor": factor, "uri": uri.as_str(), "secret": base32::secret_of_uri(uri),
                    "recovery_codes": codes, "usable_from": usable_from,
                })
            }
            Outcome::Planned { replaces } => json!({
                "line": line, "user": user, "result": "planned", "changed": true,
                "planned": if is_verified_next { "enrolled" } else { "pending" },
                "replaces": replaces,
            }),
            Outcome::Unchanged => {
                json!({ "line": line, "user": user, "result": "unchanged", "changed": false })
            }
            Outcome::Failed(reason) => json!({
                "line": line, "user": user, "result": "failed", "changed": false,
                "error": { "code": "refused", "message": reason },
            }),
        }
    }
}

/// The usual headers of a column of users.
const HEADERS: [&str; 7] =
    ["account", "login", "name", "samaccountname", "user", "user name", "username"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_suspected_in_the_first_line_only() {
        for (number, user, expected) in
            [(1, "Username", true), (2, "username", false), (1, "alice", false)]
        {
            let outcome = Outcome::Failed("there is no such user".into()).of_line(number, user);
            let Outcome::Failed(reason) = outcome else { panic!("{user}") };
            assert_eq!(reason.contains("header"), expected, "{number} {user}");
        }
    }

    #[test]
    fn a_factor_without_a_first_code_is_pending() {
        let entry = |expires| Entry {
            number: 1,
            user: "alice".into(),
            outcome: Outcome::Enrolled {
                factor: "f-aaaaaaaa".into(),
                uri: Zeroizing::new("otpauth://totp/h:a?secret=ABCD".into()),
                codes: Vec::new(),
                expires,
                usable_from: None,
            },
        };
        for (expires, is_verified_next, expected) in
            [(Some(1), false, "pending"), (Some(1), true, "enrolled"), (None, false, "enrolled")]
        {
            assert_eq!(entry(expires).json(is_verified_next)["result"], expected);
        }
    }
}
