//! `totpctl confirm`: the first code of a new factor.

use serde_json::json;

use crate::bus::Bus;
use crate::failure::Failure;
use crate::{input, json, output, recovery};

pub(super) fn run(user: &str, factor: Option<&str>, json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let factor = match factor {
        Some(factor) => factor.to_owned(),
        None => waiting(&bus, user)?,
    };
    let code = input::code("Code that the app shows: ")?;
    let codes = bus.manager(async |totpd| totpd.confirm(user, &factor, &code).await)?;
    if json {
        return output::json(&json!({ "user": user, "factor": factor, "recovery_codes": codes }));
    }
    output::note(&format!("Factor {factor} of {user} is verified: it opens the door from now on."));
    recovery::show(user, &codes, None)
}

/// The factor that waits for its first code.
fn waiting(bus: &Bus, user: &str) -> Result<String, Failure> {
    let state = json::object(&bus.manager(async |totpd| totpd.get_user(user).await)?);
    json::objects(&state, "factors")
        .find(|factor| json::text(factor, "status") == "unverified")
        .map(|factor| json::text(factor, "factor"))
        .ok_or_else(|| {
            Failure::refused(format!(
                "no factor of {user} waits for a first code (any more): make one with \
                 \"totpctl enroll {user}\""
            ))
        })
}
