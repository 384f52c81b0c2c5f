//! What the rules in force come to at services.

use std::sync::Arc;

use totpd_core::policy::representatives::{named_users, place_holders, places, unnamed_users};
use totpd_core::policy::{Everybody, Judge, Policy, Reach, Rule, Then, World, reaches};
use totpd_interface::{DictBuilder, Dictionary, Error};

use crate::daemon::Daemon;
use crate::host::clock;

/// Returns what the rules come to at each of these services.
pub(crate) async fn at(
    daemon: &Arc<Daemon>,
    services: Vec<String>,
) -> Result<Vec<Dictionary>, Error> {
    if services.len() > MAX_SERVICES {
        return Err(Error::LimitsExceeded(format!("name {MAX_SERVICES} services at most")));
    }
    let rulebook = daemon.rulebook();
    let now = daemon.judging_time_at(&rulebook, clock::now());
    let judged = tokio::task::spawn_blocking(move || {
        describe_all(Judge { policy: rulebook.policy(), now }, services)
    });
    judged.await.map_err(|_| Error::Internal("the rules could not be judged".into()))
}

fn describe_all(judge: Judge<'_>, services: Vec<String>) -> Vec<Dictionary> {
    let (policy, none) = (judge.policy, Policy::default());
    let both = [policy, &none];
    let places = places(both);
    let mut users = unnamed_users(both);
    // First those who stand for everybody.
    users.reverse();
    users.extend(place_holders(named_users(both)));
    let cost = policy.rules().count().max(1) * places.len() * services.len().max(1);
    let room = (MAX_JUDGMENTS / cost).max(LEAST_USERS);
    let is_whole = users.len() <= room;
    users.truncate(room);
    let services = services.into_iter().map(|name| (name.clone(), name)).collect();
    let world = World { users, services, places };
    let found = reaches(judge, &world);
    let described = world.services.iter().zip(found).map(|((_, service), mut reach)| {
        if !is_whole {
            reach.lets_unenrolled_by = false;
            add_possible(policy, service, &mut reach);
        }
        describe(service, &reach)
    });
    described.collect()
}

/// Adds the rules that may let users by who were not compared.
fn add_possible<'a>(policy: &'a Policy, service: &str, reach: &mut Reach<'a>) {
    let fits = |rule: &&Rule| {
        let mut patterns = rule.services.iter().flat_map(|list| list.iter());
        rule.services.is_none() || patterns.any(|pattern| pattern.fits(service))
    };
    for rule in policy.rules().filter(|rule| rule.then == Then::Skip).filter(fits) {
        if !reach.lets_by.iter().any(|known| known.name == rule.name) {
            reach.lets_by.push(rule);
        }
    }
}

fn describe(service: &str, reach: &Reach<'_>) -> Dictionary {
    let names = |rules: &[&Rule]| -> Vec<String> {
        rules.iter().map(|rule| rule.name.as_str().to_owned()).collect()
    };
    let everybody = reach.everybody.map(|everybody| match everybody {
        Everybody::LetBy => "skipped",
        Everybody::Refused => "refused",
    });
    let built = DictBuilder::new()
        .with("service", service.to_owned())
        .with("lets_by", names(&reach.lets_by))
        .with("refuses", names(&reach.refuses))
        .with_some("everybody", everybody)
        .with("unenrolled_let_by", reach.lets_unenrolled_by);
    built.into()
}

/// Those who stand for all others, with and without a factor.
const LEAST_USERS: usize = 2;
/// A host has some dozens.
const MAX_SERVICES: usize = 1024;
/// The judgments of all services: about a second.
const MAX_JUDGMENTS: usize = 20_000_000;

#[cfg(test)]
mod tests {
    use totpd_core::policy::{OneOf, RuleName, ServicePattern, UserPattern};
    use totpd_interface::dictionary::DictReader as _;

    use super::*;

    fn rule(name: &str, user: Option<&str>, service: Option<&str>) -> Rule {
        let users = user.map(|user| UserPattern::parse(user).unwrap());
        let services = service.map(|service| ServicePattern::parse(service).unwrap());
        Rule {
            name: RuleName::parse(name).unwrap(),
            users: users.and_then(|user| OneOf::new(vec![user])),
            groups: None,
            services: services.and_then(|service| OneOf::new(vec![service])),
            from: None,
            then: Then::Skip,
        }
    }

    fn told(rules: Vec<Rule>, services: &[&str]) -> Vec<Dictionary> {
        let policy = Policy::new(rules);
        let services = services.iter().map(ToString::to_string).collect();
        describe_all(Judge { policy: &policy, now: 0 }, services)
    }

    #[test]
    fn each_service_has_what_the_rules_come_to() {
        let rules = vec![rule("bob", Some("bob"), Some("sudo")), rule("all", None, Some("sshd"))];
        let [sshd, sudo, login] = told(rules, &["sshd", "sudo", "login"]).try_into().unwrap();
        assert_eq!(sshd.text("everybody").unwrap(), Some("skipped"));
        assert_eq!(sudo.text("everybody").unwrap(), None);
        let lets_by = |service: &Dictionary| service.texts("lets_by").unwrap().unwrap().len();
        assert_eq!([&sshd, &sudo, &login].map(lets_by), [1, 1, 0]);
    }

    #[test]
    fn of_more_rules_than_can_be_compared_none_is_left_out() {
        let name = |number: usize| format!("user-{number}");
        let rules = (0..5000).map(|number| rule(&name(number), Some(&name(number)), None));
        let told = told(rules.collect(), &["sshd"]);
        assert_eq!(told[0].texts("lets_by").unwrap().unwrap().len(), 5000);
        assert_eq!(told[0].text("everybody").unwrap(), None);
    }
}
