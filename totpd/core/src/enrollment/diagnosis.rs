//! The likely reason of a wrong first code. It never says the right one.

use crate::code::Code;
use crate::code_comparison::matching_counter;
use crate::factor::{Factor, Kind};
use crate::otp::{Algorithm, time_step};
use crate::record::Record;

/// The likely reason of a wrong first code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Diagnosis {
    /// The code just before, or just after, the accepted ones.
    AdjacentStep {
        /// True if the code is the one before.
        before: bool,
    },
    /// An app that always uses SHA1, six digits and 30 seconds, and ignores the link.
    ParametersIgnored {
        /// The hash that it should use.
        algorithm: Algorithm,
        /// The digits that it should show.
        digits: u8,
        /// The seconds that a code should last.
        period: u32,
    },
    /// A code that is right at another time.
    ClockSkew {
        /// The seconds that the phone is ahead; negative if the phone is slow.
        ahead: i64,
    },
    /// A code of another factor of the user.
    OtherFactor,
    /// A right code that was used before.
    Replayed,
    /// No known reason.
    Unknown,
}

/// Searches for the likely origin of `code`, which is no first code of the factor `id`. It computes
/// everything, so each answer takes as long.
pub(super) fn diagnose(record: &Record, id: &str, code: &Code, now: u64, skew: u64) -> Diagnosis {
    let (mut ignored, mut off, mut old) = (None, None, false);
    for factor in &record.factors {
        let period = factor.kind.period();
        let Some(period) = period else { continue };
        if factor.id.as_str() == id {
            ignored = parameters_ignored(factor, code, now, skew, period);
            off = steps_away(factor, code, now, period);
        } else if factor.is_verified() && code.digits() == factor.digits {
            let (step, reach) = (factor.drift.apply(time_step(now, period)), skew + OLD_STEPS);
            let window = step.saturating_sub(reach)..=step.saturating_add(skew);
            old |= matching_counter(&factor.seed, factor.algorithm, code, window).is_some();
        }
    }
    match (off, ignored) {
        (Some((steps, _)), _) if steps.unsigned_abs() <= skew => Diagnosis::Replayed,
        (Some((steps, _)), _) if steps.unsigned_abs() == skew + 1 => {
            Diagnosis::AdjacentStep { before: steps.is_negative() }
        }
        (Some((_, ahead)), _) => Diagnosis::ClockSkew { ahead },
        (None, Some(ignored)) => ignored,
        (None, None) if old => Diagnosis::OtherFactor,
        (None, None) => Diagnosis::Unknown,
    }
}

/// Returns the diagnosis of an app that knows only the usual parameters, if the code is of such an
/// app.
fn parameters_ignored(
    factor: &Factor,
    code: &Code,
    now: u64,
    skew: u64,
    period: u32,
) -> Option<Diagnosis> {
    let step = time_step(now, USUAL_PERIOD);
    let window = step.saturating_sub(skew + 1)..=step.saturating_add(skew + 1);
    let is_match = matching_counter(&factor.seed, Algorithm::Sha1, code, window).is_some();
    let usual = factor.algorithm == Algorithm::Sha1
        && factor.digits == USUAL_DIGITS
        && factor.kind == Kind::Totp { period: USUAL_PERIOD };
    (is_match && code.digits() == USUAL_DIGITS && !usual).then_some(Diagnosis::ParametersIgnored {
        algorithm: factor.algorithm,
        digits: factor.digits,
        period,
    })
}

/// Returns the steps and the seconds that the phone is ahead, if the code is right within an hour.
fn steps_away(factor: &Factor, code: &Code, now: u64, period: u32) -> Option<(i64, i64)> {
    let (step, reach) = (time_step(now, period), HOUR / u64::from(period.max(1)));
    let (first, last) = (step.saturating_sub(reach), step.saturating_add(reach));
    let counter = matching_counter(&factor.seed, factor.algorithm, code, first..=last);
    let counter = counter.filter(|_| code.digits() == factor.digits)?;
    let steps = i64::try_from(counter).ok()? - i64::try_from(step).ok()?;
    Some((steps, steps * i64::from(period)))
}

/// Seconds.
const HOUR: u64 = 3600;
/// A person may type a code of the old factor that is a little older.
const OLD_STEPS: u64 = 2;
const USUAL_DIGITS: u8 = 6;
const USUAL_PERIOD: u32 = 30;

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::factor::{FactorId, Status};
    use crate::fixtures::{code_of, verified};
    use crate::seed::Seed;

    const NOW: u64 = 1_795_000_000;

    fn with(algorithm: Algorithm, digits: u8, period: u32) -> Record {
        let status = Status::Unverified { expires: u64::MAX, wrong_codes: 0 };
        let waiting = Factor {
            algorithm,
            digits,
            status,
            id: FactorId::from_random([9; 5]),
            seed: Seed::new(b"another seed of twenty b".to_vec()).unwrap(),
            ..verified(Kind::Totp { period }, None)
        };
        let mut record = Record::new(1000);
        record.factors = vec![verified(Kind::Totp { period: 30 }, None), waiting];
        record
    }

    fn diagnosis_of(record: &Record, code: &Code) -> Diagnosis {
        diagnose(record, record.factors[1].id.as_str(), code, NOW, 1)
    }

    #[test]
    fn a_code_within_the_skew_is_reported_as_replayed() {
        let record = with(Algorithm::Sha1, 6, 30);
        for steps in [-1, 0, 1] {
            let step = time_step(NOW, 30).saturating_add_signed(steps);
            let code = code_of(&record.factors[1], step);
            assert_eq!(diagnosis_of(&record, &code), Diagnosis::Replayed, "{steps}");
        }
    }

    #[test]
    fn a_wrong_clock_is_reported_with_its_offset() {
        let record = with(Algorithm::Sha256, 8, 60);
        for (steps, expected) in [
            (-2, Diagnosis::AdjacentStep { before: true }),
            (2, Diagnosis::AdjacentStep { before: false }),
            (-4, Diagnosis::ClockSkew { ahead: -240 }),
            (60, Diagnosis::ClockSkew { ahead: 3600 }),
            (-60, Diagnosis::ClockSkew { ahead: -3600 }),
            (61, Diagnosis::Unknown),
        ] {
            let step = time_step(NOW, 60).saturating_add_signed(steps);
            assert_eq!(
                diagnosis_of(&record, &code_of(&record.factors[1], step)),
                expected,
                "{steps}"
            );
        }
    }

    #[test]
    fn an_app_that_ignores_parameters_is_recognized() {
        for (algorithm, digits, period) in
            [(Algorithm::Sha256, 6, 30), (Algorithm::Sha1, 8, 30), (Algorithm::Sha512, 8, 60)]
        {
            let record = with(algorithm, digits, period);
            let mut app = record.factors[1].clone();
            (app.algorithm, app.digits) = (Algorithm::Sha1, 6);
            let code = code_of(&app, time_step(NOW, 30));
            let expected = Diagnosis::ParametersIgnored { algorithm, digits, period };
            assert_eq!(diagnosis_of(&record, &code), expected);
        }
        // A period alone that is ignored looks like any other wrong time.
        let record = with(Algorithm::Sha1, 6, 60);
        let code = code_of(&record.factors[1], time_step(NOW, 30));
        let expected =
            Diagnosis::ParametersIgnored { algorithm: Algorithm::Sha1, digits: 6, period: 60 };
        assert_eq!(diagnosis_of(&record, &code), expected);
    }

    #[test]
    fn an_app_that_ignores_parameters_may_be_two_steps_off() {
        let record = with(Algorithm::Sha256, 8, 60);
        let mut app = record.factors[1].clone();
        (app.algorithm, app.digits) = (Algorithm::Sha1, 6);
        let ignored =
            Diagnosis::ParametersIgnored { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
        for (steps, expected) in
            [(-3, Diagnosis::Unknown), (-2, ignored), (2, ignored), (3, Diagnosis::Unknown)]
        {
            let step = time_step(NOW, 30).saturating_add_signed(steps);
            assert_eq!(diagnosis_of(&record, &code_of(&app, step)), expected, "{steps}");
        }
        assert_eq!(diagnosis_of(&record, &Code::parse("000000").unwrap()), Diagnosis::Unknown);
    }

    #[test]
    fn another_factor_is_named_for_a_recent_code_only() {
        let record = with(Algorithm::Sha1, 6, 30);
        let of_the_past = |steps| code_of(&record.factors[0], time_step(NOW, 30) - steps);
        assert_eq!(diagnosis_of(&record, &of_the_past(3)), Diagnosis::OtherFactor);
        assert_eq!(diagnosis_of(&record, &of_the_past(4)), Diagnosis::Unknown);
        let mut disabled = record.clone();
        disabled.factors[0].status = Status::Disabled;
        assert_eq!(diagnosis_of(&disabled, &of_the_past(0)), Diagnosis::Unknown);
        // A code of eight digits that begins with two noughts is no code of six.
        let mut longer = record.clone();
        longer.factors[0].digits = 8;
        let now = (NOW..)
            .step_by(30)
            .find(|&now| code_of(&longer.factors[0], time_step(now, 30)).value() < 1_000_000);
        let now = now.unwrap();
        let value = code_of(&longer.factors[0], time_step(now, 30)).value();
        let six = Code::parse(&format!("{value:06}")).unwrap();
        let id = longer.factors[1].id.clone();
        assert_eq!(diagnose(&longer, id.as_str(), &six, now, 1), Diagnosis::Unknown);
    }

    #[test]
    fn a_code_of_another_factor_is_recognized() {
        let record = with(Algorithm::Sha1, 6, 30);
        let old = code_of(&record.factors[0], time_step(NOW, 30));
        assert_eq!(diagnosis_of(&record, &old), Diagnosis::OtherFactor);
        assert_eq!(diagnosis_of(&record, &Code::parse("000000").unwrap()), Diagnosis::Unknown);
    }
}
