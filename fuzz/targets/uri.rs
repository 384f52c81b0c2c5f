//! otpauth URIs: whatever label passes the door comes out as a URI that says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_core::factor::Kind;
use totpd_core::fixtures::verified;
use totpd_formats::export::{check_label, otpauth_uri};

fuzz_target!(|labels: (&str, &str)| {
    let (issuer, account) = labels;
    if check_label(issuer).is_err() || check_label(account).is_err() {
        return;
    }
    let factor = verified(Kind::Totp { period: 30 }, None);
    let uri = otpauth_uri(&factor, issuer, account);
    assert!(uri.starts_with("otpauth://totp/") && uri.is_ascii());
    let (label, query) = uri["otpauth://totp/".len()..].split_once('?').unwrap();
    assert!(!label.contains(['/', '?', '#', ' ', '"', '<']), "{label}");
    assert!(query.contains("secret=") && !query.contains('#'));
});
