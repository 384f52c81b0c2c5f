//! No code that was accepted before a restoration is accepted after it, on the same host.

use proptest::prelude::*;

use super::*;
use crate::moment::Moment;
use crate::resync::{ResyncOutcome, resync};
use crate::verification::{Answer, Attempt, Methods, Rules, Verdict, verify};

const HOTP: Kind = Kind::Hotp;
mod clock_ahead;

/// 2038-01-19, in seconds since 1970.
const IN_2038: u64 = 2_147_483_640;
const JUDGED_BY: Rules = Rules { skew: 1, throttle: THROTTLE };

/// Restores `backup` in the place of `present`, as the store does.
fn restored(backup: &Record, present: &Record, now: u64) -> Record {
    let mut record = backup.clone();
    restore(&mut record, now);
    keep_used_codes(&mut record, present, now);
    apply_floor(&mut record, ReplayFloor { time: now, skew: RULES.skew });
    record
}

fn imported(number: u8, kind: Kind) -> Factor {
    Factor { kind, is_imported: true, ..factor(number, Status::Verified) }
}

fn resync_by_root(record: &mut Record, factor: &Factor, counter: u64, now: u64) -> ResyncOutcome {
    let (first, second) = (code_of(factor, counter), code_of(factor, counter + 1));
    resync(
        record,
        (Maker::Root, factor.id.as_str()),
        (&first, &second),
        Moment { now, voids: &VoidWindows::NONE },
        &TWO,
    )
}

#[test]
fn a_token_of_presses_stays_at_its_present_counter() {
    let token = Factor { kind: HOTP, ..factor(1, Status::Verified) };
    let used = |last| with(vec![Factor { last_accepted: Some(last), ..token.clone() }]);
    for (backup, present, last) in [(7, 40, 40), (40, 7, 40)] {
        let mut record = restored(&used(backup), &used(present), NOW);
        assert_eq!(record.factors[0].last_accepted, Some(last));
        assert_eq!(record.factors[0].status, Status::Unsynchronized);
        for counter in [8, 20, 39, 40] {
            let outcome = resync_by_root(&mut record, &token, counter, NOW);
            assert_eq!(outcome, ResyncOutcome::NotFound, "{counter}");
        }
        assert_eq!(resync_by_root(&mut record, &token, 41, NOW), ResyncOutcome::Done);
    }
}

#[test]
fn what_a_removed_or_replaced_factor_accepted_stays_used() {
    let token = Factor { last_accepted: Some(7), ..imported(1, HOTP) };
    let backup = with(vec![token.clone()]);
    let mut present = with(vec![Factor { last_accepted: Some(40), ..token.clone() }]);
    present.retire(NOW, |_| false);
    let record = restored(&backup, &present, NOW);
    assert_eq!(record.factors[0].last_accepted, Some(40), "the present record remembers its seed");

    // One that the backup does not have, of a record that has another one.
    let present = with(vec![
        Factor { last_accepted: Some(40), ..token.clone() },
        Factor { last_accepted: Some(3), ..imported(2, HOTP) },
    ]);
    for backup in [with(vec![factor(3, Status::Verified)]), with(Vec::new()), Record::new(1001)] {
        let mut record = restored(&backup, &present, NOW);
        assert_eq!(record.spent.len(), 2);
        let factors = [imported(1, HOTP), imported(2, HOTP)];
        record.factors = factors.to_vec();
        record.share_used_codes();
        let last: Vec<_> = record.factors.iter().map(|factor| factor.last_accepted).collect();
        assert_eq!(last, [Some(40), Some(3)]);
    }
}

#[test]
fn every_present_factor_of_a_seed_counts() {
    let with_id = |number, last| Factor { id: id(number), ..token_at(last) };
    let present = with(vec![with_id(2, None), with_id(3, Some(40)), with_id(4, Some(12))]);
    let record = restored(&with(vec![with_id(1, Some(7))]), &present, NOW);
    assert_eq!(record.factors[0].last_accepted, Some(40));
}

fn token_at(last_accepted: Option<u64>) -> Factor {
    Factor { last_accepted, ..imported(1, HOTP) }
}

#[test]
fn a_resynchronization_accepts_no_code_of_an_imported_seed_from_before() {
    let token = imported(1, TOTP);
    let mut present = with(Vec::new());
    add(&mut present, token.clone(), NOW - 3000, &RULES).unwrap();
    let backup = present.clone();
    for step in [996, 997] {
        let attempt = attempt_of(code_of(&token, step), step * 30);
        let (verdict, after) = verify(present, &attempt, &JUDGED_BY, &VoidWindows::NONE);
        assert!(matches!(verdict, Verdict::Approved { .. }), "{step}: {verdict:?}");
        present = after;
    }
    // On this host, and on one that knows nothing.
    for known in [present, enrolled(1000)] {
        let mut record = restored(&backup, &known, NOW);
        let outcome = resync_by_root(&mut record, &token, 996, NOW);
        assert_eq!(outcome, ResyncOutcome::NotFound);
    }
}

#[test]
fn the_memory_of_spent_seeds_keeps_the_greater_counter() {
    let spent = |last| {
        let mut record = with(vec![token_at(Some(last))]);
        record.retire(NOW, |_| false);
        record
    };
    for (backup, present) in [(7, 40), (40, 7)] {
        let mut record = restored(&spent(backup), &spent(present), NOW);
        assert_eq!(record.spent.len(), 1);
        record.factors = vec![token_at(None)];
        record.share_used_codes();
        assert_eq!(record.factors[0].last_accepted, Some(40));
    }
}

fn attempt_of(code: Code, now: u64) -> Attempt {
    Attempt {
        answer: Answer::Code(code),
        methods: Methods::ALL,
        factor: None,
        service: None,
        source: Source::Nowhere,
        uid: 1000,
        now,
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    Backup,
    Restore,
    /// A restore while the clock of the host runs ahead, until 2038 for example.
    RestoreAt {
        time: u64,
    },
    /// Root enrolls one of three seeds, with or without a first code.
    Enroll {
        seed: u8,
        hotp: bool,
        confirmed: bool,
    },
    Confirm {
        ahead: i64,
    },
    Remove,
    /// The phone or token of a factor has another clock, or was pressed.
    Resync {
        oldest: bool,
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
    /// Sets the clock of the host, and of all devices.
    SetClock {
        step: u64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let (seed, near) = (0_u8..3, -3_i64..5);
    prop_oneof![
        2 => Just(Event::Backup),
        2 => Just(Event::Restore),
        2 => prop_oneof![Just(IN_2038), 0..2 * NOW].prop_map(|time| Event::RestoreAt { time }),
        3 => (seed.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(seed, hotp, confirmed)| Event::Enroll { seed, hotp, confirmed }),
        2 => near.clone().prop_map(|ahead| Event::Confirm { ahead }),
        1 => Just(Event::Remove),
        3 => (any::<bool>(), prop_oneof![near.clone(), -119_i64..119])
            .prop_map(|(oldest, ahead)| Event::Resync { oldest, ahead }),
        8 => (seed, any::<bool>(), near)
            .prop_map(|(seed, hotp, ahead)| Event::Login { seed, hotp, ahead }),
        2 => (1_u64..4).prop_map(|steps| Event::Wait { steps }),
        2 => prop_oneof![990_u64..1010, 0..2 * NOW / 30].prop_map(|step| Event::SetClock { step }),
    ]
}

/// A host with one user, its last backup, and all codes that were ever accepted: seed, kind,
/// counter.
struct Host {
    record: Record,
    backup: Record,
    step: u64,
    accepted: Vec<(u8, bool, u64)>,
    last_id: u8,
    rules: EnrollmentRules,
}

impl Host {
    fn take(&mut self, factor: &Factor, counter: u64) -> Result<(), TestCaseError> {
        let used = (factor.seed.bytes()[0], factor.kind == HOTP, counter);
        prop_assert!(!self.accepted.contains(&used), "{used:?} was accepted before");
        self.accepted.push(used);
        Ok(())
    }

    fn take_last_of(&mut self, id: &FactorId) -> Result<(), TestCaseError> {
        let factor = self.record.factors.iter().find(|factor| factor.id == *id).unwrap().clone();
        self.take(&factor, factor.last_accepted.unwrap())
    }

    fn run(&mut self, event: Event) -> Result<(), TestCaseError> {
        let now = self.step * 30 + 7;
        self.record.throttle = Default::default();
        match event {
            Event::Backup => self.backup = self.record.clone(),
            Event::Restore => self.record = restored(&self.backup, &self.record, now),
            Event::RestoreAt { time } => {
                self.record = restored(&self.backup, &self.record, time);
            }
            Event::Enroll { seed, hotp, confirmed } => {
                self.last_id += 1;
                let status = match confirmed {
                    true => Status::Verified,
                    false => Status::Unverified { expires: now + 600, wrong_codes: 0 },
                };
                let kind = if hotp { HOTP } else { TOTP };
                let new =
                    Factor { id: id(self.last_id), status, created: now, ..imported(seed, kind) };
                let (_, after) = enroll(self.record.clone(), &request(new), now, &self.rules);
                self.record = after;
            }
            Event::Confirm { ahead } => {
                let pending = self.record.factors.iter().find(|f| f.is_pending()).cloned();
                let Some(pending) = pending else { return Ok(()) };
                let code = code_of(&pending, shown(&pending, self.step, ahead));
                let id = pending.id.as_str();
                let outcome = confirm(
                    &mut self.record,
                    Maker::Root,
                    id,
                    &code,
                    Moment { now, voids: &VoidWindows::NONE },
                    &self.rules,
                    &THROTTLE,
                );
                if outcome == Confirmation::Verified {
                    self.take_last_of(&pending.id)?;
                }
            }
            Event::Remove => {
                if let Some(oldest) = self.record.factors.first().map(|f| f.id.clone()) {
                    remove(&mut self.record, oldest.as_str(), Maker::Root, now);
                }
            }
            Event::Resync { oldest, ahead } => {
                let mut factors = self.record.factors.iter();
                let factor = if oldest { factors.next() } else { factors.last() }.cloned();
                let Some(factor) = factor else { return Ok(()) };
                let base = Factor { drift: Drift::default(), ..factor.clone() };
                let counter = shown(&base, self.step, ahead);
                let outcome = resync_by_root(&mut self.record, &factor, counter, now);
                if outcome == ResyncOutcome::Done {
                    self.take(&factor, counter)?;
                    self.take(&factor, counter + 1)?;
                }
            }
            Event::Login { seed, hotp, ahead } => {
                let kind = if hotp { HOTP } else { TOTP };
                let device = imported(seed, kind);
                let is_its = |f: &&Factor| f.seed.is(&device.seed) && f.kind == kind;
                let known = self.record.factors.iter().find(is_its).unwrap_or(&device);
                let code = code_of(&device, shown(known, self.step, ahead));
                let attempt = attempt_of(code, now);
                let (verdict, after) =
                    verify(self.record.clone(), &attempt, &JUDGED_BY, &VoidWindows::NONE);
                self.record = after;
                if let Verdict::Approved { factor: Some(id), .. } = verdict {
                    self.take_last_of(&id)?;
                }
            }
            Event::Wait { steps } => self.step += steps,
            Event::SetClock { step } => self.step = step,
        }
        Ok(())
    }
}

/// Returns the counter that a device near the known one shows.
fn shown(factor: &Factor, step: u64, ahead: i64) -> u64 {
    let base = match factor.kind {
        Kind::Hotp => factor.last_accepted.unwrap_or(0),
        Kind::Totp { .. } => factor.drift.apply(step),
    };
    base.saturating_add_signed(ahead)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]
    #[test]
    fn no_code_that_was_accepted_before_a_restoration_is_accepted_after_it(
        events in prop::collection::vec(event(), 1..80),
        max_factors in 1_usize..3,
    ) {
        let mut host = Host {
            record: with(Vec::new()),
            backup: with(Vec::new()),
            step: 1000,
            accepted: Vec::new(),
            last_id: 10,
            rules: EnrollmentRules { max_factors, ..RULES },
        };
        for event in events {
            host.run(event)?;
        }
    }
}
