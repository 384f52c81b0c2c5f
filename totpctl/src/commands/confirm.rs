//! `totpctl confirm`: verifies a pending factor by its first code.

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::client::details;
use crate::commands::named_factor::named_factor;
use crate::error::Error;
use crate::pam::asking_services::asking_services;
use crate::terminal::{input, output, recovery_codes};

pub(super) fn run(user: &str, factor: Option<&str>, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let factor = match factor {
        Some(factor) => named_factor(&client, user, factor, &is_pending)?,
        None => pending(&client, user)?,
    };
    let code = input::code("Code that the app shows: ")?;
    let codes = client.manager(async |totpd| totpd.confirm(user, &factor, &code).await)?;
    if json {
        return output::json(&json!({ "user": user, "factor": factor, "recovery_codes": codes }));
    }
    output::note(&verified(user, &factor, !asking_services().is_empty()));
    recovery_codes::show(user, &codes, None)
}

/// Says that a factor is verified. `asks`: whether a service of this host asks for a code.
pub(super) fn verified(user: &str, factor: &str, asks: bool) -> String {
    match asks {
        true => format!(
            "Factor {factor} of {user} is verified: logins ask for its codes from now on. This code is used; the \
             next login needs the next one."
        ),
        false => {
            format!("Factor {factor} of {user} is verified, and no service asks for a code yet.")
        }
    }
}

fn is_pending(factor: &Map<String, Value>) -> bool {
    details::text(factor, "status") == "unverified"
}

/// Returns the pending factor that this caller created. Only its creator can confirm a factor.
fn pending(client: &Client, user: &str) -> Result<String, Error> {
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    let creator = match nix::unistd::getuid() {
        uid if uid.is_root() => "root".to_owned(),
        uid => format!("uid {uid}"),
    };
    let factors: Vec<_> =
        details::objects(&state, "factors").filter(|factor| is_pending(factor)).collect();
    let own = factors.iter().find(|factor| details::text(factor, "made_by") == creator);
    own.map(|factor| details::text(factor, "factor")).ok_or_else(|| {
        let hint = match factors.is_empty() {
            true => "",
            false => " (only its creator can confirm a pending factor)",
        };
        Error::refused(format!(
            "{user} has no pending factor that you created{hint}; create one with \
             \"totpctl enroll {user}\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verified_factor_promises_no_question_that_nobody_asks() {
        assert!(verified("alice", "f-a", true).contains("logins ask for its codes"));
        let told = verified("alice", "f-a", false);
        assert_eq!(told, "Factor f-a of alice is verified, and no service asks for a code yet.");
    }
}
