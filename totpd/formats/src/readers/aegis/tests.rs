//! Vaults. The plain one is made from the documented layout, with seeds of its published sample;
//! the encrypted ones are made here as documented, under a cheap scrypt.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use data_encoding::{BASE64, HEXLOWER};
use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use super::*;
use crate::readers::read as read_file;
use crate::readers::tests::entries_of;
use crate::reading::{Format, ImportedFactor, Outcome};

/// Returns an entry of this type and info.
fn entry(kind: &str, info: &str) -> String {
    format!(
        "{{\"type\":\"{kind}\",\"uuid\":\"3ae6f1ad-2e65-4ed2-a953-1ec0dff2386d\",\"name\":\"Mason\",\
         \"issuer\":\"Deno\",\"icon\":null,\"info\":{{{info}}}}}"
    )
}

fn content() -> String {
    let entries = [
        entry(
            "totp",
            "\"secret\":\"4SJHB4GSD43FZBAI7C2HLRJGPQ\",\"algo\":\"SHA1\",\"digits\":6,\"period\":30",
        ),
        entry(
            "totp",
            "\"secret\":\"5OM4WOOGPLQEF6UGN3CPEOOLWU\",\"algo\":\"SHA256\",\"digits\":7,\"period\":20",
        ),
        entry(
            "hotp",
            "\"secret\":\"5VAML3X35THCEBVRLV24CGBKOY\",\"algo\":\"SHA512\",\"digits\":8,\"counter\":10300",
        ),
        entry(
            "steam",
            "\"secret\":\"JRZCL47CMXVOQMNPZR2F7J4RGI\",\"algo\":\"SHA1\",\"digits\":5,\"period\":30",
        ),
        entry(
            "motp",
            "\"secret\":\"JRZCL47CMXVOQMNPZR2F7J4RGI\",\"algo\":\"MD5\",\"digits\":6,\"period\":10,\"pin\":\"1234\"",
        ),
        entry("hotp", "\"secret\":\"5VAML3X35THCEBVRLV24CGBKOY\",\"algo\":\"SHA1\",\"digits\":6"),
    ];
    format!("{{\"version\":3,\"entries\":[{}],\"groups\":[]}}", entries.join(","))
}

fn plain() -> String {
    format!("{{\"version\":1,\"header\":{{\"slots\":null,\"params\":null}},\"db\":{}}}", content())
}

/// Encrypts as the app does, and returns ciphertext, nonce and tag.
fn seal(key: [u8; 32], text: &[u8]) -> (Vec<u8>, String, String) {
    let nonce = [5; 12];
    let mut buffer = text.to_vec();
    let cipher = Aes256Gcm::new(&key.into());
    let tag =
        cipher.encrypt_inout_detached(&nonce.into(), b"", buffer.as_mut_slice().into()).unwrap();
    (buffer, HEXLOWER.encode(&nonce), HEXLOWER.encode(&tag))
}

/// Returns a vault under "test", with these costs of scrypt in its slot.
fn sealed(n: u64, r: u32, p: u32) -> String {
    let salt = [3; 32];
    let mut key = [0; 32];
    let params = scrypt::Params::new(4, 8, 1).unwrap();
    scrypt::scrypt(b"test", &salt, &params, &mut key).unwrap();
    let (wrapped, key_nonce, key_tag) = seal(key, &[9; 32]);
    let (db, nonce, tag) = seal([9; 32], content().as_bytes());
    let slot = format!(
        "{{\"type\":1,\"uuid\":\"x\",\"key\":\"{}\",\"key_params\":{{\"nonce\":\"{key_nonce}\",\"tag\":\"{key_tag}\"}},\
         \"n\":{n},\"r\":{r},\"p\":{p},\"salt\":\"{}\",\"repaired\":true}}",
        HEXLOWER.encode(&wrapped),
        HEXLOWER.encode(&salt)
    );
    // The app writes the slash of base64 with a backslash.
    let db = BASE64.encode(&db).replace('/', "\\/");
    format!(
        "{{\"version\":1,\"header\":{{\"slots\":[{slot}],\"params\":{{\"nonce\":\"{nonce}\",\"tag\":\"{tag}\"}}}},\"db\":\"{db}\"}}"
    )
}

fn read_sealed(text: &str, passphrase: Option<&str>) -> Result<Vec<Entry>, Refusal> {
    let passphrase = passphrase.map(|text| Passphrase::new(Zeroizing::new(text.to_owned())));
    let mut entries = Vec::new();
    let format = Format::Aegis;
    read_file(format, text.as_bytes(), passphrase.as_ref(), &Rules::at(0), &mut |entry| {
        entries.push(entry)
    })
    .map(|_| entries)
}

fn check(entries: &[Entry]) {
    let factors: Vec<&ImportedFactor> = entries
        .iter()
        .filter_map(|entry| match &entry.outcome {
            Outcome::Factor(factor) => Some(&**factor),
            Outcome::Left(_) => None,
        })
        .collect();
    let found: Vec<_> = factors
        .iter()
        .map(|factor| (factor.kind, factor.algorithm, factor.digits, factor.last_accepted))
        .collect();
    assert_eq!(
        found,
        [
            (Kind::Totp { period: 30 }, Algorithm::Sha1, 6, None),
            (Kind::Totp { period: 20 }, Algorithm::Sha256, 7, None),
            (Kind::Hotp, Algorithm::Sha512, 8, Some(10_300)),
        ]
    );
    assert_eq!(&*factors[0].seed.base32(), "4SJHB4GSD43FZBAI7C2HLRJGPQ");
    let left: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.outcome {
            Outcome::Left(reason) => Some((entry.place, reason.clone())),
            Outcome::Factor(_) => None,
        })
        .collect();
    assert_eq!(
        left,
        [
            (Place::Entry(4), Reason::NotOath("steam".to_owned())),
            (Place::Entry(5), Reason::NotOath("motp".to_owned())),
            (Place::Entry(6), Reason::CounterUnknown),
        ]
    );
}

#[test]
fn a_plain_vault_is_read() {
    let entries = entries_of(Format::Aegis, plain().as_bytes(), &Rules::at(0));
    assert_eq!((&*entries[0].label, &*entries[0].issuer), ("Mason", "Deno"));
    check(&entries);
}

#[test]
fn an_encrypted_vault_is_read_with_its_passphrase() {
    check(&read_sealed(&sealed(16, 8, 1), Some("test")).unwrap());
    assert_eq!(read_sealed(&sealed(16, 8, 1), None).unwrap_err(), Refusal::WantsPassphrase);
    assert_eq!(read_sealed(&sealed(16, 8, 1), Some("Test")).unwrap_err(), Refusal::WrongPassphrase);
}

#[test]
fn a_change_of_any_byte_is_seen() {
    let good = sealed(16, 8, 1);
    for index in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[index] ^= 1;
        let Ok(text) = String::from_utf8(changed) else { continue };
        // What is not encrypted says nothing of a seed. So whatever is read is what was there.
        if let Ok(entries) = read_sealed(&text, Some("test")) {
            check(&entries);
        }
    }
}

#[test]
fn costs_of_a_hostile_file_are_refused() {
    for (n, r, p) in [(1 << 20, 8, 1), (16, 1 << 30, 1), (16, 8, 1000), (1 << 63, 2, 1)] {
        let refusal = read_sealed(&sealed(n, r, p), Some("test")).unwrap_err();
        assert_eq!(refusal, Refusal::KdfTooCostly, "{n} {r} {p}");
    }
    for (n, r, p) in [(0, 8, 1), (17, 8, 1), (16, 0, 1), (16, 8, 0)] {
        let refusal = read_sealed(&sealed(n, r, p), Some("test")).unwrap_err();
        assert!(matches!(refusal, Refusal::Syntax(_)), "{n} {r} {p}: {refusal}");
    }
}

#[test]
fn what_is_no_vault_is_refused_whole() {
    let deep = "[".repeat(100_000);
    let plain = plain();
    for text in [
        deep.clone(),
        plain.replace("\"entries\":[", &format!("\"x\":{deep},\"entries\":[")),
        plain[..plain.len() - 1].to_owned(),
        plain.replace("\"version\":1", "\"version\":2"),
        plain.replace("\"version\":3", "\"version\":4"),
        plain.replacen("\"secret\":", "\"secret\":\"A\",\"secret\":", 1),
        plain.replace("\"type\":\"steam\",", ""),
        sealed(16, 8, 1).replace("\"type\":1", "\"type\":2"),
        "{\"version\":1,\"header\":{\"slots\":[],\"params\":null},\"db\":\"\"}".to_owned(),
    ] {
        assert!(read_sealed(&text, Some("test")).is_err(), "{}", &text[..60]);
    }
}
