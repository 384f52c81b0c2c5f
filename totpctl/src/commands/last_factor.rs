//! The question before a user can no longer log in by a service that asks for a code.

use serde_json::{Map, Value};

use crate::client::{Client, details};
use crate::error::Error;
use crate::host::door::never_asking;
use crate::pam::asking_services::{AskingService, asking_services};
use crate::terminal::{input, output};

/// What becomes of a factor.
#[derive(Clone, Copy)]
pub(super) struct Loss<'a> {
    /// The factor; without it, all of the user.
    pub(super) factor: Option<&'a str>,
    pub(super) fate: Fate<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Fate<'a> {
    Removed,
    /// The user still has it, but its codes are not valid: disabled, or outside its time.
    Unusable,
    /// The services that it is still valid for.
    ValidFor(&'a [String]),
}

/// Asks whether to remove or disable a factor of a user who then cannot log in somewhere.
/// `refusal`: the error if the answer is no.
pub(super) fn ask_before_loss(
    client: &Client,
    user: &str,
    factor: Option<&str>,
    refusal: &'static str,
) -> Result<(), Error> {
    match input::is_terminal() {
        true => ask(user, &lost(client, user, Loss { factor, fate: Fate::Removed })?, refusal),
        false => Ok(()),
    }
}

/// Asks whether a user may lose these services. Without a terminal nothing is asked, because a
/// script has decided already.
pub(super) fn ask(user: &str, lost: &[String], refusal: &'static str) -> Result<(), Error> {
    if lost.is_empty() || !input::is_terminal() {
        return Ok(());
    }
    let services = output::first_names(lost);
    match input::confirm(&format!("{user} could then not log in by {services}. Go on? [y/N] "))? {
        true => Ok(()),
        false => Err(Error::refused(refusal)),
    }
}

/// Returns the services of this host by which a user can log in with a code, and cannot after the
/// loss.
pub(super) fn lost(client: &Client, user: &str, loss: Loss<'_>) -> Result<Vec<String>, Error> {
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    let mut asking = asking_services();
    asking.retain(|service| never_asking::reason(&service.name).is_none());
    Ok(lost_among(&asking, &state, loss))
}

fn lost_among(
    asking: &[AskingService],
    state: &Map<String, Value>,
    Loss { factor, fate }: Loss<'_>,
) -> Vec<String> {
    let confirmed = details::objects(state, "factors")
        .filter(|factor| details::text(factor, "status") != "unverified");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut has_factor = false;
    for other in confirmed {
        let is_changed = factor.is_none_or(|id| details::text(other, "factor") == id);
        has_factor |= !(is_changed && matches!(fate, Fate::Removed));
        if details::text(other, "status") != "verified" {
            continue;
        }
        let valid_for = details::texts(other, "services");
        match (is_changed, fate) {
            (true, Fate::ValidFor(services)) => after.push(services.to_vec()),
            (true, _) => {}
            (false, _) => after.push(valid_for.clone()),
        }
        before.push(valid_for);
    }
    // An empty list is valid for all.
    let is_valid = |lists: &[Vec<String>], service: &str| {
        lists.iter().any(|list| list.is_empty() || list.iter().any(|name| name == service))
    };
    // nullok and enroll are for users who have no factor at all. A disabled one is a factor.
    let lets_in = |service: &AskingService| !has_factor && service.unenrolled.can_log_in();
    let is_lost = |service: &&AskingService| {
        is_valid(&before, &service.name) && !is_valid(&after, &service.name) && !lets_in(service)
    };
    asking.iter().filter(is_lost).map(|service| service.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pam::unenrolled_users::Unenrolled;

    /// Returns what alice loses of `sshd`, `su` (which has nullok) and `sudo`.
    fn lost_of(factors: &Value, factor: Option<&str>, services: Option<&[&str]>) -> Vec<String> {
        let services: Option<Vec<String>> =
            services.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let fate = services.as_deref().map_or(Fate::Removed, Fate::ValidFor);
        lost_by(factors, Loss { factor, fate })
    }

    fn lost_by(factors: &Value, loss: Loss<'_>) -> Vec<String> {
        let service = |name: &str, unenrolled| AskingService { name: name.into(), unenrolled };
        let asking = [
            service("sshd", Unenrolled::Denied),
            service("su", Unenrolled::Skipped),
            service("sudo", Unenrolled::Denied),
        ];
        let state = json!({ "factors": factors });
        lost_among(&asking, state.as_object().unwrap(), loss)
    }

    #[test]
    fn the_last_factor_of_a_service_is_the_last() {
        let all = json!([
            { "factor": "f-a", "status": "verified" }, { "factor": "f-b", "status": "unverified" },
        ]);
        assert_eq!(lost_of(&all, None, None), ["sshd", "sudo"]);
        assert_eq!(lost_of(&all, Some("f-a"), None), ["sshd", "sudo"]);
        assert!(lost_of(&all, Some("f-b"), None).is_empty());
        let apart = json!([
            { "factor": "f-a", "status": "verified", "services": ["sshd", "su"] },
            { "factor": "f-b", "status": "verified", "services": ["sudo"] },
        ]);
        // Who still has a factor is denied with nullok, too.
        assert_eq!(lost_of(&apart, Some("f-a"), None), ["sshd", "su"]);
        let none = json!([{ "factor": "f-b", "status": "unverified" }]);
        assert!(lost_of(&none, None, None).is_empty(), "nothing to lose");
    }

    #[test]
    fn nullok_lets_in_nobody_whose_factor_is_disabled() {
        let one = json!([{ "factor": "f-a", "status": "verified" }]);
        let unusable = Loss { factor: Some("f-a"), fate: Fate::Unusable };
        assert_eq!(lost_by(&one, unusable), ["sshd", "su", "sudo"]);
        // A disabled factor is left.
        let two = json!([
            { "factor": "f-a", "status": "verified" }, { "factor": "f-b", "status": "disabled" },
        ]);
        assert_eq!(lost_of(&two, Some("f-a"), None), ["sshd", "su", "sudo"]);
        assert_eq!(lost_of(&two, None, None), ["sshd", "sudo"]);
    }

    #[test]
    fn a_service_that_the_list_leaves_out_is_lost() {
        let one = json!([{ "factor": "f-a", "status": "verified" }]);
        for (services, expected) in [
            (&["sshd"][..], &["su", "sudo"][..]),
            (&["sshd", "su", "sudo"], &[]),
            (&["no-such"], &["sshd", "su", "sudo"]),
            (&[], &[]),
        ] {
            assert_eq!(lost_of(&one, Some("f-a"), Some(services)), expected, "{services:?}");
        }
        let two = json!([
            { "factor": "f-a", "status": "verified" },
            { "factor": "f-b", "status": "verified", "services": ["sudo"] },
        ]);
        assert_eq!(lost_of(&two, Some("f-a"), Some(&["sshd"])), ["su"]);
        // It was not valid for the others before.
        let restricted = json!([{ "factor": "f-a", "status": "verified", "services": ["sshd"] }]);
        assert!(lost_of(&restricted, Some("f-a"), Some(&["sshd", "su"])).is_empty());
    }
}
