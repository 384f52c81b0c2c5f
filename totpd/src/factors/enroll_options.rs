//! The options of `Enroll`, parsed. Unlike in a context, an unknown option is refused.

use totpd_core::authorization::Operation;
use totpd_core::code::DIGITS;
use totpd_core::factor::{Kind, PERIOD, Restrictions};
use totpd_core::otp::Algorithm;
use totpd_core::seed::{RECOMMENDED_SEED_BYTES, SEED_BYTES, Seed};
use totpd_formats::export;
use totpd_interface::dictionary::DictReader;
use totpd_interface::{Dictionary, Error};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::factors::option_values::{invalid, name, reject_unknown, restrictions, words_of};

/// The wanted properties of a new factor.
#[derive(Debug)]
pub(crate) struct Options {
    /// The name of the factor, which may be empty.
    pub(crate) name: String,
    /// The times and the services for which the factor is allowed.
    pub(crate) restrictions: Restrictions,
    /// The issuer, if it is not the configured one.
    pub(crate) issuer: Option<String>,
    /// The hash.
    pub(crate) algorithm: Algorithm,
    /// The decimal digits of a code.
    pub(crate) digits: u8,
    /// The kind, which decides what moves the code on.
    pub(crate) kind: Kind,
    /// The first counter of an event token.
    pub(crate) counter: u64,
    /// The seed, if the factor does not get a new one.
    pub(crate) secret: Option<Seed>,
    /// A current code of the user.
    pub(crate) code: Zeroizing<String>,
    /// The flag that the factor needs no first code. Root alone may set it.
    pub(crate) confirmed: bool,
    /// The flag that the reply also has the link as a QR code (default: yes).
    pub(crate) qr: bool,
    /// The flag that the daemon makes recovery codes if the user has none (default: yes).
    pub(crate) recovery_codes: bool,
    /// The flag that the daemon does not touch a user who is enrolled.
    pub(crate) if_unenrolled: bool,
    /// The flag to show root's own pending factor again instead of a new one.
    pub(crate) resume: bool,
    /// The pending factor that becomes verified, instead of a new one, with `confirmed`.
    pub(crate) factor: Option<String>,
    /// The flag that the daemon only says what it would do.
    pub(crate) dry_run: bool,
}

impl Options {
    /// Reads the options. An absent option has the configured value.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], with the key and its allowed values.
    pub(crate) fn parse(options: &Dictionary, config: &Config) -> Result<Self, Error> {
        reject_unknown(options, &KEYS)?;
        let name = name(options, "name")?;
        let issuer = options.text("issuer")?;
        if let Some(Err(reason)) = issuer.map(export::check_label) {
            return Err(Error::InvalidArgument(format!("issuer {reason}")));
        }
        let algorithm = match options.text("algorithm")? {
            None => config.defaults.algorithm,
            Some(name) => Algorithm::from_name(name)
                .ok_or_else(|| invalid("algorithm", "SHA1, SHA256 or SHA512"))?,
        };
        let digits = match options.number("digits")? {
            None => config.defaults.digits,
            Some(digits) => u8::try_from(digits)
                .ok()
                .filter(|digits| DIGITS.contains(digits))
                .ok_or_else(|| invalid("digits", &words_of(&DIGITS)))?,
        };
        let (kind, counter) = kind(options, config)?;
        let flag = |key| Ok::<_, Error>(options.flag(key)?.unwrap_or(false));
        let confirmed = flag("confirmed")?;
        let (resume, factor) = (flag("resume")?, options.text("factor")?);
        if confirmed && resume {
            return Err(invalid("resume", "left out if confirmed is given: name the factor"));
        }
        if factor.is_some() && !confirmed {
            return Err(invalid("factor", "left out if confirmed is not given"));
        }
        Ok(Self {
            name,
            restrictions: restrictions(options)?,
            issuer: issuer.map(ToOwned::to_owned),
            algorithm,
            digits,
            kind,
            counter,
            secret: secret(options)?,
            code: Zeroizing::new(options.text("code")?.unwrap_or_default().to_owned()),
            confirmed,
            qr: options.flag("qr")?.unwrap_or(true),
            recovery_codes: options.flag("recovery_codes")?.unwrap_or(true),
            if_unenrolled: flag("if_unenrolled")?,
            resume,
            factor: factor.map(ToOwned::to_owned),
            dry_run: flag("dry_run")?,
        })
    }

    /// Returns the operation for which the caller needs a right.
    pub(crate) fn operation(&self) -> Operation {
        let is_short =
            self.secret.as_ref().is_some_and(|seed| seed.bytes().len() < RECOMMENDED_SEED_BYTES);
        match (self.confirmed, is_short) {
            (true, _) => Operation::EnrollConfirmed,
            (false, true) => Operation::EnrollShortSecret,
            (false, false) => Operation::Change,
        }
    }
}

fn kind(options: &Dictionary, config: &Config) -> Result<(Kind, u64), Error> {
    let period = options.number("period")?;
    let counter = options.number64("counter")?;
    match (options.text("kind")?.unwrap_or("totp"), period, counter) {
        ("totp", _, Some(_)) => Err(invalid("counter", "left out if kind is totp")),
        ("totp", period, None) => {
            let period = period.unwrap_or(config.defaults.period);
            if !PERIOD.contains(&period) {
                return Err(invalid("period", &format!("{} seconds", words_of(&PERIOD))));
            }
            Ok((Kind::Totp { period }, 0))
        }
        ("hotp", Some(_), _) => Err(invalid("period", "left out if kind is hotp")),
        ("hotp", None, counter) => {
            let counter = counter.unwrap_or(0);
            if counter > LAST_COUNTER {
                return Err(invalid("counter", "at most 2^63"));
            }
            Ok((Kind::Hotp, counter))
        }
        _ => Err(invalid("kind", "totp or hotp")),
    }
}

fn secret(options: &Dictionary) -> Result<Option<Seed>, Error> {
    let wanted = || invalid("secret", &format!("an array of {} bytes", words_of(&SEED_BYTES)));
    let Some(bytes) = options.bytes("secret").map_err(|_| wanted())? else { return Ok(None) };
    Seed::new(bytes).map(Some).ok_or_else(wanted)
}

pub(crate) const KEYS: [&str; 20] = [
    "algorithm",
    "code",
    "confirmed",
    "counter",
    "digits",
    "dry_run",
    "factor",
    "if_unenrolled",
    "issuer",
    "kind",
    "name",
    "not_after",
    "not_before",
    "period",
    "purpose",
    "qr",
    "recovery_codes",
    "resume",
    "secret",
    "services",
];
/// The largest first counter. It is so far from the end that the look-ahead never gets there.
const LAST_COUNTER: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use zbus::Variant;

    use super::*;

    fn parse(entries: &[(&str, Variant<'_>)]) -> Result<Options, Error> {
        let owned = |value: &Variant<'_>| value.try_to_owned().unwrap();
        let options = entries.iter().map(|(key, value)| ((*key).to_owned(), owned(value)));
        let (config, _) =
            Config::load(Path::new("/nowhere/totpd.toml"), totpd_store::Owner::ROOT).unwrap();
        Options::parse(&options.collect(), &config)
    }

    #[test]
    fn what_is_left_open_is_as_configured() {
        let options = parse(&[]).unwrap();
        assert_eq!((options.digits, options.kind), (6, Kind::Totp { period: 30 }));
        assert_eq!(options.algorithm, Algorithm::Sha1);
        assert!(options.secret.is_none() && !options.confirmed && options.name.is_empty());
    }

    #[test]
    fn everything_in_range_is_taken() {
        let options = parse(&[
            ("name", "Pixel".into()),
            ("issuer", "My Company".into()),
            ("algorithm", "SHA512".into()),
            ("digits", 8_u32.into()),
            ("kind", "hotp".into()),
            ("counter", 42_u64.into()),
            ("secret", vec![7_u8; 64].into()),
            ("code", "123456".into()),
            ("confirmed", true.into()),
        ])
        .unwrap();
        assert_eq!((options.digits, options.kind, options.counter), (8, Kind::Hotp, 42));
        assert_eq!(options.secret.unwrap().bytes(), [7; 64]);
        assert!(options.confirmed);
    }

    #[test]
    fn a_short_secret_needs_root() {
        for (bytes, confirmed, expected) in [
            (10, false, Operation::EnrollShortSecret),
            (15, false, Operation::EnrollShortSecret),
            (16, false, Operation::Change),
            (10, true, Operation::EnrollConfirmed),
        ] {
            let options = [("secret", vec![7_u8; bytes].into()), ("confirmed", confirmed.into())];
            assert_eq!(parse(&options).unwrap().operation(), expected, "{bytes}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_key() {
        for (key, value) in [
            ("name", Variant::from("x".repeat(65))),
            ("name", "a\nb".into()),
            ("name", "a\u{202e}b".into()),
            ("name", "a\u{61c}b".into()),
            ("name", "a\u{200b}b".into()),
            ("purpose", "a\u{7}b".into()),
            ("not_after", 7_u32.into()),
            ("services", "sshd".into()),
            ("services", vec!["a/b"].into()),
            ("services", vec![""].into()),
            ("resume", 1_u32.into()),
            ("factor", "f-aaaaaaaa".into()),
            ("dry_run", 1_u32.into()),
            ("qr", "no".into()),
            ("recovery_codes", 1_u32.into()),
            ("name", 7_u32.into()),
            ("issuer", "".into()),
            ("issuer", "a:b".into()),
            ("issuer", true.into()),
            ("algorithm", "MD5".into()),
            ("algorithm", "sha1".into()),
            ("algorithm", 1_u32.into()),
            ("digits", 5_u32.into()),
            ("digits", 9_u32.into()),
            ("digits", 262_u32.into()),
            ("digits", 6_i32.into()),
            ("digits", "6".into()),
            ("period", 14_u32.into()),
            ("period", 301_u32.into()),
            ("period", 30_u64.into()),
            ("secret", vec![7_u8; 9].into()),
            ("secret", vec![7_u8; 65].into()),
            ("secret", "JBSWY3DPEHPK3PXP".into()),
            ("secret", vec![7_u32; 20].into()),
            ("kind", "steam".into()),
            ("kind", 1_u32.into()),
            ("counter", 1_u64.into()),
            ("code", 123_456_u32.into()),
            ("confirmed", "true".into()),
            ("digit", 6_u32.into()),
            ("", "".into()),
        ] {
            match parse(&[(key, value.try_to_owned().unwrap().into())]) {
                Err(Error::InvalidArgument(reason)) => {
                    assert!(reason.contains(key), "{key}: {reason}")
                }
                other => panic!("{key} {value:?}: {other:?}"),
            }
        }
        for (key, value) in [("period", Variant::from(30_u32)), ("counter", u64::MAX.into())] {
            let result = parse(&[("kind", "hotp".into()), (key, value)]);
            assert!(matches!(result, Err(Error::InvalidArgument(_))), "{key}");
        }
    }
}
