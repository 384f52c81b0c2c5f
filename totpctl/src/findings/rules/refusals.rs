//! Who is kept out of a service by the rules in force, whatever code is typed. The daemon judges.

use std::cell::Cell;

use super::in_force::{Entry, Everybody, Reach, RulesInForce};
use crate::client::{Client, details};

/// Why a rule keeps out a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// It refuses the login.
    Refused,
    /// It allows other methods than those of the factors.
    OtherMethods,
}

/// What the rules in force mean for the users of a service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Ruled {
    /// Those who get in from nowhere.
    pub(crate) refused: Vec<(String, Refusal)>,
    /// True if nobody gets in.
    pub(crate) refuses_everybody: bool,
    /// True if some log in without a code.
    pub(crate) lets_some_by: bool,
}

impl RulesInForce {
    /// Returns what the rules mean for these users, at services that one command opens. `explain`
    /// returns the explanation of a login of a user, at a service, from a place.
    pub(crate) fn on_users<'a>(
        &self,
        services: &[&str],
        users: impl Iterator<Item = &'a str>,
        explain: &dyn Fn(&str, &str, &str) -> Option<Entry>,
    ) -> Ruled {
        let reaches: Vec<_> = services.iter().map(|service| self.at(service)).collect();
        let is_refused = |reach: &Reach| reach.everybody == Some(Everybody::Refused);
        let mut ruled = Ruled {
            refused: Vec::new(),
            refuses_everybody: reaches.iter().all(is_refused),
            lets_some_by: reaches.iter().any(|reach| !reach.lets_by.is_empty()),
        };
        if !self.may_refuse() {
            return ruled;
        }
        let (places, room) = (self.places(), Cell::new(MAX_LOGINS));
        let refusal = |user: &str| {
            let mut found = None;
            for service in services {
                for place in &places {
                    // Of those beyond the limit nothing bad is known.
                    room.set(room.get().checked_sub(1)?);
                    found = Some(refusal_of(&explain(user, service, place)?)?);
                }
            }
            found
        };
        ruled.refused = users.filter_map(|user| Some((user.to_owned(), refusal(user)?))).collect();
        ruled
    }

    /// Reports whether a rule refuses logins, or limits the methods.
    fn may_refuse(&self) -> bool {
        let may = |rule: &Entry| matches!(details::text(rule, "then").as_str(), "deny" | "require");
        self.rules.iter().any(may)
    }

    /// Returns where logins may come from: this machine, each place that the rules name, and
    /// elsewhere.
    pub(super) fn places(&self) -> Vec<String> {
        let mut places = vec![LOCAL.to_owned(), ELSEWHERE.to_owned()];
        for network in self.rules.iter().flat_map(|rule| details::texts(rule, "from")) {
            let address = network.split('/').next().unwrap_or_default().to_owned();
            if address.parse::<std::net::IpAddr>().is_ok() && !places.contains(&address) {
                places.push(address);
            }
        }
        places
    }
}

/// Asks the daemon what comes of a login of `user` at a service from a place.
pub(crate) fn explain(client: &Client, user: &str, service: &str, place: &str) -> Option<Entry> {
    let (key, from) = if place == LOCAL { ("ruser", user) } else { ("rhost", place) };
    let login = details::dictionary([("service", Some(service.into())), (key, Some(from.into()))]);
    let explained = client.manager(async |totpd| totpd.explain(user, &login).await);
    explained.ok().map(|(explained, _)| details::object(&explained))
}

/// Returns why a rule keeps out a login, if one does.
fn refusal_of(explained: &Entry) -> Option<Refusal> {
    let text = |key| details::text(explained, key);
    match (text("requirement").as_str(), text("reason").as_str()) {
        ("deny", _) => Some(Refusal::Refused),
        ("code", "factor-restricted") if !text("rule").is_empty() => Some(Refusal::OtherMethods),
        _ => None,
    }
}

const LOCAL: &str = "local";
/// An address that no rule names: it is for documentation alone (RFC 5737).
const ELSEWHERE: &str = "203.0.113.1";
/// The most logins that are asked about for a service. Each is a question to the daemon.
pub(super) const MAX_LOGINS: usize = 500;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(value: &Value) -> Entry {
        value.as_object().unwrap().clone()
    }

    fn rules(then: &str, reach: &Value) -> RulesInForce {
        let rule = json!({"name": "r", "then": then, "from": ["10.0.0.0/8", "local"]});
        RulesInForce::new(vec![object(&rule)], Vec::new(), &[object(reach)])
    }

    #[test]
    fn a_user_is_refused_only_if_no_login_of_any_place_gets_in() {
        let reach = json!({"service": "sudo", "lets_by": [], "refuses": ["r"]});
        let explained = |user: &str, service: &str, place: &str| {
            let (requirement, reason, rule) = match (user, service, place) {
                ("alice", ..) => ("deny", "locked", "r"),
                ("bob", ..) => ("code", "factor-restricted", "r"),
                ("carol", _, "10.0.0.0") | ("dana", "sudo-i", _) => ("code", "code-accepted", "r"),
                // The factor itself is for other services.
                ("erin", ..) => ("code", "factor-restricted", ""),
                _ => ("deny", "denied-by-rule", "r"),
            };
            Some(object(&json!({"requirement": requirement, "reason": reason, "rule": rule})))
        };
        let users = ["alice", "bob", "carol", "dana", "erin"];
        let found =
            rules("deny", &reach).on_users(&["sudo", "sudo-i"], users.into_iter(), &explained);
        let refused = [("alice", Refusal::Refused), ("bob", Refusal::OtherMethods)];
        assert_eq!(found.refused, refused.map(|(user, refusal)| (user.to_owned(), refusal)));
        assert!(!found.refuses_everybody && !found.lets_some_by);
        // A daemon that does not answer refuses nobody.
        let found = rules("deny", &reach).on_users(&["sudo"], users.into_iter(), &|_, _, _| None);
        assert!(found.refused.is_empty());
    }

    #[test]
    fn rules_that_only_let_by_are_not_asked_about() {
        let explain = |_: &str, _: &str, _: &str| panic!("nobody is refused");
        let reach = json!({"service": "sshd", "lets_by": ["r"], "refuses": []});
        let found = rules("skip", &reach).on_users(&["sshd"], ["alice"].into_iter(), &explain);
        assert!(found.lets_some_by && found.refused.is_empty());
        let reach = json!({"service": "sshd", "refuses": ["r"], "everybody": "refused"});
        let found = rules("deny", &reach).on_users(&["sshd"], std::iter::empty(), &explain);
        assert!(found.refuses_everybody);
        let of_more = rules("deny", &reach).on_users(&["sshd", "su"], std::iter::empty(), &explain);
        assert!(!of_more.refuses_everybody);
    }

    #[test]
    fn the_questions_to_the_daemon_are_limited() {
        let asked = Cell::new(0);
        let explain = |_: &str, _: &str, _: &str| {
            asked.set(asked.get() + 1);
            Some(object(&json!({"requirement": "deny"})))
        };
        let reach = json!({"service": "sshd", "refuses": ["r"]});
        let users = std::iter::repeat_n("alice", 1_000);
        let found = rules("deny", &reach).on_users(&["sshd"], users, &explain);
        assert_eq!((asked.get(), found.refused.len()), (MAX_LOGINS, MAX_LOGINS / 3));
    }
}
