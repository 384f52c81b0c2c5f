//! otpauth URIs: whatever label passes the door comes out as a URI that says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_core::factor::{Drift, Factor, FactorId, Kind, Restrictions, Maker, Status};
use totpd_core::otp::Algorithm;
use totpd_core::seed::Seed;
use totpd_formats::otpauth::{check_label, otpauth};

fuzz_target!(|labels: (&str, &str)| {
    let (issuer, account) = labels;
    if check_label(issuer).is_err() || check_label(account).is_err() {
        return;
    }
    let factor = Factor {
        id: FactorId::from_random([1; 5]),
        name: String::new(),
        kind: Kind::Totp { period: 30 },
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::new(vec![7; 20]).unwrap(),
        status: Status::Verified,
        created: 1,
        last_used: None,
        last_accepted: None,
        limits: Restrictions::default(),
        drift: Drift::default(),
        last_place: None,
        made_by: Maker::Root,
        is_imported: false,
    };
    let uri = otpauth(&factor, issuer, account);
    assert!(uri.starts_with("otpauth://totp/") && uri.is_ascii());
    let (label, query) = uri["otpauth://totp/".len()..].split_once('?').unwrap();
    assert!(!label.contains(['/', '?', '#', ' ', '"', '<']), "{label}");
    assert!(query.contains("secret=") && !query.contains('#'));
});
