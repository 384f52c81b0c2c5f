//! Every reader on changed samples: cut anywhere, changed in any bit, mixed at random.

use std::collections::BTreeSet;

use proptest::prelude::*;
use totpd_core::code::DIGITS;
use totpd_core::factor::{Kind, PERIOD};
use totpd_core::seed::SEED_BYTES;
use zeroize::Zeroizing;

use crate::readers::read;
use crate::reading::line::Line;
use crate::reading::{Entry, Format, Outcome, Passphrase, Refusal, Rules};

/// Format, sample, its passphrase, and whether a MAC covers the seeds.
struct Sample {
    format: Format,
    bytes: &'static [u8],
    passphrase: Option<&'static str>,
    has_mac: bool,
}

macro_rules! sample {
    ($format:ident, $path:literal) => {
        sample!($format, $path, None, false)
    };
    ($format:ident, $path:literal, $passphrase:expr, $has_mac:literal) => {
        Sample {
            format: Format::$format,
            bytes: include_bytes!(concat!("../../../../fuzz/seeds/", $path)),
            passphrase: $passphrase,
            has_mac: $has_mac,
        }
    };
}

const SAMPLES: [Sample; 18] = [
    sample!(Aegis, "aegis/plain"),
    sample!(Aegis, "aegis/encrypted", Some("correct horse"), true),
    sample!(Csv, "csv/named"),
    sample!(Csv, "csv/unnamed"),
    sample!(FreeIpa, "freeipa/ldif"),
    sample!(GoogleAuthenticator, "google_authenticator/totp"),
    sample!(GoogleAuthenticator, "google_authenticator/hotp"),
    sample!(Oath, "oath/usersfile"),
    sample!(Otpauth, "otpauth/links"),
    sample!(OtpauthMigration, "otpauth_migration/links"),
    sample!(PrivacyIdea, "privacyidea/json"),
    sample!(PrivacyIdea, "privacyidea/yaml"),
    sample!(PrivacyIdea, "privacyidea/list"),
    sample!(
        PrivacyIdea,
        "privacyidea/fernet",
        Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        true
    ),
    sample!(Pskc, "pskc/plain"),
    sample!(Pskc, "pskc/passphrase", Some("correct horse"), true),
    sample!(Pskc, "pskc/shared-key", Some("6465666768696a6b6c6d6e6f70717273"), true),
    sample!(Pskc, "pskc/plain", Some("no passphrase is asked for"), false),
];

impl Sample {
    /// Reads other bytes as those of the sample, and checks what every entry promises.
    fn read(&self, bytes: &[u8]) -> Result<Vec<Entry>, Refusal> {
        let passphrase =
            self.passphrase.map(|text| Passphrase::new(Zeroizing::new(text.to_owned())));
        let rules = Rules { utc_offsets: vec![3600], ..Rules::at(1_795_822_210) };
        let mut entries = Vec::new();
        let mut sink = |entry: Entry| entries.push(entry);
        let summary = read(self.format, bytes, passphrase.as_ref(), &rules, &mut sink)?;
        assert_eq!(summary.entries, entries.len() as u64);
        entries.iter().for_each(check);
        Ok(entries)
    }

    /// Returns the seeds that the sample itself has.
    fn seeds(&self) -> BTreeSet<Vec<u8>> {
        seeds(&self.read(self.bytes).unwrap())
    }
}

fn seeds(entries: &[Entry]) -> BTreeSet<Vec<u8>> {
    let factors = entries.iter().filter_map(|entry| match &entry.outcome {
        Outcome::Factor(factor) => Some(factor.seed.bytes().to_vec()),
        Outcome::Left(_) => None,
    });
    factors.collect()
}

fn check(entry: &Entry) {
    assert!(entry.label.chars().count() <= 100 && entry.issuer.chars().count() <= 100);
    if let Outcome::Factor(factor) = &entry.outcome {
        assert!(DIGITS.contains(&factor.digits));
        assert!(SEED_BYTES.contains(&factor.seed.bytes().len()));
        if let Kind::Totp { period } = factor.kind {
            assert!(PERIOD.contains(&period));
        }
    }
    // What is written for the pipe is believed at its other end.
    let line = Line::Entry(Box::new(entry.clone()));
    let text = line.text();
    assert_eq!(*Line::parse(&text).unwrap().text(), *text);
}

#[test]
fn a_file_that_is_cut_gives_no_other_seed_under_a_mac() {
    for sample in &SAMPLES {
        let known = sample.seeds();
        assert!(!known.is_empty());
        for length in 0..sample.bytes.len() {
            let read = sample.read(&sample.bytes[..length]).unwrap_or_default();
            assert!(
                !sample.has_mac || seeds(&read).is_subset(&known),
                "{:?} {length}",
                sample.format
            );
        }
    }
}

#[test]
fn a_change_of_any_bit_gives_no_other_seed_under_a_mac() {
    for sample in &SAMPLES {
        let known = sample.seeds();
        for bit in 0..sample.bytes.len() * 8 {
            let mut bytes = sample.bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = sample.read(&bytes).unwrap_or_default();
            assert!(!sample.has_mac || seeds(&read).is_subset(&known), "{:?} {bit}", sample.format);
        }
    }
}

#[test]
fn a_sample_is_the_same_in_other_encodings() {
    for sample in SAMPLES.iter().filter(|sample| !sample.has_mac) {
        let text = std::str::from_utf8(sample.bytes).unwrap();
        let unix = text.replace("\r\n", "\n");
        let utf16 = |mark: char| -> Vec<u8> {
            let units = std::iter::once('\u{feff}').chain(text.chars()).collect::<String>();
            let units = units.encode_utf16();
            units
                .flat_map(|unit| if mark == 'l' { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect()
        };
        for other in [
            unix.clone().into_bytes(),
            unix.replace('\n', "\r\n").into_bytes(),
            format!("\u{feff}{text}").into_bytes(),
            utf16('l'),
            utf16('b'),
        ] {
            assert_eq!(seeds(&sample.read(&other).unwrap()), sample.seeds(), "{:?}", sample.format);
        }
        let with_nul = format!("{text}\0");
        assert_eq!(sample.read(with_nul.as_bytes()).unwrap_err(), Refusal::Nul);
    }
}

#[test]
fn every_size_limit_holds() {
    for format in Format::ALL {
        let sample = SAMPLES.iter().find(|sample| sample.format == format).unwrap();
        let bytes = vec![b'\n'; format.max_bytes() + 1];
        assert_eq!(sample.read(&bytes).unwrap_err(), Refusal::TooLarge(format.max_bytes() as u64));
        assert_eq!(sample.read(b"").unwrap_err(), Refusal::Empty);
        assert!(sample.read(b" \r\n").is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mixed_samples_do_no_harm(
        first in 0..SAMPLES.len(),
        second in 0..SAMPLES.len(),
        (start, end, at) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        junk in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let (sample, other) = (&SAMPLES[first], &SAMPLES[second]);
        let (start, end) = (start.index(other.bytes.len()), end.index(other.bytes.len()));
        let piece = &other.bytes[start.min(end)..start.max(end)];
        let (head, tail) = sample.bytes.split_at(at.index(sample.bytes.len()));
        let _ = sample.read(&[head, piece, &junk, tail].concat());
    }
}
