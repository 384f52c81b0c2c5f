//! The state of a user in its form for the bus. It has everything but secrets.

use totpd_core::enrollment;
use totpd_core::factor::Factor;
use totpd_core::record::Record;
use totpd_core::throttle::{Budget, KnownSource, ThrottleRules, ThrottleState};
use totpd_core::user_name::UserName;
use totpd_interface::{DictBuilder, Dictionary};

/// Returns the state of one user at `now` (seconds since 1970). `trust` is what is remembered of
/// its logins.
pub(crate) fn describe(
    name: &UserName,
    mut record: Record,
    trust: Vec<Dictionary>,
    now: u64,
    rules: &ThrottleRules,
) -> Dictionary {
    enrollment::expire(&mut record, now);
    record.throttle.expire_and_clamp(now, rules);
    let factors: Vec<Dictionary> = record.factors.iter().map(factor).collect();
    let known = record.throttle.known_sources().iter();
    let known: Vec<Dictionary> = known.map(|known| source(known, now, rules)).collect();
    let state = DictBuilder::new()
        .with("user", name.as_str().to_owned())
        .with("uid", record.uid)
        .with("enrolled", record.is_enrolled())
        .with("factors", factors)
        .with("trust", trust)
        .with("known_sources", known);
    with_budget(state, record.throttle.unknown_sources(), now, rules)
        .with("recovery_codes", u32::try_from(record.recovery.left()).unwrap_or(u32::MAX))
        .into()
}

/// Returns the known state of a user with a record that cannot be trusted.
pub(crate) fn damaged(name: &UserName) -> Dictionary {
    DictBuilder::new().with("user", name.as_str().to_owned()).with("damaged", true).into()
}

/// Returns the parameters of a factor.
pub(crate) fn parameters(factor: &Factor) -> DictBuilder {
    let next = factor.last_accepted.map_or(0, |last| last.saturating_add(1));
    DictBuilder::new()
        .with("name", factor.name.clone())
        .with("kind", factor.kind.name().to_owned())
        .with("algorithm", factor.algorithm.name().to_owned())
        .with("digits", u32::from(factor.digits))
        .with("status", factor.status.name().to_owned())
        .with("purpose", factor.restrictions.purpose.clone())
        .with("services", factor.restrictions.services.clone())
        .with_some("not_before", factor.restrictions.not_before)
        .with_some("not_after", factor.restrictions.not_after)
        .with("drift", i32::from(factor.drift.steps()))
        .with_some("period", factor.kind.period())
        .with_some("counter", factor.kind.period().is_none().then_some(next))
}

fn factor(factor: &Factor) -> Dictionary {
    parameters(factor)
        .with("factor", factor.id.to_string())
        .with("created", factor.created)
        .with_some("last_used", factor.last_used)
        .with_some("last_service", factor.last_place.as_ref().map(|place| place.service.clone()))
        .with_some("last_source", factor.last_place.as_ref().map(|place| place.source.clone()))
        .with_some("expires", enrollment::expiry(factor))
        .with_some("usable_from", factor.usable_from())
        .with("made_by", factor.made_by.to_string())
        .into()
}

fn source(known: &KnownSource, now: u64, rules: &ThrottleRules) -> Dictionary {
    let source = DictBuilder::new()
        .with("source", known.source.to_string())
        .with("last_success", known.last_success);
    with_budget(source, &known.budget, now, rules).into()
}

/// Adds the wrong codes of a budget, with its wait or lock.
fn with_budget(
    entries: DictBuilder,
    budget: &Budget,
    now: u64,
    rules: &ThrottleRules,
) -> DictBuilder {
    let (locked, retry_after) = match budget.state(now, rules) {
        ThrottleState::Locked => (true, None),
        ThrottleState::Open => (false, None),
        ThrottleState::Waiting(seconds) => {
            (false, Some(u32::try_from(seconds).unwrap_or(u32::MAX)))
        }
    };
    entries
        .with("failures", budget.failures())
        .with("locked", locked)
        .with_some("retry_after", retry_after)
}

#[cfg(test)]
mod tests {
    use totpd_core::factor::{Kind, Status};
    use totpd_core::fixtures::THROTTLE_RULES as RULES;
    use totpd_core::fixtures::verified;
    use totpd_core::source::Source;
    use zbus::OwnedVariant;

    use super::*;

    fn shown(dictionary: &Dictionary, key: &str) -> String {
        dictionary.get(key).map_or("-".into(), |value: &OwnedVariant| format!("{value:?}"))
    }

    #[test]
    fn a_factor_is_told_by_its_parameters_and_never_by_its_seed() {
        for (kind, status, expected) in [
            (Kind::Totp { period: 60 }, Status::Verified, ["totp", "60", "-", "verified", "-"]),
            (Kind::Hotp, Status::Disabled, ["hotp", "-", "8", "disabled", "-"]),
            (
                Kind::Totp { period: 30 },
                Status::Unverified { expires: 99, wrong_codes: 1 },
                ["totp", "30", "-", "unverified", "99"],
            ),
        ] {
            let told = factor(&Factor { status, ..verified(kind, Some(7)) });
            for (key, value) in
                ["kind", "period", "counter", "status", "expires"].into_iter().zip(expected)
            {
                assert!(shown(&told, key).contains(value), "{key}: {}", shown(&told, key));
            }
            assert!(!format!("{told:?}").contains("secret") && !told.contains_key("seed"));
        }
    }

    #[test]
    fn waits_locks_and_known_sources_are_told() {
        let name = UserName::parse("alice").unwrap();
        let state = |failures: u32| {
            let mut record = Record::new(1000);
            record.throttle.succeed(&Source::Local("bob".into()), 5, &RULES);
            for _ in 0..failures {
                record.throttle.fail(&Source::Nowhere, 10);
            }
            describe(&name, record, Vec::new(), 10, &RULES)
        };
        for (failures, locked, retry_after) in
            [(0, "false", "-"), (3, "false", "30"), (100, "true", "-")]
        {
            let told = state(failures);
            assert!(shown(&told, "locked").contains(locked), "{told:?}");
            assert!(shown(&told, "retry_after").contains(retry_after), "{told:?}");
            assert!(shown(&told, "known_sources").contains("local:bob"), "{told:?}");
            assert!(shown(&told, "enrolled").contains("false"), "{told:?}");
        }
    }

    #[test]
    fn every_known_source_has_its_own_wait_or_lock() {
        let (home, name) = (Source::Local("bob".into()), UserName::parse("alice").unwrap());
        for (failures, locked, retry_after) in
            [(0, "false", "-"), (2, "false", "-"), (3, "false", "30"), (100, "true", "-")]
        {
            let mut record = Record::new(1000);
            record.throttle.succeed(&home, 5, &RULES);
            for _ in 0..failures {
                record.throttle.fail(&home, 10);
            }
            let known = source(&record.throttle.known_sources()[0], 10, &RULES);
            assert!(shown(&known, "source").contains("local:bob"), "{known:?}");
            assert!(shown(&known, "failures").contains(&failures.to_string()), "{known:?}");
            assert!(shown(&known, "locked").contains(locked), "{known:?}");
            assert!(shown(&known, "retry_after").contains(retry_after), "{known:?}");
            let state = describe(&name, record, Vec::new(), 10, &RULES);
            assert!(shown(&state, "locked").contains("false"), "unknown sources: {state:?}");
        }
    }
}
