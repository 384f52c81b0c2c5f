//! A factor of the parts that a daemon hands out.

use totpd_core::enrollment::{Elsewhere, NewFactor};
use totpd_core::factor::{Factor, FactorId, Kind, Maker, Restrictions};
use totpd_core::otp::Algorithm;
use totpd_core::seed::Seed;
use zeroize::Zeroizing;

/// The parts of a verified factor, in the types of the contract.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The id.
    pub id: &'a str,
    /// The hash.
    pub algorithm: &'a str,
    /// The digits of a code.
    pub digits: u64,
    /// The seconds of a time step; `None` for a token that counts presses.
    pub period: Option<u64>,
    /// The shared secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// The greatest time step or counter that is used up.
    pub used: Option<u64>,
    /// The time steps that the clock of the token is ahead; negative if it is behind.
    pub drift: i64,
}

impl Parts<'_> {
    /// Returns the factor at `now` (seconds since 1970); `None` if no factor can have these parts.
    #[must_use]
    pub fn factor(&self, now: u64) -> Option<Factor> {
        let kind = match self.period {
            None => Kind::Hotp,
            Some(period) => Kind::Totp { period: u32::try_from(period).ok()? },
        };
        let new = NewFactor {
            id: FactorId::parse(self.id)?,
            name: String::new(),
            kind,
            algorithm: Algorithm::from_name(self.algorithm)?,
            digits: u8::try_from(self.digits).ok()?,
            seed: Seed::new(self.secret.to_vec())?,
            is_imported: false,
            counter: 0,
            restrictions: Restrictions::default(),
            is_confirmed: true,
            made_by: Maker::Root,
        };
        let drift = i16::try_from(self.drift).ok()?;
        let elsewhere = Elsewhere { drift, is_recorded: true, ..Elsewhere::default() };
        Some(Factor { last_accepted: self.used, ..elsewhere.apply(new.make(now, 0), now, 0) })
    }
}

/// Returns the time from which a factor that goes by the clock has unused codes, in seconds since
/// 1970.
#[must_use]
pub fn unused_from(factor: &Factor) -> Option<u64> {
    let period = u64::from(factor.kind.period()?);
    let first = factor.last_accepted?.saturating_add(1);
    let here = first.saturating_add_signed(-i64::from(factor.drift.steps()));
    Some(here.saturating_mul(period))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(digits: u64) -> Parts<'static> {
        Parts {
            id: "f-aeaqcaib",
            algorithm: "SHA256",
            digits,
            period: Some(60),
            secret: Zeroizing::new(vec![7; 20]),
            used: Some(5),
            drift: -2,
        }
    }

    #[test]
    fn a_factor_is_made_of_its_parts() {
        let factor = parts(8).factor(30_000).unwrap();
        assert_eq!((factor.kind, factor.drift.steps()), (Kind::Totp { period: 60 }, -2));
        assert_eq!((factor.last_accepted, factor.is_verified()), (Some(5), true));
        assert_eq!(unused_from(&factor), Some(8 * 60));
        let token = Parts { period: None, ..parts(6) }.factor(30_000).unwrap();
        assert_eq!((unused_from(&token), token.last_accepted), (None, Some(5)));
    }

    #[test]
    fn what_no_factor_can_have_is_none() {
        assert!(parts(300).factor(0).is_none());
        assert!(Parts { algorithm: "MD5", ..parts(8) }.factor(0).is_none());
        assert!(Parts { id: "x", ..parts(8) }.factor(0).is_none());
        let short = Zeroizing::new(vec![7; 9]);
        assert!(Parts { secret: short, ..parts(8) }.factor(0).is_none());
    }
}
