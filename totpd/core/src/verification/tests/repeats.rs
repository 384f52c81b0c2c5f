//! The last accepted code, sent again: refused, and no guess.

use proptest::prelude::*;

use super::*;
use crate::factor::Maker;
use crate::seed::Seed;

const START: u64 = 30_000;

/// Returns the wrong codes of all sources together.
fn failures(record: &Record) -> u32 {
    let known = record.throttle.known_sources().iter().map(|known| known.budget.failures());
    known.sum::<u32>() + record.throttle.unknown_sources().failures()
}

/// Returns a record that accepted the code of step 1000 from home.
fn used() -> Record {
    let record = enrolled();
    let first = right_code(&record, 1000, START);
    verify(record, &first, &rules(), &VoidWindows::NONE).1
}

#[test]
fn a_client_that_sends_its_code_for_two_hours_keeps_nobody_out() {
    let mut record = used();
    for now in (START..START + 7200).step_by(31) {
        let again = right_code(&record, 1000, now);
        let (verdict, after) = verify(record, &again, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(Reason::Replayed), "{now}");
        assert_eq!(failures(&after), 0, "{now}");
        record = after;
    }
    let now = START + 7200;
    let fresh = right_code(&record, time_step(now, 30), now);
    assert!(is_approved(&verify(record, &fresh, &rules(), &VoidWindows::NONE).0));
}

#[test]
fn no_other_used_code_is_spared() {
    let record = used();
    // The step before is in the window, and counts. So does every code outside of it.
    for (step, now, reason) in [
        (999, START, Reason::Replayed),
        (999, START + 3600, Reason::NoMatch),
        (1001, START + 3600, Reason::NoMatch),
    ] {
        let other = right_code(&record, step, now);
        let (verdict, after) = verify(record.clone(), &other, &rules(), &VoidWindows::NONE);
        assert_eq!(verdict, Verdict::Denied(reason), "{step} {now}");
        assert_eq!(failures(&after), 1, "{step} {now}");
    }
}

#[test]
fn the_last_press_of_a_token_is_spared_and_an_earlier_one_is_not() {
    let mut record = enrolled();
    record.factors[0].kind = Kind::Hotp;
    for counter in [3, 7] {
        let right = right_code(&record, counter, START);
        record = verify(record, &right, &rules(), &VoidWindows::NONE).1;
    }
    for (counter, reason, counted) in [(7, Reason::Replayed, 0), (3, Reason::NoMatch, 1)] {
        let again = right_code(&record, counter, START + 86_400);
        let (verdict, after) = verify(record.clone(), &again, &rules(), &VoidWindows::NONE);
        assert_eq!((verdict, failures(&after)), (Verdict::Denied(reason), counted), "{counter}");
    }
}

#[test]
fn the_code_of_any_confirmed_factor_is_spared() {
    let pending = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
    for (status, counted) in
        [(Status::Verified, 0), (Status::Disabled, 0), (Status::Unsynchronized, 0), (pending, 1)]
    {
        let mut record = used();
        let mut second = verified(Kind::Totp { period: 30 }, Some(1000));
        second.id = FactorId::from_random([9; 5]);
        second.seed = Seed::new(b"another seed of twenty b".to_vec()).unwrap();
        second.status = status;
        record.factors.push(second);
        let answer = Answer::Code(code_of(&record.factors[1], 1000));
        let again = Attempt { answer, ..typed("", START + 3600) };
        let (verdict, record) = verify(record, &again, &rules(), &VoidWindows::NONE);
        let reason = if counted == 0 { Reason::Replayed } else { Reason::NoMatch };
        assert_eq!((verdict, failures(&record)), (Verdict::Denied(reason), counted), "{status:?}");
    }
    // The reason of a user without a usable factor says more, and the code is no guess either.
    let mut record = used();
    record.factors[0].status = Status::Disabled;
    let again = right_code(&record, 1000, START + 3600);
    let (verdict, record) = verify(record, &again, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&record)), (Verdict::Denied(Reason::Disabled), 0));
}

#[test]
fn another_account_of_the_name_is_not_spared() {
    let record = used();
    let again = Attempt { uid: UID + 1, ..right_code(&record, 1000, START + 3600) };
    let (verdict, record) = verify(record, &again, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&record)), (Verdict::Denied(Reason::UidChanged), 1));
}

#[test]
fn a_named_factor_spares_the_code_of_another_one() {
    let record = used();
    let again =
        Attempt { factor: Some("f-aaaaaaaa".into()), ..right_code(&record, 1000, START + 3600) };
    let (verdict, record) = verify(record, &again, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&record)), (Verdict::Denied(Reason::Replayed), 0));
}

#[test]
fn a_spared_code_ends_no_wait() {
    let mut record = used();
    for _ in 0..3 {
        let answer = Answer::Code(wrong_code(&record, START));
        let wrong = Attempt { answer, source: Source::Nowhere, ..typed("", START) };
        record = verify(record, &wrong, &rules(), &VoidWindows::NONE).1;
    }
    let again = Attempt { source: Source::Nowhere, ..right_code(&record, 1000, START) };
    let (verdict, record) = verify(record, &again, &rules(), &VoidWindows::NONE);
    assert_eq!(verdict, Verdict::Throttled { retry_after: Some(30) });
    assert_eq!(failures(&record), 3);
}

#[test]
fn an_unused_code_that_equals_the_last_one_is_refused_and_costs_nothing() {
    // Among a million codes of six digits, two of some thousand steps are equal.
    let record = enrolled();
    let mut seen = std::collections::BTreeMap::new();
    let (last, fresh) = (1000..20_000_u64)
        .find_map(|step| {
            let code = code_of(&record.factors[0], step).value();
            seen.insert(code, step).map(|before| (before, step))
        })
        .unwrap();
    let mut record = enrolled();
    record.factors[0].last_accepted = Some(last);
    let now = fresh * 30;
    let (verdict, after) =
        verify(record.clone(), &right_code(&record, fresh, now), &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&after)), (Verdict::Denied(Reason::Replayed), 0));
    assert_eq!(after.factors[0].last_accepted, Some(last), "{last} {fresh}");
    // The code of the next step differs, and is accepted.
    let (verdict, _) =
        verify(record.clone(), &right_code(&record, fresh + 1, now), &rules(), &VoidWindows::NONE);
    assert!(is_approved(&verdict), "{last} {fresh}");
}

#[test]
fn no_answer_without_a_code_repeats_one() {
    let mut record = enrolled();
    record.factors[0].digits = 8;
    // The code of this step is 00000000, which stands in for an answer without a code.
    record.factors[0].last_accepted = Some(32_387_340);
    let zeros = Attempt { answer: typed_code("00000000"), ..typed("", START) };
    let (verdict, record) = verify(record, &zeros, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&record)), (Verdict::Denied(Reason::Replayed), 0));
    let guess = crate::fixtures::recovery_codes(1, 1).0[0].hash(record.recovery.salt());
    let wrong = Attempt { answer: Answer::Recovery(guess), ..typed("", START) };
    let (verdict, record) = verify(record, &wrong, &rules(), &VoidWindows::NONE);
    assert_eq!((verdict, failures(&record)), (Verdict::Denied(Reason::NoRecoveryCode), 1));
}

proptest! {
    /// At any later or earlier time, from any source and for any kind of factor, the last accepted
    /// code is refused and spared. A code that equals no code of the factor counts.
    #[test]
    fn only_the_last_accepted_code_is_spared(
        last in 0_u64..u64::MAX / 600,
        ahead in -40_000_i64..1_000_000,
        hotp in any::<bool>(),
        digits in 6_u8..=8,
        period in 15_u32..=300,
        source in prop_oneof![Just(Source::Nowhere), Just(home()), Just(Source::Uid(7))],
        imported in any::<bool>(),
        guess in 0_u32..100_000_000,
    ) {
        let kind = if hotp { Kind::Hotp } else { Kind::Totp { period } };
        let mut record = Record::new(UID);
        record.factors.push(crate::factor::Factor {
            digits, made_by: Maker::Root, is_imported: imported, ..verified(kind, Some(last))
        });
        let now = last.saturating_mul(u64::from(period)).saturating_add_signed(ahead);
        let attempt = |code| Attempt {
            answer: Answer::Code(code), source: source.clone(), ..typed("", now)
        };
        let used = code_of(&record.factors[0], last);
        let value = used.value();
        let is_fresh =
            matches!(record.factors[0].matches(&used, now, 1), Some(crate::factor::Match::Fresh(_)));
        prop_assume!(!is_fresh);
        let (verdict, after) = verify(record.clone(), &attempt(used), &rules(), &VoidWindows::NONE);
        let spared = [Verdict::Denied(Reason::Replayed), Verdict::Denied(Reason::NotYetUsable)];
        prop_assert!(spared.contains(&verdict), "{verdict:?}");
        prop_assert_eq!(failures(&after), 0);
        prop_assert_eq!(after.factors[0].last_accepted, Some(last));

        let guess = guess % 10_u32.pow(u32::from(digits));
        let code = Code::parse(&format!("{guess:0width$}", width = usize::from(digits))).unwrap();
        let is_any = record.factors[0].matches(&code, now, 1).is_some();
        prop_assume!(guess != value && !is_any);
        let (verdict, after) = verify(record, &attempt(code), &rules(), &VoidWindows::NONE);
        prop_assert_eq!(verdict, Verdict::Denied(Reason::NoMatch));
        prop_assert_eq!(failures(&after), 1);
    }
}
