//! The state file of pam_google_authenticator.

use std::fmt::Write as _;

use totpd_core::factor::{Factor, Kind};
use totpd_core::otp::time_step;
use zeroize::Zeroizing;

use crate::export::exported::{Exported, Note, Unwritable, check_algorithm, lost_restrictions};

/// Returns the state file of a factor at `now` (seconds since 1970).
///
/// Each step up to the last used one that the module could accept from now on is listed as used.
///
/// # Errors
/// [`Unwritable`] if the module has no codes like those of the factor.
pub fn google_authenticator(factor: &Factor, now: u64) -> Result<Exported, Unwritable> {
    check_algorithm(factor)?;
    if factor.digits != 6 {
        return Err(Unwritable::Digits(factor.digits));
    }
    let mut notes = lost_restrictions(factor);
    // The buffer never grows, so it leaves no copy of the seed behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_BYTES));
    let _ = writeln!(text, "{}\n\" RATE_LIMIT 3 30", *factor.seed.base32());
    match factor.kind {
        Kind::Hotp => {
            let next = factor.last_accepted.map_or(0, |last| last.saturating_add(1));
            if next == 0 {
                // 0 says to the module that there is no counter.
                notes.push(Note::CounterZeroSkipped);
            }
            let _ = writeln!(text, "\" WINDOW_SIZE {HOTP_WINDOW}\n\" HOTP_COUNTER {}", next.max(1));
        }
        Kind::Totp { period } if period > 60 => return Err(Unwritable::Period(period)),
        Kind::Totp { period } => {
            let drift = factor.drift.steps();
            let first = factor.drift.apply(time_step(now, period)).saturating_sub(TOTP_BEHIND);
            let last = factor.last_accepted.unwrap_or(0);
            let _ = write!(text, "\" WINDOW_SIZE 3\n\" DISALLOW_REUSE");
            for step in (first..=last).take(MAX_USED_STEPS) {
                let _ = write!(text, " {step}");
            }
            text.push('\n');
            if last.saturating_sub(first) >= MAX_USED_STEPS as u64 {
                let until = last.saturating_add(TOTP_BEHIND + 1).saturating_mul(u64::from(period));
                notes.push(Note::UsedCodesOpen { until });
            }
            if period != 30 {
                let _ = writeln!(text, "\" STEP_SIZE {period}");
            }
            if drift != 0 {
                let _ = writeln!(text, "\" TIME_SKEW {drift}");
            }
            text.push_str("\" TOTP_AUTH\n");
        }
    }
    Ok(Exported { text, notes })
}

/// Steps behind the expected one that the module accepts, with a window of 3.
const TOTP_BEHIND: u64 = 1;
/// The look-ahead of a login here is 10, and the next code counts.
const HOTP_WINDOW: u64 = 11;
const MAX_USED_STEPS: usize = 1000;
const MAX_FILE_BYTES: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use totpd_core::factor::{Drift, Restrictions};
    use totpd_core::fixtures::verified;
    use totpd_core::otp::Algorithm;

    use super::*;

    const NOW: u64 = 30_000; // step 1000
    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn totp(last: Option<u64>) -> Factor {
        verified(Kind::Totp { period: 30 }, last)
    }

    #[test]
    fn every_used_step_that_could_be_accepted_is_listed() {
        for (last, listed) in [
            (None, ""),
            (Some(998), ""),
            (Some(999), " 999"),
            (Some(1000), " 999 1000"),
            (Some(1003), " 999 1000 1001 1002 1003"),
        ] {
            let exported = google_authenticator(&totp(last), NOW).unwrap();
            let expected = format!(
                "{SEED}\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE{listed}\n\" TOTP_AUTH\n"
            );
            assert_eq!((&*exported.text, exported.notes), (&expected, vec![]), "{last:?}");
        }
        let far = google_authenticator(&totp(Some(5000)), NOW).unwrap();
        assert_eq!(far.notes, [Note::UsedCodesOpen { until: 5002 * 30 }]);
        assert!(far.text.len() < MAX_FILE_BYTES);
    }

    #[test]
    fn drift_and_period_and_counter_are_written() {
        let mut factor = verified(Kind::Totp { period: 60 }, Some(500));
        factor.drift = Drift::from_steps(-2);
        let text = google_authenticator(&factor, NOW).unwrap().text;
        assert!(text.contains(" 497 498 499 500\n\" STEP_SIZE 60\n\" TIME_SKEW -2\n"), "{}", *text);
        for (last, counter, notes) in [
            (None, 1, vec![Note::CounterZeroSkipped]),
            (Some(0), 1, vec![]),
            (Some(41), 42, vec![]),
        ] {
            let exported = google_authenticator(&verified(Kind::Hotp, last), NOW).unwrap();
            assert!(exported.text.ends_with(&format!("\" HOTP_COUNTER {counter}\n")));
            assert_eq!(exported.notes, notes);
        }
    }

    #[test]
    fn what_the_module_cannot_hold_is_said() {
        let other = Factor { algorithm: Algorithm::Sha256, ..totp(None) };
        assert_eq!(
            google_authenticator(&other, NOW).unwrap_err(),
            Unwritable::Algorithm(Algorithm::Sha256)
        );
        let eight = Factor { digits: 8, ..totp(None) };
        assert_eq!(google_authenticator(&eight, NOW).unwrap_err(), Unwritable::Digits(8));
        let slow = verified(Kind::Totp { period: 90 }, None);
        assert_eq!(google_authenticator(&slow, NOW).unwrap_err(), Unwritable::Period(90));
        let restrictions = Restrictions {
            not_after: Some(9),
            services: vec!["sshd".to_owned()],
            ..Restrictions::default()
        };
        let limited = Factor { restrictions, ..totp(None) };
        assert_eq!(google_authenticator(&limited, NOW).unwrap().notes.len(), 2);
    }
}
