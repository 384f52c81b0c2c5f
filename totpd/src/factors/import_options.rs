//! The factors that `Import` takes over, as totpctl and other front ends send them.

use totpd_core::code::DIGITS;
use totpd_core::enrollment::Elsewhere;
use totpd_core::factor::{Kind, MAX_RESYNC_SECS, PERIOD, Restrictions};
use totpd_core::otp::Algorithm;
use totpd_core::recovery_codes::ScratchCode;
use totpd_core::seed::{SEED_BYTES, Seed};
use totpd_interface::dictionary::DictReader;
use totpd_interface::{Dictionary, Error};

use crate::factors::option_values::{invalid, name, reject_unknown, words_of};

/// A factor of another program.
#[derive(Debug)]
pub(crate) struct ImportedFactor {
    /// The name, which may be empty.
    pub(crate) name: String,
    /// The kind, which decides what moves the code on.
    pub(crate) kind: Kind,
    /// The hash.
    pub(crate) algorithm: Algorithm,
    /// The decimal digits of a code.
    pub(crate) digits: u8,
    /// The seed.
    pub(crate) seed: Seed,
    /// The times at which the factor is allowed.
    pub(crate) restrictions: Restrictions,
    /// What the other program knew of its codes.
    pub(crate) elsewhere: Elsewhere,
}

/// How the factors are taken over.
#[derive(Debug)]
pub(crate) struct ImportOptions {
    /// The flag that they take the place of the factors that the user has.
    pub(crate) replace: bool,
    /// The flag that the daemon only says what it would do.
    pub(crate) dry_run: bool,
    /// The scratch codes of the user.
    pub(crate) scratch_codes: Vec<ScratchCode>,
    still_in_use: bool,
}

impl ImportOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], with the key and its allowed values.
    pub(crate) fn parse(options: &Dictionary) -> Result<Self, Error> {
        reject_unknown(options, &["dry_run", "replace", "scratch_codes", "still_in_use"])?;
        let flag = |key| Ok::<_, Error>(options.flag(key)?.unwrap_or(false));
        let wanted = || invalid("scratch_codes", "at most 32 codes of eight digits");
        let codes = options.texts("scratch_codes").map_err(|_| wanted())?.unwrap_or_default();
        let codes: Option<Vec<_>> = codes.iter().map(|code| ScratchCode::parse(code)).collect();
        Ok(Self {
            replace: flag("replace")?,
            dry_run: flag("dry_run")?,
            scratch_codes: codes.filter(|codes| codes.len() <= MAX_CODES).ok_or_else(wanted)?,
            still_in_use: flag("still_in_use")?,
        })
    }

    /// Reads a factor.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], with the key and its allowed values.
    pub(crate) fn factor(&self, factor: &Dictionary) -> Result<ImportedFactor, Error> {
        reject_unknown(factor, &FACTOR_KEYS)?;
        let algorithm = factor.text("algorithm")?.unwrap_or("SHA1");
        let digits = factor.number("digits")?.unwrap_or(6);
        let digits = u8::try_from(digits).ok().filter(|digits| DIGITS.contains(digits));
        let secret = || invalid("secret", &format!("an array of {} bytes", words_of(&SEED_BYTES)));
        let seed = factor.bytes("secret").map_err(|_| secret())?.and_then(Seed::new);
        let (kind, used) = (kind(factor)?, factor.number64("used")?);
        if used.is_some_and(|used| used >= LAST_COUNTER) {
            return Err(invalid("used", "less than 2^63"));
        }
        let window = u64::from(factor.number("window")?.unwrap_or(0));
        Ok(ImportedFactor {
            name: name(factor, "name")?,
            kind,
            algorithm: Algorithm::from_name(algorithm)
                .ok_or_else(|| invalid("algorithm", "SHA1, SHA256 or SHA512"))?,
            digits: digits.ok_or_else(|| invalid("digits", &words_of(&DIGITS)))?,
            seed: seed.ok_or_else(secret)?,
            restrictions: restrictions(factor)?,
            elsewhere: Elsewhere {
                last_accepted: used,
                is_recorded: factor.flag("recorded")?.unwrap_or(false),
                drift: drift(factor, kind)?,
                in_use: self.still_in_use.then_some(window),
            },
        })
    }
}

fn kind(factor: &Dictionary) -> Result<Kind, Error> {
    match (factor.text("kind")?.unwrap_or("totp"), factor.number("period")?) {
        ("totp", period) => {
            let period = Some(period.unwrap_or(30)).filter(|period| PERIOD.contains(period));
            let period = period
                .ok_or_else(|| invalid("period", &format!("{} seconds", words_of(&PERIOD))))?;
            Ok(Kind::Totp { period })
        }
        ("hotp", None) => Ok(Kind::Hotp),
        ("hotp", Some(_)) => Err(invalid("period", "left out if kind is hotp")),
        _ => Err(invalid("kind", "totp or hotp")),
    }
}

/// Returns the time steps that the clock of the token is ahead.
fn drift(factor: &Dictionary, kind: Kind) -> Result<i16, Error> {
    let [ahead, behind] = ["ahead", "behind"].map(|key| factor.number(key));
    let (steps, key, is_ahead) = match (ahead?, behind?) {
        (Some(_), Some(_)) => return Err(invalid("behind", "left out if ahead is given")),
        (ahead, None) => (ahead.unwrap_or(0), "ahead", true),
        (None, Some(behind)) => (behind, "behind", false),
    };
    let period = kind.period().unwrap_or_default();
    let is_near = u64::from(steps) * u64::from(period) <= MAX_RESYNC_SECS;
    let steps = i16::try_from(steps).ok().filter(|steps| is_near && (period > 0 || *steps == 0));
    let steps = steps.ok_or_else(|| invalid(key, "at most the time steps of an hour"))?;
    Ok(if is_ahead { steps } else { -steps })
}

fn restrictions(factor: &Dictionary) -> Result<Restrictions, Error> {
    let time = |key| Ok::<_, Error>(factor.number64(key)?.filter(|time| *time > 0));
    let (not_before, not_after) = (time("not_before")?, time("not_after")?);
    if not_before.zip(not_after).is_some_and(|(start, end)| start >= end) {
        return Err(invalid("not_after", "later than not_before"));
    }
    Ok(Restrictions { not_before, not_after, ..Restrictions::default() })
}

const FACTOR_KEYS: [&str; 13] = [
    "ahead",
    "algorithm",
    "behind",
    "digits",
    "kind",
    "name",
    "not_after",
    "not_before",
    "period",
    "recorded",
    "secret",
    "used",
    "window",
];
/// The end of the counters. It is so far from the end of numbers that the look-ahead never gets
/// there.
const LAST_COUNTER: u64 = 1 << 63;
/// The scratch codes that a user may have.
const MAX_CODES: usize = 32;

#[cfg(test)]
mod tests {
    use totpd_interface::DictBuilder;

    use super::*;

    fn read(add: impl FnOnce(DictBuilder) -> DictBuilder) -> Result<ImportedFactor, String> {
        let factor = add(DictBuilder::new().with("secret", vec![7_u8; 20])).into();
        let options = ImportOptions::parse(&Dictionary::new()).unwrap();
        options.factor(&factor).map_err(|error| error.to_string())
    }

    #[test]
    fn a_factor_is_read_with_what_is_known_of_its_codes() {
        let factor = read(|factor| {
            factor.with("period", 60_u32).with("used", 990_u64).with("behind", 4_u32)
        });
        let factor = factor.unwrap();
        assert_eq!(factor.kind, Kind::Totp { period: 60 });
        let elsewhere = Elsewhere { last_accepted: Some(990), drift: -4, ..Elsewhere::default() };
        assert_eq!(factor.elsewhere, elsewhere);
        let options = DictBuilder::new().with("still_in_use", true).into();
        let options = ImportOptions::parse(&options).unwrap();
        let factor = DictBuilder::new().with("secret", vec![7_u8; 20]).with("window", 8_u32);
        let elsewhere = options.factor(&factor.into()).unwrap().elsewhere;
        assert_eq!((elsewhere.in_use, elsewhere.is_recorded), (Some(8), false));
    }

    #[test]
    fn what_no_factor_can_have_is_named() {
        type Add = fn(DictBuilder) -> DictBuilder;
        let cases: [(&str, Add); 10] = [
            ("period", |factor| factor.with("period", 0_u32)),
            ("period", |factor| factor.with("kind", "hotp").with("period", 30_u32)),
            ("kind", |factor| factor.with("kind", "steam")),
            ("digits", |factor| factor.with("digits", 3_u32)),
            ("algorithm", |factor| factor.with("algorithm", "MD5")),
            ("secret", |factor| factor.with("secret", vec![7_u8; 9])),
            ("ahead", |factor| factor.with("ahead", 121_u32)),
            ("behind", |factor| factor.with("behind", 1_u32).with("ahead", 1_u32)),
            ("used", |factor| factor.with("used", 1_u64 << 63)),
            ("not_after", |factor| factor.with("not_before", 5_u64).with("not_after", 5_u64)),
        ];
        for (key, add) in cases {
            let refusal = read(add).unwrap_err();
            assert!(refusal.contains(key), "{key}: {refusal}");
        }
    }

    #[test]
    fn scratch_codes_have_eight_digits() {
        let read = |codes: Vec<&str>| {
            ImportOptions::parse(&DictBuilder::new().with("scratch_codes", codes).into())
        };
        assert_eq!(read(vec!["12345678"]).unwrap().scratch_codes.len(), 1);
        assert!(read(vec!["1234567"]).is_err());
        assert!(read(vec!["12345678"; 33]).is_err());
    }
}
