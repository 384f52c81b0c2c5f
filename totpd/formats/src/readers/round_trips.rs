//! What is exported here is read here, with the same used codes.

use totpd_core::factor::{Drift, Factor, Kind};
use totpd_core::fixtures::verified;
use totpd_core::otp::Algorithm;

use crate::export;
use crate::readers::tests::{entries_of, factor_of};
use crate::reading::{Format, ImportedFactor, Outcome, Rules};

/// 2026-11-27T23:30:10Z.
const NOW: u64 = 1_795_822_210;

fn rules() -> Rules {
    Rules { utc_offsets: vec![3600], ..Rules::at(NOW) }
}

/// Factors that every format can hold, with used codes and without.
fn factors() -> Vec<Factor> {
    let steps = [None, Some(NOW / 30 - 1), Some(NOW / 30), Some(NOW / 30 + 1)];
    let totp = steps.map(|last| verified(Kind::Totp { period: 30 }, last));
    let hotp = [Some(0), Some(41), Some(1 << 40)].map(|last| verified(Kind::Hotp, last));
    totp.into_iter().chain(hotp).collect()
}

fn check(read: &ImportedFactor, written: &Factor) {
    assert_eq!(read.kind, written.kind);
    assert_eq!((read.algorithm, read.digits), (written.algorithm, written.digits));
    assert_eq!(read.last_accepted, written.last_accepted);
    assert_eq!(read.drift, written.drift.steps());
    assert!(read.seed.is(&written.seed));
}

#[test]
fn google_authenticator() {
    for mut factor in factors() {
        for steps in [0, -3, 5] {
            factor.drift = Drift::from_steps(if factor.kind == Kind::Hotp { 0 } else { steps });
            factor.last_accepted = factor.last_accepted.map(|last| match factor.kind {
                Kind::Hotp => last,
                Kind::Totp { .. } => (NOW / 30).saturating_add_signed(i64::from(steps)),
            });
            let exported = export::google_authenticator(&factor, NOW).unwrap();
            let read = factor_of(Format::GoogleAuthenticator, exported.text.as_bytes(), &rules());
            check(&read, &factor);
        }
    }
}

#[test]
fn oath() {
    for factor in factors() {
        let exported = export::oath(&factor, "alice", NOW, 3600).unwrap();
        let read = factor_of(Format::Oath, exported.text.as_bytes(), &rules());
        check(&read, &factor);
    }
}

#[test]
fn pskc() {
    let mut factors = factors();
    for factor in &mut factors {
        (factor.algorithm, factor.digits) = (Algorithm::Sha512, 8);
        factor.restrictions.not_after = Some(NOW + 7);
        if factor.kind != Kind::Hotp {
            factor.drift = Drift::from_steps(-7);
        }
    }
    let users: Vec<_> = factors.iter().map(|factor| ("a&<b>", factor)).collect();
    let exported = export::pskc(&users);
    let entries = entries_of(Format::Pskc, exported.text.as_bytes(), &rules());
    assert_eq!(entries.len(), factors.len());
    for (entry, factor) in entries.iter().zip(&factors) {
        let Outcome::Factor(read) = &entry.outcome else { panic!("{entry:?}") };
        assert_eq!((entry.owner.as_deref(), read.not_after), (Some("a&<b>"), Some(NOW + 7)));
        check(read, factor);
    }
}

#[test]
fn otpauth() {
    for factor in factors() {
        let link = format!("{}\n", *export::otpauth_uri(&factor, "My Host & Co", "ünï@x"));
        let entries = entries_of(Format::Otpauth, link.as_bytes(), &rules());
        let Outcome::Factor(read) = &entries[0].outcome else { panic!("{entries:?}") };
        assert_eq!((&*entries[0].issuer, &*entries[0].label), ("My Host & Co", "ünï@x"));
        let known = if factor.kind == Kind::Hotp { factor.last_accepted } else { None };
        check(read, &Factor { last_accepted: known, ..factor });
    }
}
