//! The times and services of a factor.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::source::Source;

/// The times and services of a factor; without limits by default.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Restrictions {
    /// The purpose, as text for people.
    pub purpose: String,
    /// The first second of use, in seconds since 1970.
    pub not_before: Option<u64>,
    /// The end of use (exclusive), in seconds since 1970.
    pub not_after: Option<u64>,
    /// The PAM services; empty means all.
    pub services: Vec<String>,
}

impl Restrictions {
    /// Reports whether the factor may be used for `service` at `now` (seconds since 1970).
    ///
    /// A caller that names no service is on no list.
    #[must_use]
    pub fn allow(&self, service: Option<&str>, now: u64) -> bool {
        let allows_service = self.services.is_empty()
            || service.is_some_and(|service| self.services.iter().any(|name| name == service));
        allows_service
            && self.not_before.is_none_or(|start| now >= start)
            && self.not_after.is_none_or(|end| now < end)
    }
}

/// The place of the last use of a factor.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LastUse {
    /// The PAM service; may be empty.
    pub service: String,
    /// The source of the attempt, as text for people.
    pub source: String,
}

impl LastUse {
    /// Returns the place of a login by `service`, if the caller names one, from `source`. Keeps 64
    /// characters of each.
    #[must_use]
    pub fn new(service: Option<&str>, source: &Source) -> Self {
        let truncate = |text: &str| text.chars().take(MAX_PLACE_CHARS).collect();
        Self {
            service: truncate(service.unwrap_or_default()),
            source: truncate(&source.to_string()),
        }
    }
}

/// Characters of a service or source that a record keeps.
const MAX_PLACE_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;

    use super::*;

    #[test]
    fn a_factor_is_restricted_by_service_and_time() {
        let services = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let with = |not_before, not_after, names: &[&str]| Restrictions {
            not_before,
            not_after,
            services: services(names),
            ..Restrictions::default()
        };
        for (restrictions, service, now, allowed) in [
            (Restrictions::default(), None, 5, true),
            (with(Some(5), None, &[]), None, 4, false),
            (with(Some(5), None, &[]), None, 5, true),
            (with(None, Some(5), &[]), None, 4, true),
            (with(None, Some(5), &[]), None, 5, false),
            (with(None, None, &["sshd"]), Some("sshd"), 5, true),
            (with(None, None, &["sshd"]), Some("sudo"), 5, false),
            (with(None, None, &["sshd"]), None, 5, false),
            (with(None, None, &["sshd", "sudo"]), Some("sudo"), 5, true),
            (with(Some(1), Some(9), &["sshd"]), Some("sshd"), 9, false),
        ] {
            assert_eq!(
                restrictions.allow(service, now),
                allowed,
                "{restrictions:?} {service:?} {now}"
            );
        }
    }
}
