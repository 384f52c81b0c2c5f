//! A user who has factors, and for which services their codes are valid.

use serde_json::{Map, Value};

use crate::client::account_uid::differing;
use crate::client::users::for_each_user;
use crate::client::{Client, details};
use crate::error::Error;

/// A user who has factors.
pub(crate) struct Holder {
    pub(crate) name: String,
    pub(crate) factors: Vec<Map<String, Value>>,
    /// The uid of the record and that of the account, if they differ. No code is then valid.
    pub(crate) differing: Option<(u64, u64)>,
}

impl Holder {
    /// Returns a user of the daemon, if it has a factor.
    pub(crate) fn from_user(user: &Map<String, Value>) -> Option<Self> {
        let differing = differing(user);
        let has_factor = details::flag(user, "enrolled") || differing.is_some();
        has_factor.then(|| Self {
            name: details::text(user, "user"),
            factors: details::objects(user, "factors").cloned().collect(),
            differing,
        })
    }

    /// Reports whether the codes of a factor are valid at `now` (seconds since 1970): for a
    /// service, or for any.
    pub(crate) fn is_valid(&self, service: Option<&str>, now: u64) -> bool {
        self.differing.is_none()
            && self.factors.iter().any(|factor| is_usable(factor, service, now))
    }
}

/// Returns all users who have a factor.
pub(crate) fn holders(client: &Client) -> Result<Vec<Holder>, Error> {
    let mut holders = Vec::new();
    for_each_user(client, |user| {
        holders.extend(Holder::from_user(&user));
        Ok(())
    })?;
    holders.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(holders)
}

/// Returns the time in seconds since 1970.
pub(crate) fn now() -> u64 {
    jiff::Timestamp::now().as_second().cast_unsigned()
}

/// Reports whether the codes of a factor are valid at `now` for a service, or for any.
pub(crate) fn is_usable(factor: &Map<String, Value>, service: Option<&str>, now: u64) -> bool {
    let services = details::texts(factor, "services");
    let allows = |service: &str| services.is_empty() || services.iter().any(|name| name == service);
    details::text(factor, "status") == "verified"
        && details::number(factor, "not_before").is_none_or(|from| from <= now)
        && details::number(factor, "not_after").is_none_or(|end| now < end)
        && service.is_none_or(allows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_factor_is_usable_while_it_is_verified_and_in_its_time() {
        let now = 1_000;
        let factor = |value: Value| is_usable(value.as_object().unwrap(), None, now);
        assert!(factor(json!({ "status": "verified", "not_before": 1_000, "not_after": 1_001 })));
        assert!(!factor(json!({ "status": "verified", "not_after": 1_000 })));
        assert!(!factor(json!({ "status": "verified", "not_before": 1_001 })));
        assert!(!factor(json!({ "status": "disabled" })));
        let of_sudo = json!({ "status": "verified", "services": ["sudo"] });
        let allows = |service| is_usable(of_sudo.as_object().unwrap(), service, now);
        assert!(allows(None) && allows(Some("sudo")) && !allows(Some("sshd")));
    }
}
