//! A factor that another program kept, with all that is known of its used codes.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use totpd_core::code::DIGITS;
use totpd_core::factor::{Kind, MAX_RESYNC_SECS, PERIOD};
use totpd_core::otp::{Algorithm, time_step};
use totpd_core::seed::Seed;
use zeroize::Zeroizing;

use crate::reading::change::Change;
use crate::reading::fields::Fields;

/// A factor that another program kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct ImportedFactor {
    /// TOTP or HOTP.
    pub kind: Kind,
    /// The hash of the HMAC.
    pub algorithm: Algorithm,
    /// The number of decimal digits of a code, 6 to 8.
    pub digits: u8,
    /// The shared secret, 10 to 64 bytes.
    pub seed: Seed,
    /// The last time step or counter that is used up. `None` if the source used none, or does not
    /// know ([`Change::UsedCodesUnknown`]). The next counter of HOTP is one more.
    pub last_accepted: Option<u64>,
    /// The time steps that the phone is ahead; negative if it is behind.
    pub drift: i16,
    /// The time steps or counters that the other program accepts ahead of the expected one.
    pub ahead: u64,
    /// The first second of use, in seconds since 1970.
    pub not_before: Option<u64>,
    /// The end of use (exclusive), in seconds since 1970.
    pub not_after: Option<u64>,
    /// Codes that the other program accepts once each, in the place of a code.
    pub scratch_codes: Vec<ScratchCode>,
    /// What was changed or left, for the person who imports.
    pub changes: Vec<Change>,
}

impl ImportedFactor {
    /// Counts every code as used that the other program may accept up to `now` (seconds since
    /// 1970), because it stays in use. HOTP has no such codes.
    pub fn close_until(&mut self, now: u64) {
        let Kind::Totp { period } = self.kind else { return };
        let step = time_step(now, period).saturating_add_signed(i64::from(self.drift));
        let last = step.saturating_add(self.ahead);
        self.last_accepted = Some(self.last_accepted.map_or(last, |known| known.max(last)));
    }
}

impl From<ImportedFactor> for Fields {
    fn from(factor: ImportedFactor) -> Self {
        let codes = factor.scratch_codes.iter();
        Self {
            kind: factor.kind.name().to_owned(),
            period: factor.kind.period(),
            algorithm: factor.algorithm,
            digits: factor.digits,
            seed: factor.seed.base32(),
            last_accepted: factor.last_accepted,
            drift: factor.drift,
            ahead: factor.ahead,
            not_before: factor.not_before,
            not_after: factor.not_after,
            scratch_codes: codes.map(|code| Zeroizing::new(code.digits().to_owned())).collect(),
            changes: factor.changes,
        }
    }
}

impl TryFrom<Fields> for ImportedFactor {
    type Error = Impossible;

    fn try_from(fields: Fields) -> Result<Self, Impossible> {
        let kind = match (&*fields.kind, fields.period) {
            ("hotp", None) => Kind::Hotp,
            ("totp", Some(period)) if PERIOD.contains(&period) => Kind::Totp { period },
            _ => return Err(Impossible),
        };
        let drift = u64::from(fields.drift.unsigned_abs());
        let drift_seconds = drift.saturating_mul(kind.period().map_or(0, u64::from));
        let is_possible = DIGITS.contains(&fields.digits)
            && drift_seconds <= MAX_RESYNC_SECS
            && fields.last_accepted.is_none_or(|last| last <= LAST_COUNTER);
        let seed = BASE32_NOPAD.decode(fields.seed.as_bytes()).ok().and_then(Seed::new);
        let codes = fields.scratch_codes.iter().map(|code| ScratchCode::parse(code));
        Ok(Self {
            kind,
            algorithm: fields.algorithm,
            digits: fields.digits,
            seed: seed.filter(|_| is_possible).ok_or(Impossible)?,
            last_accepted: fields.last_accepted,
            drift: fields.drift,
            ahead: fields.ahead,
            not_before: fields.not_before,
            not_after: fields.not_after,
            scratch_codes: codes.collect::<Option<_>>().ok_or(Impossible)?,
            changes: fields.changes,
        })
    }
}

/// Fields that no factor has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no factor has these fields")]
pub struct Impossible;

/// A code of eight digits that is accepted once. It is wiped when dropped and prints `[redacted]`.
#[derive(Clone, Eq, PartialEq)]
pub struct ScratchCode(Zeroizing<String>);

impl ScratchCode {
    /// Returns the code of this text: eight decimal digits, the first not zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = text.len() == SCRATCH_DIGITS
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && !text.starts_with('0');
        is_valid.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the digits, to hash them.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScratchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The greatest counter that is taken.
pub(crate) const LAST_COUNTER: u64 = 1 << 63;
const SCRATCH_DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::line::tests::factor;

    #[test]
    fn a_module_that_stays_in_use_closes_its_window() {
        for (last, drift, expected) in [
            (None, 0, 1001),
            (Some(7), 0, 1001),
            (Some(2000), 0, 2000),
            (None, 5, 1006),
            (None, -5, 996),
        ] {
            let mut factor = ImportedFactor { last_accepted: last, drift, ahead: 1, ..factor() };
            factor.close_until(30_000);
            assert_eq!(factor.last_accepted, Some(expected), "{last:?} {drift}");
        }
        let mut token = ImportedFactor { kind: Kind::Hotp, ..factor() };
        token.close_until(u64::MAX);
        assert_eq!(token.last_accepted, factor().last_accepted);
    }

    #[test]
    fn a_scratch_code_has_eight_digits() {
        for (text, is_valid) in [
            ("12345678", true),
            ("99999999", true),
            ("02345678", false),
            ("1234567", false),
            ("123456789", false),
            ("1234567a", false),
            ("１２３４５６７８", false),
        ] {
            assert_eq!(ScratchCode::parse(text).is_some(), is_valid, "{text}");
        }
        assert_eq!(format!("{:?}", ScratchCode::parse("12345678")), "Some([redacted])");
    }
}
