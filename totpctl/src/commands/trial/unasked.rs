//! What a trial says of a login that came in without a code.

use totpd_journal::escape::escape;

use crate::client::{Client, details};
use crate::findings::rules::in_force::RulesInForce;
use crate::pam::files;
use crate::pam::unenrolled_users::{Outcome, Unenrolled};
use crate::trial::login_watch::Login;

/// Says that a login came in, that it does not keep the change, and why it may have needed no code.
pub(super) fn not_asked_message(Login { service, user }: &Login, cause: &Cause) -> String {
    let (user, service) = (escape(user), escape(service));
    let by_key = "ssh -o PubkeyAuthentication=no asks for the code";
    let advice = match cause {
        Cause::Rule(rules) => {
            let rules = rules.join(", ");
            format!("; a rule may let it by ({rules}): see totpctl explain {user} {service}")
        }
        Cause::NoFactor => {
            format!("; it has no factor, and nullok lets it by: totpctl enroll {user}")
        }
        Cause::Unknown if service == "sshd" => format!("; a key is enough there: {by_key}"),
        Cause::Unknown => String::new(),
    };
    format!(
        "{user} logged in through {service} without the code of an app, which does not keep the change{advice}."
    )
}

/// Why a login may have needed no code.
pub(super) enum Cause {
    /// Rules let somebody by at the service.
    Rule(Vec<String>),
    /// The user has no factor, and `nullok` lets such users by.
    NoFactor,
    Unknown,
}

impl Cause {
    /// Asks the daemon.
    pub(super) fn of(Login { service, user }: &Login) -> Self {
        let Ok(client) = Client::connect() else { return Self::Unknown };
        let rules = RulesInForce::read(&client, &[service.as_str()]).unwrap_or_default();
        let lets_by = rules.at(service).lets_by;
        if !lets_by.is_empty() {
            return Self::Rule(lets_by);
        }
        let outcome = Outcome::from_service(service, &files::read, &files::is_installed);
        let is_skipped = outcome.is_some_and(|outcome| outcome.unenrolled == Unenrolled::Skipped);
        match client.manager(async |totpd| totpd.get_user(user).await) {
            Ok(state) if is_skipped && !details::flag(&details::object(&state), "enrolled") => {
                Self::NoFactor
            }
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_by_a_key_is_told_with_the_way_to_be_asked() {
        let told = |service: &str, cause: &Cause| {
            let login = Login { service: service.into(), user: "al\u{1b}ice".into() };
            not_asked_message(&login, cause)
        };
        let of_key = told("sshd", &Cause::Unknown);
        assert!(of_key.contains("PubkeyAuthentication=no"), "{of_key}");
        let of_su = told("su", &Cause::Unknown);
        assert!(of_su.starts_with("al\\u{1b}ice logged in through su without"), "{of_su}");
        // A key is not blamed for what a rule does, or a missing factor.
        let of_rule = told("sshd", &Cause::Rule(vec!["office".into()]));
        assert!(of_rule.contains("let it by (office)") && !of_rule.contains("key"), "{of_rule}");
        let of_user = told("sshd", &Cause::NoFactor);
        assert!(of_user.contains("no factor") && !of_user.contains("key"), "{of_user}");
    }
}
