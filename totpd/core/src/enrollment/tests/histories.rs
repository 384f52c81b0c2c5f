//! No code opens twice. This holds over any history of management and logins with any seeds.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::fixtures::THROTTLE_RULES as THROTTLE;
use crate::moment::Moment;
use crate::resync::resync;
use crate::source::Source;
use crate::verification::{Answer, Attempt, Rules, Verdict, verify};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// Root enrolls one of two imported seeds, with or without a first code.
    Enroll {
        seed: u8,
        hotp: bool,
        confirmed: bool,
    },
    Confirm {
        ahead: i64,
    },
    Remove,
    RemoveOldest,
    Disable,
    Enable,
    Restore,
    Resync {
        ahead: i64,
    },
    Login {
        seed: u8,
        hotp: bool,
        ahead: i64,
    },
    Wait {
        steps: u64,
    },
    SetBack {
        steps: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let (seed, ahead) = (0_u8..2, -3_i64..5);
    prop_oneof![
        3 => (seed.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(seed, hotp, confirmed)| Event::Enroll { seed, hotp, confirmed }),
        2 => ahead.clone().prop_map(|ahead| Event::Confirm { ahead }),
        1 => Just(Event::Remove),
        1 => Just(Event::RemoveOldest),
        1 => Just(Event::Disable),
        1 => Just(Event::Enable),
        1 => Just(Event::Restore),
        1 => prop_oneof![ahead.clone(), -119_i64..119].prop_map(|ahead| Event::Resync { ahead }),
        8 => (seed, any::<bool>(), ahead)
            .prop_map(|(seed, hotp, ahead)| Event::Login { seed, hotp, ahead }),
        2 => (1_u64..4).prop_map(|steps| Event::Wait { steps }),
        1 => (1_u64..4).prop_map(|steps| Event::SetBack { steps }),
    ]
}

fn token(seed: u8, hotp: bool) -> Factor {
    let kind = if hotp { Kind::Hotp } else { TOTP };
    Factor { kind, is_imported: true, ..factor(seed, Status::Verified) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_code_opens_twice(
        events in prop::collection::vec(event(), 1..60),
        max_factors in 1_usize..3,
    ) {
        let rules = EnrollmentRules { max_factors, ..RULES };
        let judged_by = Rules { skew: 1, throttle: crate::throttle::ThrottleRules { ..THROTTLE } };
        let (mut record, mut step, mut last_id) = (with(Vec::new()), 1000_u64, 10_u8);
        let mut opened: Vec<(u8, bool, u64)> = Vec::new();
        for event in events {
            let now = step * 30 + 7;
            record.throttle = Default::default();
            match event {
                Event::Enroll { seed, hotp, confirmed } => {
                    last_id += 1;
                    let status = match confirmed {
                        true => Status::Verified,
                        false => Status::Unverified { expires: now + 600, wrong_codes: 0 },
                    };
                    // A token of presses is enrolled with the counter of the inventory.
                    let new = Factor { id: id(last_id), status, created: now, ..token(seed, hotp) };
                    let (_, after) = enroll(record, &request(new), now, &rules);
                    record = after;
                }
                Event::Confirm { ahead } => {
                    if let Some(pending) = record.factors.iter().find(|f| f.is_pending()).cloned() {
                        let counter = counter_of(&pending, step, ahead);
                        let code = code_of(&pending, counter);
                        // The first code is used up, as one that opened.
                        let confirmation =
                            confirm(&mut record, Maker::Root, pending.id.as_str(), &code, Moment { now, voids: &VoidWindows::NONE }, &rules, &THROTTLE);
                        if confirmation == Confirmation::Verified {
                            let used = used_of(&record, &pending.id);
                            prop_assert!(!opened.contains(&used), "{used:?} was used before");
                            opened.push(used);
                        }
                    }
                }
                Event::Remove => { remove(&mut record, "", Maker::Root, now); }
                Event::RemoveOldest => {
                    if let Some(oldest) = record.factors.first().map(|factor| factor.id.clone()) {
                        remove(&mut record, oldest.as_str(), Maker::Root, now);
                    }
                }
                Event::Disable => set(&mut record, Status::Verified, Status::Disabled),
                Event::Enable => set(&mut record, Status::Disabled, Status::Verified),
                Event::Restore => {
                    restore(&mut record, now);
                    // The floor of the store does the same.
                    for factor in record.factors.iter_mut().filter(|f| f.kind != Kind::Hotp) {
                        let ahead = factor.drift.steps_ahead(30);
                        factor.last_accepted = factor.last_accepted.max(Some(step + 1 + ahead));
                    }
                }
                Event::Resync { ahead } => {
                    if let Some(factor) = record.factors.first().cloned() {
                        let counter = counter_of(&factor, step, ahead);
                        let (first, second) = (code_of(&factor, counter), code_of(&factor, counter + 1));
                        resync(&mut record, (Maker::Root, factor.id.as_str()), (&first, &second), Moment { now, voids: &VoidWindows::NONE }, &rules);
                    }
                }
                Event::Login { seed, hotp, ahead } => {
                    let owner = token(seed, hotp);
                    let base = record.factors.iter().find(|f| f.seed.is(&owner.seed) && f.kind == owner.kind);
                    let counter = counter_of(base.unwrap_or(&owner), step, ahead);
                    let attempt = Attempt {
                        answer: Answer::Code(code_of(&owner, counter)),
                        methods: crate::verification::Methods::ALL,
                        factor: None,
                        service: None,
                        source: Source::Nowhere,
                        uid: 1000,
                        now,
                    };
                    let (verdict, after) = verify(record, &attempt, &judged_by, &VoidWindows::NONE);
                    record = after;
                    if let Verdict::Approved { factor: Some(id), .. } = verdict {
                        let used = used_of(&record, &id);
                        prop_assert!(!opened.contains(&used), "{used:?} was used before");
                        opened.push(used);
                    }
                }
                Event::Wait { steps } => step += steps,
                Event::SetBack { steps } => step -= steps,
            }
        }
    }
}

/// Returns the counter that its owner's device shows, or one near it.
fn counter_of(factor: &Factor, step: u64, ahead: i64) -> u64 {
    let base = match factor.kind {
        Kind::Hotp => factor.last_accepted.unwrap_or(0),
        Kind::Totp { .. } => factor.drift.apply(step),
    };
    base.saturating_add_signed(ahead)
}

/// Returns the seed, the kind and the counter of the code that a factor accepted last.
fn used_of(record: &Record, id: &FactorId) -> (u8, bool, u64) {
    let factor = record.factors.iter().find(|factor| factor.id == *id).unwrap();
    (factor.seed.bytes()[0], factor.kind == Kind::Hotp, factor.last_accepted.unwrap())
}

fn set(record: &mut Record, from: Status, to: Status) {
    for factor in record.factors.iter_mut().filter(|factor| factor.status == from) {
        factor.status = to;
    }
}
