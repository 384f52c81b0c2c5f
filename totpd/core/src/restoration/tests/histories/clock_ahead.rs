//! A restore while the clock of the host ran ahead by years.

use super::*;

/// A clock that ran ahead was set right again. Its floor locks no seed: not in the store, not in a
/// backup of it, and not as that of a factor that was removed since.
#[test]
fn a_restore_in_2038_locks_no_seed_for_ever() {
    const LATER: u64 = NOW + 7200;
    let token = Factor { last_used: Some(NOW - 30), last_accepted: Some(999), ..imported(1, TOTP) };
    let good = with(vec![token.clone()]);
    let locked = restored(&good, &good, IN_2038);
    let last = |record: &Record| record.factors.first().and_then(|factor| factor.last_accepted);
    assert!(last(&locked) > Some(IN_2038 / 30));
    let made_then = with(vec![Factor { created: IN_2038 + 60, ..token.clone() }]);
    let mut removed = locked.clone();
    remove(&mut removed, "", Maker::Root, NOW);
    let floor = Some(NOW / 30 + 11);
    // Ten minutes of drift and skew after the last use, or the creation.
    let used = Some(NOW / 30 + 20);
    let limit = Some(NOW / 30 + 130);
    for (backup, present, expected) in [
        (&good, &locked, used),
        (&locked, &good, used),
        (&locked, &locked, used),
        (&good, &removed, limit),
        (&removed, &locked, None),
        // A code of that time may have been used, if a factor was made then.
        (&made_then, &made_then, floor),
    ] {
        let mut record = restored(backup, present, NOW);
        assert_eq!(last(&record), expected);
        if record.factors.is_empty() {
            record.factors.push(token.clone());
            record.share_used_codes();
        }
        let attempt = attempt_of(code_of(&token, LATER / 30), LATER);
        let (verdict, _) = verify(record, &attempt, &JUDGED_BY, &VoidWindows::NONE);
        assert!(matches!(verdict, Verdict::Approved { .. }), "{verdict:?}");
    }
}

#[test]
fn what_was_used_until_a_removal_stays_used_although_2038_marked_more() {
    let token = Factor { last_used: Some(NOW), last_accepted: Some(1120), ..imported(1, TOTP) };
    let good = with(vec![token.clone()]);
    let mut removed = restored(&good, &good, IN_2038);
    removed.retire(NOW, |_| false);
    removed.factors = vec![imported(1, TOTP)];
    removed.share_used_codes();
    assert!(removed.factors[0].last_accepted >= Some(1120));
}

/// The floor of a clock that ran ahead hides the last use. A second restore, under a clock behind
/// that use, keeps it.
#[test]
fn a_code_stays_used_behind_the_floor_of_a_clock_that_ran_ahead() {
    const USED: u64 = NOW / 30 + 200;
    let token = Factor { created: 0, ..factor(1, Status::Verified) };
    let backup = with(vec![token.clone()]);
    let attempt = attempt_of(code_of(&token, USED), USED * 30);
    let (verdict, present) = verify(backup.clone(), &attempt, &JUDGED_BY, &VoidWindows::NONE);
    assert!(matches!(verdict, Verdict::Approved { .. }), "{verdict:?}");
    let ahead = restored(&backup, &present, IN_2038);
    let again = restored(&backup, &ahead, NOW);
    let (verdict, after) = verify(again, &attempt, &JUDGED_BY, &VoidWindows::NONE);
    assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    let later = USED + 21;
    let attempt = attempt_of(code_of(&token, later), later * 30);
    let (verdict, _) = verify(after, &attempt, &JUDGED_BY, &VoidWindows::NONE);
    assert!(matches!(verdict, Verdict::Approved { .. }), "nobody waits longer: {verdict:?}");
}

proptest! {
    /// Few things at few times, so that one clock is often behind the code of another one.
    #[test]
    fn no_clock_makes_a_used_code_good_again(
        events in prop::collection::vec(
            (any::<bool>(), prop::sample::select(vec![900_u64, 1000, 1200, 2000, IN_2038 / 30])),
            1..12,
        ),
    ) {
        let token = Factor { created: 0, ..factor(1, Status::Verified) };
        let backup = with(vec![token.clone()]);
        let (mut present, mut used) = (backup.clone(), Vec::new());
        for (is_login, step) in events {
            present.throttle = Default::default();
            if !is_login {
                present = restored(&backup, &present, step * 30);
                continue;
            }
            let attempt = attempt_of(code_of(&token, step), step * 30);
            let (verdict, after) = verify(present, &attempt, &JUDGED_BY, &VoidWindows::NONE);
            present = after;
            if matches!(verdict, Verdict::Approved { .. }) {
                prop_assert!(!used.contains(&step), "{step} of {used:?}");
                used.push(step);
            }
        }
    }
}
