//! The outcome of a line of a batch.

use serde_json::{Value, json};
use zeroize::Zeroizing;

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
    /// Would be enrolled (`--dry-run`).
    Planned,
    /// Was enrolled already.
    Unchanged,
    /// The reason of a failure.
    Failed(String),
}

impl Outcome {
    pub(super) fn is_pending(&self) -> bool {
        matches!(self, Self::Enrolled { expires: Some(_), .. })
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl Entry {
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
            Outcome::Planned => {
                json!({ "line": line, "user": user, "result": "planned", "changed": true })
            }
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

#[cfg(test)]
mod tests {
    use super::*;

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
