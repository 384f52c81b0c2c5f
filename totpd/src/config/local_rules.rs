//! Rules that are to remember logins, and never can: only a login from an address is remembered.

use totpd_core::policy::{PlacePattern, Rule, Then};

/// Reports whether a rule is to remember logins that all come from this machine.
pub(super) fn never_remembers(rule: &Rule) -> bool {
    let Then::Require(limits) = rule.then else { return false };
    let remembers = limits.remember.is_some() || limits.burst.is_some();
    let services = rule.services.as_ref().is_some_and(|services| {
        services.iter().all(|one| one.exact().is_some_and(|name| LOCAL.contains(&name)))
    });
    let places = rule.from.as_ref().is_some_and(|places| {
        places.iter().all(|one| matches!(one, PlacePattern::Local | PlacePattern::Seat))
    });
    remembers && (services || places)
}

/// Services whose programs name no remote end: those that make a user another one, screen lockers
/// and greeters.
const LOCAL: [&str; 25] = [
    "chfn",
    "chsh",
    "cinnamon-screensaver",
    "doas",
    "gdm-fingerprint",
    "gdm-password",
    "gdm-smartcard",
    "greetd",
    "i3lock",
    "kde",
    "lightdm",
    "mate-screensaver",
    "passwd",
    "polkit-1",
    "runuser",
    "runuser-l",
    "sddm",
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "swaylock",
    "vlock",
    "xfce4-screensaver",
    "xscreensaver",
];

#[cfg(test)]
mod tests {
    use totpd_core::policy::{Burst, Limits, OneOf, Remember, RuleName, ServicePattern};

    use super::*;

    fn rule(services: &[&str], from: &[&str], limits: Limits) -> Rule {
        let services = services.iter().map(|text| ServicePattern::parse(text).unwrap());
        let from = from.iter().map(|text| PlacePattern::parse(text).unwrap());
        Rule {
            name: RuleName::parse("rule").unwrap(),
            users: None,
            groups: None,
            services: OneOf::new(services.collect()),
            from: OneOf::new(from.collect()),
            then: Then::Require(limits),
        }
    }

    #[test]
    fn only_a_rule_for_this_machine_alone_never_remembers() {
        let remember = Limits { remember: Remember::new(3600), ..Limits::NONE };
        let burst = Limits { burst: Burst::new(20), ..Limits::NONE };
        for (services, from, limits, expected) in [
            (&["sudo"][..], &[][..], remember, true),
            (&["sudo", "su-l"], &[], burst, true),
            (&[], &["local"], burst, true),
            (&[], &["local", "seat"], remember, true),
            (&["sudo"], &[], Limits::NONE, false),
            (&["sudo", "sshd"], &[], remember, false),
            (&["su*"], &[], remember, false),
            (&[], &["local", "10.0.0.0/8"], remember, false),
            (&[], &[], remember, false),
        ] {
            let rule = rule(services, from, limits);
            assert_eq!(never_remembers(&rule), expected, "{services:?} {from:?}");
        }
        let skip = Rule { then: Then::Skip, ..rule(&["sudo"], &[], remember) };
        assert!(!never_remembers(&skip));
    }
}
