use super::*;
use crate::factor::{Drift, FactorId, Kind};
use crate::fixtures::{enrolled, verified};
use crate::otp::time_step;
use crate::record::Record;
use crate::user_name::UserName;
use crate::void_windows::VoidWindow;

mod model;

const RUN: RunId = RunId([7; 16]);
const OTHER: RunId = RunId([8; 16]);

fn mark() -> Mark {
    Mark::new(30_000, RUN)
}

fn used(period: u32, counter: u64) -> UsedCode {
    let (before, after) = (Drift::default(), Drift::default());
    UsedCode { kind: Kind::Totp { period }, counter, before, after }
}

fn last(step: u64) -> Witness {
    let user = UserName::parse("alice").unwrap();
    let factor = FactorId::from_random([1, 2, 3, 4, 5]);
    Witness::Last { run: RUN, acceptance: Acceptance { user, factor, step } }
}

#[test]
fn a_mark_lasts_a_minute_and_is_renewed_in_its_second_half() {
    for (now, holds, is_running_out) in [
        (29_999, false, true),
        (30_000, true, false),
        (30_030, true, false),
        (30_031, true, true),
        (30_060, true, true),
        (30_061, false, true),
    ] {
        assert_eq!(
            (mark().holds(now), mark().is_running_out(now)),
            (holds, is_running_out),
            "{now}"
        );
    }
    assert!(Mark::new(u64::MAX, RUN).holds(u64::MAX));
}

#[test]
fn only_a_usual_code_in_the_mark_leans() {
    let far = Drift::from_steps(-1);
    let usual = used(30, 1000);
    for (used, now, expected) in [
        (usual, 30_000, true),
        (usual, 29_999, false),
        (usual, 30_060, true),
        (usual, 30_061, false),
        (used(60, 500), 30_000, true),
        (used(61, 491), 30_000, false),
        (used(30, 1001), 30_029, false),
        (used(30, 1001), 30_030, true),
        (used(30, 0), 30_000, true),
        (UsedCode { before: far, ..usual }, 30_000, false),
        (UsedCode { after: far, ..usual }, 30_000, false),
        (UsedCode { kind: Kind::Hotp, ..usual }, 30_000, false),
    ] {
        assert_eq!(mark().may_lean(&used, now), expected, "{used:?} {now}");
    }
}

#[test]
fn whatever_leans_is_in_the_void_window_of_its_mark() {
    let mut voids = crate::void_windows::VoidWindows::NONE;
    voids.add(mark().void_window());
    for period in 15..=60 {
        for now in 29_990..30_070 {
            for behind in 0..=u64::from(crate::factor::MAX_SKEW) {
                let used = used(period, time_step(now, period) - behind);
                let is_void = voids.include(used.kind, used.counter);
                assert!(is_void || !mark().may_lean(&used, now), "{period} {now} {behind}");
            }
        }
    }
}

#[test]
fn a_code_is_what_changed_a_factor() {
    let before = verified(Kind::Totp { period: 30 }, Some(999));
    let mut after = before.clone();
    after.accept(1000, 30_000);
    assert_eq!(UsedCode::last_of(&after, before.drift), Some(used(30, 1000)));
    let unused = verified(Kind::Hotp, None);
    assert_eq!(UsedCode::last_of(&unused, unused.drift), None);
}

#[test]
fn at_start_only_a_witness_of_the_mark_ends_it_without_a_window() {
    let mut alice = enrolled(1000);
    alice.factors[0].last_accepted = Some(1000);
    let void = Ending::Void(VoidWindow::new(30_000, 30_060));
    let foreign = match last(1000) {
        Witness::Last { acceptance, .. } => Witness::Last { run: OTHER, acceptance },
        other => other,
    };
    for (witness, expected) in [
        (Some(Witness::Empty { run: RUN }), Ending::Complete),
        (Some(Witness::Empty { run: OTHER }), void),
        (Some(last(1000)), Ending::Complete),
        (Some(last(999)), Ending::Complete),
        (Some(last(1001)), void),
        (Some(foreign), void),
        (Some(Witness::Failed), void),
        (None, void),
    ] {
        let find = |user: &UserName| (user.as_str() == "alice").then(|| alice.clone());
        assert_eq!(ending_at_start(&mark(), witness.as_ref(), find), expected, "{witness:?}");
    }
    let nobody = |_: &UserName| None::<Record>;
    assert_eq!(ending_at_start(&mark(), Some(&last(0)), nobody), void, "the record is gone");
    alice.factors[0].id = FactorId::from_random([9; 5]);
    let find = |_: &UserName| Some(alice.clone());
    assert_eq!(ending_at_start(&mark(), Some(&last(0)), find), void, "the factor is gone");
}

#[test]
fn a_witness_is_read_as_it_was_written_or_not_at_all() {
    let user = UserName::parse(&"é".repeat(128)).unwrap();
    let factor = FactorId::from_random([255; 5]);
    let longest = Acceptance { user, factor, step: u64::MAX };
    for witness in [
        Witness::Empty { run: RUN },
        Witness::Failed,
        last(0),
        Witness::Last { run: OTHER, acceptance: longest },
    ] {
        let bytes = witness.encode();
        assert_eq!(bytes.len(), WITNESS_BYTES);
        assert_eq!(Witness::decode(&bytes), Some(witness));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(Witness::decode(&damaged), None, "{place}");
            assert_eq!(Witness::decode(&bytes[..place]), None, "{place}");
        }
        assert_eq!(Witness::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
    assert_eq!(Witness::decode(&[0; WITNESS_BYTES]), None);
}

#[test]
fn nobody_leans_before_the_row_and_the_witness_are_there() {
    let mut leaning = Leaning::default();
    assert!(leaning.wants_mark(30_000) && !leaning.is_over(30_000) && !leaning.has_unflushed());
    leaning.replace(Some(mark()), 1);
    assert!(leaning.has_unflushed(), "the row");
    assert!(!leaning.wants_mark(30_000), "one is coming");
    assert_eq!(leaning.lean(&used(30, 1000), 30_000, 2), None, "it is not durable");
    assert!(leaning.flushed(1), "the witness is to be made");
    assert_eq!(leaning.lean(&used(30, 1000), 30_000, 2), None, "there is no witness");
    leaning.witness_emptied();
    assert_eq!(leaning.lean(&used(30, 1001), 30_000, 2), None, "a phone that is ahead");
    assert!(leaning.lean(&used(30, 1000), 30_000, 2).is_some());
    assert!(!leaning.flushed(1), "the flush began before it");
    assert!(leaning.flushed(2));
    leaning.witness_failed();
    assert_eq!(leaning.lean(&used(30, 1000), 30_000, 3), None);
    assert!(leaning.flushed(2), "each flush tries again");
    leaning.witness_emptied();
    assert!(leaning.lean(&used(30, 1000), 30_000, 3).is_some());
    // Another mark takes its place.
    assert!(!leaning.wants_mark(30_030) && leaning.wants_mark(30_031));
    leaning.stop();
    assert_eq!(leaning.lean(&used(30, 1001), 30_040, 4), None);
    leaning.replace(Some(Mark::new(30_040, RUN)), 4);
    assert!(leaning.flushed(4));
    leaning.witness_emptied();
    assert!(!leaning.flushed(9), "it is empty already");
    assert!(leaning.lean(&used(30, 1000), 30_030, 10).is_none(), "before the new one");
    // It ends.
    assert!(!leaning.is_over(30_100) && leaning.is_over(30_101) && leaning.is_over(30_039));
    leaning.replace(None, 10);
    assert!(!leaning.is_over(30_101), "it is ending");
    leaning.flushed(10);
    assert!(leaning.lean(&used(30, 1000), 30_050, 11).is_none());
    assert!(leaning.wants_mark(30_050));
}

#[test]
fn a_mark_is_open_from_its_row_to_its_durable_end() {
    let mut leaning = Leaning::default();
    assert!(!leaning.is_open());
    leaning.replace(Some(mark()), 1);
    assert!(leaning.is_open(), "the row may be there");
    leaning.flushed(1);
    assert!(leaning.is_open(), "the row is durable");
    leaning.replace(None, 2);
    assert!(leaning.is_open(), "its end is not durable");
    leaning.flushed(2);
    assert!(!leaning.is_open());
    leaning.replace(Some(mark()), 3);
    leaning.flush_failed();
    assert!(leaning.is_open(), "the row of the lost commit may be there");
}

#[test]
fn a_login_that_leaned_waits_for_the_flush_that_empties_the_witness() {
    let mut leaning = Leaning::default();
    assert!(!leaning.has_unflushed(), "a witness that nobody made names no login");
    leaning.replace(Some(mark()), 1);
    leaning.flushed(1);
    leaning.witness_emptied();
    assert!(!leaning.has_unflushed(), "nobody leaned");
    assert!(leaning.lean(&used(30, 1000), 30_000, 2).is_some());
    assert!(leaning.has_unflushed(), "a login");
    leaning.flushed(2);
    leaning.witness_emptied();
    assert!(!leaning.has_unflushed());
}

#[test]
fn after_a_failed_flush_nobody_leans_until_the_window_is_durable() {
    let mut leaning = Leaning::default();
    assert_eq!(leaning.flush_failed(), None, "there was no mark");
    assert!(!leaning.has_failed() && leaning.flushed(0));
    leaning.witness_emptied();
    leaning.replace(Some(mark()), 1);
    leaning.flushed(1);
    let leant = leaning.lean(&used(30, 1000), 30_000, 2).unwrap();
    assert!(leaning.flushed(2), "another login waited for that flush");
    leaning.witness_emptied();
    assert!(leaning.begin_answer(leant));
    assert!(leaning.flushed(2), "the witness has named it since");
    leaning.replace(Some(Mark::new(30_040, RUN)), 3);
    assert_eq!(leaning.flush_failed(), Some(mark().void_window()), "nobody leaned on the new one");
    assert!(!leaning.begin_answer(leant), "it gets an error");
    assert!(leaning.has_failed() && !leaning.wants_mark(30_050) && !leaning.is_over(99_999));
    assert!(!leaning.flushed(9), "the witness stays");
    leaning.replace(None, 10);
    assert!(!leaning.has_failed(), "it is on its way");
    assert!(!leaning.flushed(9) && leaning.lean(&used(30, 1000), 30_000, 11).is_none());
    assert!(leaning.flushed(10));
    leaning.witness_emptied();
    assert!(leaning.wants_mark(30_050));
    // A flush of the end that fails begins again.
    let mut leaning = Leaning::after_failed_start(mark());
    assert!(leaning.has_failed() && !leaning.wants_mark(0));
    leaning.replace(None, 1);
    assert_eq!(leaning.flush_failed(), Some(mark().void_window()));
    assert!(leaning.has_failed());
    // The row of a mark that was coming may be there.
    let mut leaning = Leaning::default();
    leaning.replace(Some(mark()), 1);
    assert_eq!((leaning.flush_failed(), leaning.has_failed()), (None, true));
}
