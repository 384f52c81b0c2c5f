//! Why a rule fits a login or not, as a phrase for people.

use std::fmt::Display;

use totpd_core::policy::{Condition, Judgment, OneOf, Place, Rule};
use totpd_interface::login::LoginContext;
use totpd_journal::escape::escape_within;

/// Returns why `rule` has this judgment at a login of `user`, without the name of the rule.
pub(crate) fn why(
    rule: &Rule,
    judgment: Judgment,
    user: &str,
    context: &LoginContext,
    place: Place,
) -> String {
    match judgment {
        Judgment::Fits => "it fits".into(),
        Judgment::Misfits(Condition::Services) => {
            let service = context.service.as_deref().map_or("no service".into(), short);
            format!("it is for {}, and not for {service}", entries(rule.services.as_ref()))
        }
        Judgment::Unknown(Condition::Services) => "the login names no service".into(),
        Judgment::Misfits(Condition::From) => {
            let from = entries(rule.from.as_ref());
            format!("it is for logins from {from}, and not from {}", origin(context, place))
        }
        Judgment::Unknown(Condition::From) => {
            let from = entries(rule.from.as_ref());
            match place {
                Place::Nowhere => format!(
                    "nobody can tell whether {} is in {from}: a host name or a loopback address may be \
                     anywhere",
                    origin(context, place)
                ),
                _ => format!("nobody can tell whether it comes from {from}: it names no origin"),
            }
        }
        Judgment::Misfits(Condition::People) => {
            format!("{} is not {}", short(user), people(rule))
        }
        Judgment::Unknown(Condition::People) => format!(
            "nobody can tell whether {} is {}: the user database (NSS) does not answer",
            short(user),
            people(rule)
        ),
    }
}

/// Returns where a login comes from, in words.
pub(crate) fn origin(context: &LoginContext, place: Place) -> String {
    match place {
        Place::Address(address) => address.to_string(),
        Place::Local { .. } => "this machine".into(),
        Place::Nowhere => context.rhost.as_deref().map_or("somewhere".into(), short),
        Place::Unsaid => "an origin that it does not name".into(),
    }
}

fn people(rule: &Rule) -> String {
    match (&rule.users, &rule.groups) {
        (Some(users), None) => format!("one of {}", entries(Some(users))),
        (None, groups) => format!("in a group of {}", entries(groups.as_ref())),
        (Some(users), groups) => {
            format!("one of {} or in a group of {}", entries(Some(users)), entries(groups.as_ref()))
        }
    }
}

/// Returns the first entries of a list, and the number of the others.
fn entries<T: Display>(list: Option<&OneOf<T>>) -> String {
    let all: Vec<String> = list.iter().flat_map(|list| list.iter()).map(short).collect();
    match all.get(..MAX_ENTRIES) {
        Some(first) if all.len() > MAX_ENTRIES => {
            format!("{} and {} more", first.join(", "), all.len() - MAX_ENTRIES)
        }
        _ => all.join(", "),
    }
}

fn short(text: impl Display) -> String {
    escape_within(&text.to_string(), MAX_CHARS).into_owned()
}

const MAX_ENTRIES: usize = 5;
const MAX_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use totpd_core::policy::{
        Fit, GroupName, PlacePattern, RuleName, ServicePattern, Then, UserPattern,
    };

    use super::*;

    #[test]
    fn a_phrase_names_what_the_rule_wants_and_what_the_login_is() {
        let list = |count: usize| (0..count).map(|n| format!("u{n}")).collect::<Vec<_>>();
        let users = |count| {
            OneOf::new(list(count).iter().map(|text| UserPattern::parse(text).unwrap()).collect())
        };
        let groups = OneOf::new(vec![GroupName::parse("staff").unwrap()]);
        let rule = Rule {
            name: RuleName::parse("r").unwrap(),
            users: users(2),
            groups: groups.clone(),
            services: OneOf::new(vec![ServicePattern::parse("sudo*").unwrap()]),
            from: OneOf::new(vec![
                PlacePattern::parse("10.0.0.0/8").unwrap(),
                PlacePattern::parse("local").unwrap(),
            ]),
            then: Then::Skip,
        };
        let many = Rule { users: users(7), groups: None, ..rule.clone() };
        let members = Rule { users: None, ..rule.clone() };
        let context = LoginContext {
            service: Some("sshd".into()),
            rhost: Some("host\u{1b}.example".into()),
            ..LoginContext::default()
        };
        let inside = Place::Address("192.0.2.1".parse().unwrap());
        let local = Place::Local { at_seat: Fit::No };
        for (rule, judgment, place, expected) in [
            (
                &rule,
                Judgment::Misfits(Condition::Services),
                local,
                "it is for sudo*, and not for sshd",
            ),
            (
                &rule,
                Judgment::Misfits(Condition::From),
                inside,
                "it is for logins from 10.0.0.0/8, local, and not from 192.0.2.1",
            ),
            (
                &rule,
                Judgment::Misfits(Condition::From),
                local,
                "it is for logins from 10.0.0.0/8, local, and not from this machine",
            ),
            (
                &rule,
                Judgment::Unknown(Condition::From),
                Place::Unsaid,
                "nobody can tell whether it comes from 10.0.0.0/8, local: it names no origin",
            ),
            (
                &rule,
                Judgment::Misfits(Condition::People),
                local,
                "alice is not one of u0, u1 or in a group of staff",
            ),
            (
                &many,
                Judgment::Misfits(Condition::People),
                local,
                "alice is not one of u0, u1, u2, u3, u4 and 2 more",
            ),
            (
                &members,
                Judgment::Unknown(Condition::People),
                local,
                "nobody can tell whether alice is in a group of staff: the user database (NSS) does not answer",
            ),
        ] {
            assert_eq!(why(rule, judgment, "alice", &context, place), expected);
        }
        let named =
            why(&rule, Judgment::Unknown(Condition::From), "alice", &context, Place::Nowhere);
        assert!(
            named.starts_with("nobody can tell whether host") && !named.contains('\u{1b}'),
            "{named}"
        );
    }
}
