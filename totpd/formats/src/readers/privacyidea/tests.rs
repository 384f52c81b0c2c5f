//! Exports, made from what the source of privacyIDEA writes.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use data_encoding::BASE64URL;
use hmac::{Hmac, KeyInit, Mac};
use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use super::*;
use crate::readers::read as read_file;
use crate::readers::tests::entries_of;
use crate::reading::{Format, ImportedFactor, Outcome, Reason};

const HEX: &str = "3132333435363738393031323334353637383930";
/// 2026-11-27T23:30:10Z.
const NOW: u64 = 1_795_822_210;

fn rules() -> Rules {
    Rules::at(NOW)
}

fn factor(entry: &Entry) -> &ImportedFactor {
    match &entry.outcome {
        Outcome::Factor(factor) => factor,
        Outcome::Left(reason) => panic!("{entry:?}: {reason}"),
    }
}

fn json_export() -> String {
    format!(
        "[{{\"serial\":\"TOTP1\",\"type\":\"totp\",\"description\":\"x\",\"otpkey\":\"{HEX}\",\"otplen\":8,\"count\":29930370,\
         \"issuer\":\"privacyIDEA\",\"user\":{{\"login\":\"alice\",\"realm\":\"r\"}},\
         \"info_list\":{{\"hashlib\":\"sha256\",\"timeStep\":\"60\",\"timeShift\":\"-61.5\",\"tokenkind\":\"software\"}}}},\
         {{\"serial\":\"OATH2\",\"type\":\"hotp\",\"otpkey\":\"{HEX}\",\"otplen\":6,\"count\":42,\"user\":null,\"tokeninfo\":{{\"hashlib\":\"sha1\"}}}},\
         {{\"serial\":\"PW3\",\"type\":\"pw\",\"otpkey\":\"topsecret\"}}]"
    )
}

fn check_json(entries: &[Entry]) {
    assert_eq!(entries.len(), 3);
    let totp = factor(&entries[0]);
    assert_eq!((entries[0].owner.as_deref(), &*entries[0].label), (Some("alice"), "TOTP1"));
    assert_eq!(
        (totp.kind, totp.algorithm, totp.digits),
        (Kind::Totp { period: 60 }, Algorithm::Sha256, 8)
    );
    // 61 seconds from the start of the step: one step and a bit behind.
    assert_eq!((totp.last_accepted, totp.drift), (Some(29_930_370), -1));
    let hotp = factor(&entries[1]);
    assert_eq!(
        (hotp.kind, hotp.last_accepted, entries[1].owner.as_deref()),
        (Kind::Hotp, Some(41), None)
    );
    let Outcome::Left(reason) = &entries[2].outcome else { panic!("a password") };
    assert_eq!(*reason, Reason::NotOath("pw".to_owned()));
}

#[test]
fn tokens_of_json_are_read() {
    check_json(&entries_of(Format::PrivacyIdea, json_export().as_bytes(), &rules()));
}

#[test]
fn an_encrypted_export_is_read_with_its_key() {
    let key = [7; 32];
    let mut signed = vec![0x80, 0, 0, 0, 0, 0x6a, 0, 0, 0];
    signed.extend([5; 16]);
    let encryptor = cbc::Encryptor::<aes::Aes128>::new_from_slices(&key[16..], &[5; 16]).unwrap();
    let text = json_export();
    let mut buffer = [text.as_bytes(), &[0; 16]].concat();
    let padded = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, text.len()).unwrap();
    signed.extend(padded);
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key[..16]).unwrap();
    mac.update(&signed);
    signed.extend(mac.finalize().into_bytes());
    let file = BASE64URL.encode(&signed);
    let passphrase = |text: String| Passphrase::new(Zeroizing::new(text));
    let read = |file: &str, passphrase: Option<Passphrase>| {
        let mut entries = Vec::new();
        let mut sink = |entry| entries.push(entry);
        let result = read_file(
            Format::PrivacyIdea,
            file.as_bytes(),
            passphrase.as_ref(),
            &rules(),
            &mut sink,
        );
        result.map(|_| entries)
    };
    check_json(&read(&file, Some(passphrase(BASE64URL.encode(&key)))).unwrap());
    assert_eq!(read(&file, None).unwrap_err(), Refusal::WantsPassphrase);
    let wrong = passphrase(BASE64URL.encode(&[8; 32]));
    assert_eq!(read(&file, Some(wrong)).unwrap_err(), Refusal::WrongPassphrase);
}

#[test]
fn tokens_of_yaml_are_read() {
    let text = format!(
        "- active: true\n  count: 29930370\n  count_window: 10\n  description: 'a: b'\n  info_list:\n    hashlib: sha256\n    \
         timeShift: '30.5'\n    timeStep: '60'\n  otpkey: '{HEX}'\n  otplen: 8\n  owner: alice@realm\n  realms:\n  - realm\n  \
         serial: TOTP1\n  type: totp\n- active: false\n  count: 3\n  info: ''\n  otpkey: '{HEX}'\n  otplen: 6\n  owner: n/a\n  \
         serial: OATH2\n  type: hotp\n- count: 3\n  otpkey: '{HEX}'\n  otplen: 6\n  owner: n/a\n  serial: OATH3\n  type: HOTP\n"
    );
    let entries = entries_of(Format::PrivacyIdea, text.as_bytes(), &rules());
    assert_eq!(entries.len(), 3);
    let totp = factor(&entries[0]);
    assert_eq!(
        (totp.kind, totp.algorithm, totp.digits),
        (Kind::Totp { period: 60 }, Algorithm::Sha256, 8)
    );
    assert_eq!(
        (totp.last_accepted, totp.drift, entries[0].owner.as_deref()),
        (Some(29_930_370), 1, Some("alice"))
    );
    assert!(matches!(&entries[1].outcome, Outcome::Left(Reason::Disabled)));
    let hotp = factor(&entries[2]);
    assert_eq!((hotp.kind, hotp.last_accepted, &*entries[2].label), (Kind::Hotp, Some(2), "OATH3"));
}

#[test]
fn a_list_has_no_counters_so_hotp_is_left() {
    for seed in [HEX, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"] {
        let text = format!(
            "alice@realm, TOTP1, {seed}, totp, 6, 60\nn/a, TOTP2, {seed}, totp, 8, None\nbob@r, OATH3, {seed}, hotp, 6"
        );
        let entries = entries_of(Format::PrivacyIdea, text.as_bytes(), &rules());
        let found: Vec<_> = entries[..2]
            .iter()
            .map(|entry| (entry.owner.as_deref(), factor(entry).kind, factor(entry).digits))
            .collect();
        let totp = |period| Kind::Totp { period };
        assert_eq!(found, [(Some("alice"), totp(60), 6), (None, totp(30), 8)]);
        assert_eq!(factor(&entries[0]).seed.bytes(), b"12345678901234567890");
        assert!(matches!(&entries[2].outcome, Outcome::Left(Reason::CounterUnknown)));
    }
}

#[test]
fn what_is_no_export_is_refused_whole() {
    for text in ["hello", "[{]", "[1]", "{}", "gAAAAA", "[[[[", "<x/>"] {
        let passphrase = Passphrase::new(Zeroizing::new(BASE64URL.encode(&[7; 32])));
        let mut sink = |entry| panic!("{entry:?}");
        let result =
            read_file(Format::PrivacyIdea, text.as_bytes(), Some(&passphrase), &rules(), &mut sink);
        assert!(result.is_err(), "{text}: {result:?}");
    }
}
