//! The factors of the enrolled users, as far as doctor looks at them.

use serde_json::{Map, Value};

use crate::client::users::for_each_user;
use crate::client::{Client, details};
use crate::error::Error;
use crate::findings::finding::{Finding, FindingId};

/// The users of this host who have a factor.
#[derive(Default)]
pub(crate) struct Enrolled(Vec<User>);

struct User {
    name: String,
    factors: Vec<Factor>,
}

struct Factor {
    id: String,
    /// The PAM services that it is valid for; empty for all.
    services: Vec<String>,
}

impl Enrolled {
    /// Asks totpd, as root. Other users would be asked for a password.
    pub(crate) fn list() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            return None;
        }
        Self::ask().ok()
    }

    fn ask() -> Result<Self, Error> {
        let client = Client::connect()?;
        let mut users = Vec::new();
        for_each_user(&client, |user| {
            users.extend(details::flag(&user, "enrolled").then(|| User::new(&user)));
            Ok(())
        })?;
        Ok(Self(users))
    }

    /// Reports whether a user has a factor.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|user| user.name == name)
    }

    /// Returns the names of all.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|user| user.name.as_str())
    }

    /// Returns a note for each user whose factors are valid for `service`, and none of them for
    /// `sibling` of the same program.
    pub(crate) fn incomplete(&self, service: &str, sibling: &str) -> Vec<Finding> {
        let lacks = |user: &&User| {
            let allows = |name: &str| user.factors.iter().any(|factor| factor.allows(name));
            allows(service) && !allows(sibling)
        };
        let lacking: Vec<_> = self.0.iter().filter(lacks).collect();
        let notes = lacking.iter().take(MAX_NOTES).filter_map(|user| {
            let factor = user.factors.iter().find(|factor| factor.allows(service))?;
            let (id, name) = (&factor.id, &user.name);
            let message = format!(
                "{sibling} refuses the codes of the factor {id} of {name}, which is valid for {service} of the \
                 same program"
            );
            let fix = format!(
                "run totpctl set {name} --factor {id} --services {},{sibling}",
                factor.services.join(",")
            );
            Some(Finding::new(FindingId::ServicesOfFactorIncomplete, message).fix(fix))
        });
        let mut notes: Vec<_> = notes.collect();
        if let Some(more) = lacking.len().checked_sub(MAX_NOTES).filter(|more| *more > 0) {
            let message = format!(
                "the factors of {more} more users are valid for {service}, and not for {sibling}"
            );
            let names: Vec<_> =
                lacking.iter().skip(MAX_NOTES).map(|user| user.name.as_str()).collect();
            let finding = Finding::new(FindingId::ServicesOfFactorIncomplete, message);
            notes.push(finding.depends_on(Some(names.join("\n"))));
        }
        notes
    }
}

impl User {
    fn new(user: &Map<String, Value>) -> Self {
        let usable = details::objects(user, "factors")
            .filter(|factor| details::text(factor, "status") == "verified");
        let factors = usable.map(|factor| Factor {
            id: details::text(factor, "factor"),
            services: details::texts(factor, "services"),
        });
        Self { name: details::text(user, "user"), factors: factors.collect() }
    }
}

impl Factor {
    fn allows(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| name == service)
    }
}

const MAX_NOTES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, factors: &[&[&str]]) -> User {
        let factor = |services: &&[&str]| Factor {
            id: "f-aaaaaaaa".into(),
            services: services.iter().map(|name| (*name).to_owned()).collect(),
        };
        User { name: name.into(), factors: factors.iter().map(factor).collect() }
    }

    #[test]
    fn a_factor_that_leaves_out_a_service_of_the_same_program_is_named() {
        let enrolled = Enrolled(vec![
            user("alice", &[&["sshd", "sudo"]]),
            user("bob", &[&[]]),
            user("carol", &[&["sudo"], &["sudo-i"]]),
            user("dave", &[&["sshd"]]),
        ]);
        let notes = enrolled.incomplete("sudo", "sudo-i");
        assert_eq!(notes.len(), 1);
        let sentence = notes[0].sentence();
        assert!(
            sentence.contains("of alice, which is valid for sudo of the same program"),
            "{sentence}"
        );
        assert!(sentence.ends_with("--services sshd,sudo,sudo-i"), "{sentence}");
        assert_eq!(enrolled.names().collect::<Vec<_>>(), ["alice", "bob", "carol", "dave"]);
        assert!(enrolled.contains("bob") && !enrolled.contains("eve"));
        let many = (0..8).map(|n| user(&format!("u{n}"), &[&["su"]])).collect();
        assert_eq!(Enrolled(many).incomplete("su", "su-l").len(), MAX_NOTES + 1);
    }
}
