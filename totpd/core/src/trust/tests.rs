use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::factor::{Kind, Status};
use crate::fixtures::{THROTTLE_RULES, enrolled, user, verified};
use crate::policy::{Burst as BurstTime, Limits, Place, Remember, Subject};
use crate::record::Record;
use crate::remembered::{BootId, Clocks};
use crate::source::Source;
use crate::verification::{Method, Methods, Reason, Verdict};

mod histories;

const ALICE: u32 = 1000;
const BOOT: [u8; 16] = [1; 16];

fn clocks(passed: u64) -> Clocks {
    let boot = BootId::from_random(BOOT);
    Clocks { now: 1_000_000 + passed, uptime: 500 + passed, boot }
}

fn limits(remember: Option<u64>, burst: Option<u64>) -> Limits {
    let remember = remember.and_then(Remember::new);
    Limits { remember, burst: burst.and_then(BurstTime::new), ..Limits::NONE }
}

fn both() -> Limits {
    limits(Some(3600), Some(20))
}

/// Returns what a login from 192.0.2.`host` asks, so many seconds after the start.
fn asking(host: u8, passed: u64, limits: Limits) -> Asking {
    let address = [192, 0, 2, host].into();
    Asking {
        uid: ALICE,
        bond: bond(Place::Address(address), Some("sshd")).unwrap(),
        source: Source::Address(address),
        limits,
        clocks: clocks(passed),
    }
}

fn approved(record: &Record) -> Verdict {
    let factor = &record.factors[0];
    Verdict::Approved {
        factor: Some(factor.id.clone()),
        used: None,
        method: factor.kind.into(),
        recovery_codes_left: 0,
        unreported_use: None,
    }
}

/// Returns a record that had a login from 192.0.2.1 at the start, and the burst of that login.
fn remembering(limits: Limits) -> (Record, Option<Burst>) {
    let mut record = enrolled(ALICE);
    let verdict = approved(&record);
    let burst = grant(&mut record, &verdict, &asking(1, 0, limits));
    (record, burst)
}

fn let_by(record: &Record, burst: Option<&Burst>, asking: &Asking) -> Option<Pass> {
    judge(&mut record.clone(), burst, asking, &THROTTLE_RULES)
}

#[test]
fn the_same_user_source_and_service_are_not_asked_again_for_the_time() {
    let (record, burst) = remembering(both());
    let burst = burst.unwrap();
    let start = clocks(0).now;
    let remembered = Some(Pass::Remembered { until: start + 3600 });
    let in_burst = Some(Pass::Burst { until: start + 20, left: MAX_CONNECTIONS });
    for (passed, limits, expected) in [
        (0, both(), remembered),
        (3599, both(), remembered),
        (3600, both(), None),
        (0, limits(None, Some(20)), in_burst),
        (19, limits(None, Some(20)), in_burst),
        (20, limits(None, Some(20)), None),
        (0, limits(Some(3600), None), remembered),
        (0, Limits::NONE, None),
        // Rules that became shorter, or longer.
        (60, limits(Some(60), None), None),
        (59, limits(Some(60), None), Some(Pass::Remembered { until: start + 60 })),
        (3600, limits(Some(7200), Some(300)), None),
    ] {
        let found = let_by(&record, Some(&burst), &asking(1, passed, limits));
        assert_eq!(found, expected, "{passed} {limits:?}");
    }
}

#[test]
fn anything_else_is_asked() {
    let (record, burst) = remembering(both());
    let same = asking(1, 1, both());
    assert!(let_by(&record, burst.as_ref(), &same).is_some());
    let place = Place::Address([192, 0, 2, 1].into());
    for (why, other) in [
        ("another address", asking(2, 1, both())),
        ("another service", Asking { bond: bond(place, Some("sshd-i")).unwrap(), ..same.clone() }),
        ("another account of the name", Asking { uid: 1001, ..same.clone() }),
        ("a fresh code", asking(1, 1, Limits { fresh: true, ..both() })),
        ("the factor of the caller", asking(1, 1, Limits { subject: Subject::Caller, ..both() })),
        ("the factor of either", asking(1, 1, Limits { subject: Subject::Either, ..both() })),
        (
            "another method",
            asking(1, 1, Limits { methods: Methods::of(&[Method::Hotp]).unwrap(), ..both() }),
        ),
        ("no method", asking(1, 1, Limits { methods: Methods::NONE, ..both() })),
    ] {
        assert_eq!(let_by(&record, burst.as_ref(), &other), None, "{why}");
    }
    let nothing = enrolled(ALICE);
    assert_eq!(let_by(&nothing, None, &same), None, "nobody gave a code");
}

#[test]
fn only_a_right_code_of_a_factor_is_remembered() {
    let record = enrolled(ALICE);
    let recovery = Verdict::Approved {
        factor: None,
        used: None,
        method: Method::Recovery,
        recovery_codes_left: 3,
        unreported_use: None,
    };
    for verdict in [
        recovery,
        Verdict::Denied(Reason::NoMatch),
        Verdict::Denied(Reason::Replayed),
        Verdict::Denied(Reason::Malformed),
        Verdict::Throttled { retry_after: Some(3) },
        Verdict::Throttled { retry_after: None },
        Verdict::Void { retry_after: 3 },
    ] {
        let mut record = record.clone();
        assert_eq!(grant(&mut record, &verdict, &asking(1, 0, both())), None, "{verdict:?}");
        assert!(record.trust.remembered().is_empty(), "{verdict:?}");
    }
    for limits in [
        Limits { fresh: true, ..both() },
        Limits { subject: Subject::Caller, ..both() },
        Limits::NONE,
    ] {
        let (record, burst) = remembering(limits);
        assert!(burst.is_none() && record.trust.remembered().is_empty(), "{limits:?}");
    }
}

#[test]
fn it_ends_with_its_factor() {
    let same = asking(1, 1, both());
    let change = |change: &dyn Fn(&mut Record)| {
        let (mut record, burst) = remembering(both());
        change(&mut record);
        let alone = asking(1, 1, limits(None, Some(20)));
        [let_by(&record, None, &same), let_by(&record, burst.as_ref(), &alone)]
    };
    assert!(change(&|_| {}).iter().all(Option::is_some));
    let changes: [&dyn Fn(&mut Record); 7] = [
        &|record| record.trust.end(),
        &|record| record.factors[0].status = Status::Disabled,
        &|record| record.factors[0].status = Status::Unsynchronized,
        &|record| record.retire(5, |_| false),
        &|record| record.factors[0].restrictions.not_after = Some(clocks(1).now),
        &|record| record.factors[0].restrictions.services = vec!["sudo".to_string()],
        &|record| record.uid = 1001,
    ];
    for (number, one) in changes.iter().enumerate() {
        assert_eq!(change(one), [None, None], "{number}");
    }
    let other = |record: &mut Record| {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        factor.id = crate::factor::FactorId::from_random([9; 5]);
        record.factors = vec![factor];
    };
    assert_eq!(change(&other), [None, None], "another factor took its place");
}

#[test]
fn a_source_that_waits_after_wrong_codes_is_asked() {
    let (mut record, burst) = remembering(both());
    let same = asking(1, 1, both());
    for _ in 0..THROTTLE_RULES.free_failures {
        record.throttle.fail(&same.source, same.clocks.now);
    }
    assert_eq!(let_by(&record, burst.as_ref(), &same), None);
}

#[test]
fn a_burst_opens_twenty_further_connections() {
    let (record, burst) = remembering(limits(None, Some(20)));
    let mut bursts = Bursts::default();
    let key = user("alice");
    bursts.open(&key, burst.unwrap(), &clocks(0));
    let same = asking(1, 1, limits(None, Some(20)));
    let opened = (0..50).filter(|_| {
        let pass = let_by(&record, bursts.find(&key, &same.bond), &same);
        pass.inspect(|_| bursts.count(&key, &same.bond)).is_some()
    });
    assert_eq!(opened.count(), 20);
}

#[test]
fn a_record_remembers_so_many_logins_and_one_of_each_bond() {
    let mut record = enrolled(ALICE);
    let verdict = approved(&record);
    for host in 0..40 {
        for _ in 0..2 {
            let _ = grant(&mut record, &verdict, &asking(host, host.into(), both()));
        }
    }
    let hosts: Vec<_> = record.trust.remembered().iter().map(|one| one.bond.address).collect();
    let expected: Vec<std::net::IpAddr> = (24..40).map(|host| [192, 0, 2, host].into()).collect();
    assert_eq!(hosts, expected);
    // Those that are over make room.
    let _ = grant(&mut record, &verdict, &asking(1, 4000, both()));
    assert_eq!(record.trust.remembered().len(), 1);
}
