//! The samples of all formats, made by another program (`samples.py` beside this file). What is
//! read of them gives the codes of oathtool, which gets the seed that the sample was made with.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use totpd_core::factor::Kind;
use totpd_core::otp::{code_at, time_step};
use totpd_formats::reading::{Format, ImportedFactor, Outcome, Passphrase, Rules};
use zeroize::Zeroizing;

/// Format, sample, kind or period, hash, digits, last used step or counter, seed.
type Row = (&'static str, &'static str, &'static str, &'static str, u8, Option<u64>, &'static str);

#[test]
fn every_sample_gives_the_codes_of_oathtool() {
    let mut rows = ROWS.iter().peekable();
    while let Some((format, sample, ..)) = rows.peek().copied() {
        let factors = factors(Format::from_name(format).unwrap(), sample);
        for factor in &factors {
            let row = rows.next().unwrap();
            assert_eq!(row.1, *sample);
            check(factor, row);
        }
        assert!(rows.peek().is_none_or(|row| row.1 != *sample), "{sample}");
    }
}

/// Returns the factors of a sample.
fn factors(format: Format, sample: &str) -> Vec<ImportedFactor> {
    let path = format!("{}/../../fuzz/seeds/{sample}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let rules = Rules { utc_offsets: vec![3600], ..Rules::at(NOW) };
    let passphrase = PASSPHRASES.iter().find(|(name, _)| *name == sample).map(|(_, text)| text);
    let passphrase = passphrase.map(|text| Passphrase::new(Zeroizing::new((*text).to_owned())));
    let mut factors = Vec::new();
    let mut sink = |entry: totpd_formats::reading::Entry| {
        if let Outcome::Factor(factor) = entry.outcome {
            factors.push(*factor);
        }
    };
    totpd_formats::readers::read(format, &bytes, passphrase.as_ref(), &rules, &mut sink).unwrap();
    factors
}

fn check(factor: &ImportedFactor, (_, sample, kind, algorithm, digits, last, seed): &Row) {
    assert_eq!(factor.last_accepted, *last, "{sample}");
    for counter in [0, 1, 41, 59_860_740] {
        let mut oathtool = Command::new("oathtool");
        oathtool.args(["-d", &digits.to_string()]);
        let counter = if *kind == "hotp" {
            // oathtool has HOTP with SHA1 alone. TOTP of period 1 is the same with any hash.
            let (kind, at) =
                (format!("--totp={}", algorithm.to_lowercase()), format!("@{counter}"));
            oathtool.args([&kind, "-s", "1", "-N", &at]);
            assert_eq!(factor.kind, Kind::Hotp, "{sample}");
            counter
        } else {
            let (time, period) = (counter * 30, kind.parse::<u32>().unwrap());
            let (kind, at) = (format!("--totp={}", algorithm.to_lowercase()), format!("@{time}"));
            oathtool.args([&kind, "-s", &period.to_string(), "-N", &at]);
            assert_eq!(factor.kind, Kind::Totp { period }, "{sample}");
            time_step(time, period)
        };
        let theirs = oathtool.arg(seed).output().expect("oathtool");
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        let ours = code_at(&factor.seed, factor.algorithm, counter, factor.digits);
        assert_eq!(
            theirs.trim(),
            format!("{ours:0width$}", width = usize::from(*digits)),
            "{sample}"
        );
    }
}

/// 2026-11-27T23:30:10Z.
const NOW: u64 = 1_795_822_210;

const PASSPHRASES: [(&str, &str); 4] = [
    ("aegis/encrypted", "correct horse"),
    ("privacyidea/fernet", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("pskc/passphrase", "correct horse"),
    ("pskc/shared-key", "6465666768696a6b6c6d6e6f70717273"),
];

#[rustfmt::skip]
const ROWS: [Row; 35] = [
    ("google-authenticator", "google_authenticator/totp", "30", "SHA1", 6, Some(58_806_667), "592bde97e9d2f5425b5f620ed67cb1e8"),
    ("google-authenticator", "google_authenticator/hotp", "hotp", "SHA1", 6, Some(41), "fc3d2fe236a09542c3fb"),
    ("oath", "oath/usersfile", "hotp", "SHA1", 6, None, "232c37e77ec7555b353fe198ee4624b7e06c0eeb"),
    ("oath", "oath/usersfile", "hotp", "SHA1", 8, Some(7), "603e00cb18915e3a73bc3e42e006a154a63e93b28ba51cc669c7d6e1aa54f6a4"),
    ("oath", "oath/usersfile", "30", "SHA1", 6, Some(59_860_740), "2b3cae7db17c8ee99296cab83e1fd4d99e3ff100"),
    ("oath", "oath/usersfile", "60", "SHA1", 7, None, "5f65d25e99e1338ef3e94f00b5b10e0c30627ab6"),
    ("otpauth", "otpauth/links", "60", "SHA512", 8, None, "eb5bf2d7f8c07e7521dd126dce6f173d69688933"),
    ("otpauth", "otpauth/links", "hotp", "SHA1", 6, Some(8), "fa5104c9e91fcd7a93c476ac325d32918671117c"),
    ("otpauth-migration", "otpauth_migration/links", "30", "SHA1", 6, None, "f5b00dc6e14127ee4ae577b10f3874c430c69d13"),
    ("otpauth-migration", "otpauth_migration/links", "30", "SHA256", 8, None, "31d991456a0b3f5cbf451a03d8f0f03a195bf2c65bac2aaec71580c0d5ef1543"),
    ("otpauth-migration", "otpauth_migration/links", "hotp", "SHA1", 6, Some(5), "c867027ffc7dd1b498a5d77a5ae01c54767b065b"),
    ("pskc", "pskc/plain", "60", "SHA256", 8, Some(29_930_370), "081fcd8135fa093aabd7887c4bb5ea121aaa58e79d7a52f4f5f80a02dfd4a983"),
    ("pskc", "pskc/shared-key", "hotp", "SHA1", 8, Some(10), "a90e5cf29472b97cccdb423eaef3988246bd10aa"),
    ("pskc", "pskc/passphrase", "hotp", "SHA1", 8, Some(10), "d4b8a30e6296645ec59b3015492ddbb18e077833"),
    ("csv", "csv/named", "60", "SHA1", 6, None, "8e1d4254610513af4ed5257758b2a5df2da9e2ce"),
    ("csv", "csv/named", "30", "SHA1", 6, None, "a45fddb303a18f8e9e5946622d2bd2ae198e0fb1"),
    ("csv", "csv/unnamed", "60", "SHA1", 8, None, "b0c0025d0b878ff7c18829a9edc3ca45d72e3bcb"),
    ("csv", "csv/unnamed", "30", "SHA256", 6, None, "716a645cef04948c069746b3d6daaeba3253f5776f0022b127d82aae9c5eadee"),
    ("csv", "csv/unnamed", "hotp", "SHA1", 6, None, "a8c324ac760d0e8dfa8bc6db8e13218de3313d5a"),
    ("aegis", "aegis/plain", "30", "SHA1", 6, None, "daff5f5d08811c880cc568ba4d545ff6f6d06616"),
    ("aegis", "aegis/plain", "60", "SHA512", 8, None, "3381e62c92b2a6875c5be336098f781ad521be7d74229bbc3afb35afb2f00f0173ce016ee92f18a2f4a8a513e44fab58f5cd1e6aa4ab26a0264379cadfb5e463"),
    ("aegis", "aegis/plain", "hotp", "SHA256", 7, Some(3), "408e0646cfae0a6b7d557d74751341d5cf70daf6"),
    ("aegis", "aegis/encrypted", "30", "SHA1", 6, None, "daff5f5d08811c880cc568ba4d545ff6f6d06616"),
    ("aegis", "aegis/encrypted", "60", "SHA512", 8, None, "3381e62c92b2a6875c5be336098f781ad521be7d74229bbc3afb35afb2f00f0173ce016ee92f18a2f4a8a513e44fab58f5cd1e6aa4ab26a0264379cadfb5e463"),
    ("aegis", "aegis/encrypted", "hotp", "SHA256", 7, Some(3), "408e0646cfae0a6b7d557d74751341d5cf70daf6"),
    ("privacyidea", "privacyidea/json", "60", "SHA256", 8, Some(29_930_370), "23b4023ab71f4a8de4fe88dff8338a1e4d6fe105a708d74d370f79b659e236f5"),
    ("privacyidea", "privacyidea/json", "hotp", "SHA1", 6, Some(41), "0c61a85f9836c9da48c5f70e2a0c935cfb2d4e27"),
    ("privacyidea", "privacyidea/fernet", "60", "SHA256", 8, Some(29_930_370), "23b4023ab71f4a8de4fe88dff8338a1e4d6fe105a708d74d370f79b659e236f5"),
    ("privacyidea", "privacyidea/fernet", "hotp", "SHA1", 6, Some(41), "0c61a85f9836c9da48c5f70e2a0c935cfb2d4e27"),
    ("privacyidea", "privacyidea/yaml", "60", "SHA256", 8, Some(29_930_370), "23b4023ab71f4a8de4fe88dff8338a1e4d6fe105a708d74d370f79b659e236f5"),
    ("privacyidea", "privacyidea/yaml", "hotp", "SHA1", 6, Some(41), "0c61a85f9836c9da48c5f70e2a0c935cfb2d4e27"),
    ("privacyidea", "privacyidea/list", "60", "SHA1", 6, None, "f087ce497dc2c10fa4454b62768ce66756fa0ae0"),
    ("privacyidea", "privacyidea/list", "30", "SHA1", 8, None, "9811cd88b4d6d5e98242e66e04f31455533f2081"),
    ("freeipa", "freeipa/ldif", "60", "SHA512", 8, Some(29_930_370), "2f0a1c2d74697ab9b103ddbcb1ae203b4a242fa34d0b513fe2e69578a4996daedaf200"),
    ("freeipa", "freeipa/ldif", "hotp", "SHA1", 6, Some(41), "cc993036ad98b081d409c74f6910d4841f8dc3c9"),
];
