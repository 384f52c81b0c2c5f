//! The JSON object of a new factor.

use serde_json::{Map, Value, json};

use crate::client::details;
use crate::terminal::base32;

/// Returns what the object has before the factor is verified.
pub(super) fn pending(
    user: &str,
    factor: &str,
    uri: &str,
    details: &Map<String, Value>,
) -> Map<String, Value> {
    let object = json!({
        "user": user,
        "factor": factor,
        "uri": uri,
        "secret": base32::secret_of_uri(uri),
        "replaces": details::texts(details, "replaces"),
        "changed": true,
    });
    object.as_object().cloned().unwrap_or_default()
}

/// Returns what the object has besides, from the details of a verified factor.
pub(super) fn verified(details: &Map<String, Value>) -> Map<String, Value> {
    let object = json!({
        "recovery_codes": details::texts(details, "recovery_codes"),
        "usable_from": details::number(details, "usable_from"),
    });
    object.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::output;

    #[test]
    fn a_new_factor_is_an_object_of_the_schema() {
        let uri = "otpauth://totp/h:a?secret=GEZDGNBVGY3TQOJQ";
        let mut object = pending("alice", "f-aaaaaaaa", uri, &Map::new());
        object.extend(verified(&Map::new()));
        assert_eq!(
            output::undescribed_keys("enroll", &object.clone().into()),
            Vec::<String>::new()
        );
        assert_eq!(object["secret"], "GEZDGNBVGY3TQOJQ");
    }
}
