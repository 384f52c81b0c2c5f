//! Containers. The keys, ciphertexts and MACs are those of RFC 6030 (figures 6 and 7); the elements
//! around them are written here, as its section 4 describes them.

use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use super::*;
use crate::readers::read as read_file;
use crate::readers::tests::{entries_of, left_of};
use crate::reading::{Change, Format, ImportedFactor, Outcome, Reason};

const NAMESPACE: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const SHARED_KEY: &str = "12345678901234567890123456789012";
/// 2026-11-27T23:30:10Z.
const NOW: u64 = 1_795_822_210;

fn rules() -> Rules {
    Rules::at(NOW)
}

/// Returns a container without encryption.
fn plain(algorithm: &str, parameters: &str, data: &str, policy: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x --><KeyContainer Version=\"1.0\" xmlns=\"{NAMESPACE}\"><KeyPackage>\
         <DeviceInfo><Manufacturer>TokenVendorAcme</Manufacturer><SerialNo>987654321</SerialNo></DeviceInfo>\
         <Key Id=\"12345678\" Algorithm=\"{NAMESPACE}:{algorithm}\"><Issuer>Issuer &amp; Co</Issuer>{parameters}\
         <Data><Secret><PlainValue>\n MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n</PlainValue></Secret>{data}</Data>\
         <UserId>UID=jsmith,DC=example-bank,DC=net</UserId>{policy}</Key></KeyPackage></KeyContainer>"
    )
}

fn encrypted_value(value: &str) -> String {
    format!(
        "<xenc:EncryptionMethod Algorithm=\"{CBC}\"/><xenc:CipherData><xenc:CipherValue>\n  {value}\n\
         </xenc:CipherValue></xenc:CipherData>"
    )
}

/// Returns a container whose seed is encrypted under this key.
fn encrypted(key: &str, mac_key: &str, seed: &str, mac: &str) -> String {
    format!(
        "<pskc:KeyContainer Version=\"1.0\" xmlns:pskc=\"{NAMESPACE}\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         xmlns:pkcs5=\"x\"><pskc:EncryptionKey>{key}</pskc:EncryptionKey>\
         <pskc:MACMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"><pskc:MACKey>{}</pskc:MACKey></pskc:MACMethod>\
         <pskc:KeyPackage><pskc:DeviceInfo><pskc:SerialNo>987654321</pskc:SerialNo></pskc:DeviceInfo>\
         <pskc:Key Id=\"12345678\" Algorithm=\"{NAMESPACE}:hotp\"><pskc:AlgorithmParameters>\
         <pskc:ResponseFormat Length=\"8\" Encoding=\"DECIMAL\"/></pskc:AlgorithmParameters>\
         <pskc:Data><pskc:Secret><pskc:EncryptedValue>{}</pskc:EncryptedValue><pskc:ValueMAC>{mac}</pskc:ValueMAC></pskc:Secret>\
         <pskc:Counter><pskc:PlainValue>0</pskc:PlainValue></pskc:Counter></pskc:Data></pskc:Key></pskc:KeyPackage></pskc:KeyContainer>",
        encrypted_value(mac_key),
        encrypted_value(seed)
    )
}

/// RFC 6030 figure 6: a key that was handed over before.
fn by_shared_key() -> String {
    encrypted(
        "<ds:KeyName xmlns:ds=\"x\">Pre-shared-key</ds:KeyName>",
        "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX",
        "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv",
        "Su+NvtQfmvfJzF6bmQiJqoLRExc=",
    )
}

/// RFC 6030 figure 7: a key from the passphrase "qwerty".
fn by_passphrase(rounds: &str) -> String {
    encrypted(
        &format!(
            "<DerivedKey><KeyDerivationMethod Algorithm=\"http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2\">\
             <pkcs5:PBKDF2-params><Salt><Specified>Ej7/PEpyEpw=</Specified></Salt><IterationCount>{rounds}</IterationCount>\
             <KeyLength>16</KeyLength><PRF/></pkcs5:PBKDF2-params></KeyDerivationMethod></DerivedKey>"
        ),
        "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx",
        "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f",
        "LP6xMvjtypbfT9PdkJhBZ+D6O4w=",
    )
}

fn read_with(text: &str, passphrase: &str) -> Result<Vec<Entry>, Refusal> {
    let passphrase = Passphrase::new(Zeroizing::new(passphrase.to_owned()));
    let mut entries = Vec::new();
    let mut sink = |entry| entries.push(entry);
    read_file(Format::Pskc, text.as_bytes(), Some(&passphrase), &rules(), &mut sink)
        .map(|_| entries)
}

fn factor(entry: &Entry) -> &ImportedFactor {
    match &entry.outcome {
        Outcome::Factor(factor) => factor,
        Outcome::Left(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_plain_key_is_read_with_what_stands_around_it() {
    let text = plain(
        "totp",
        "<AlgorithmParameters><Suite>HMAC-SHA256</Suite><ResponseFormat Length=\"8\" Encoding=\"DECIMAL\"/></AlgorithmParameters>",
        "<Time><PlainValue>29930370</PlainValue></Time><TimeInterval><PlainValue>60</PlainValue></TimeInterval>\
         <TimeDrift><PlainValue>-4</PlainValue></TimeDrift>",
        "<Policy><StartDate>2006-05-01T00:00:00Z</StartDate><ExpiryDate>2036-05-31T00:00:00Z</ExpiryDate>\
         <PINPolicy MinLength=\"4\"/><KeyUsage>OTP</KeyUsage></Policy>",
    );
    let entries = entries_of(Format::Pskc, text.as_bytes(), &rules());
    let entry = &entries[0];
    assert_eq!(
        (&*entry.label, &*entry.issuer, entry.owner.as_deref()),
        ("987654321", "Issuer & Co", Some("jsmith"))
    );
    let factor = factor(entry);
    assert_eq!(
        (factor.kind, factor.algorithm, factor.digits),
        (Kind::Totp { period: 60 }, Algorithm::Sha256, 8)
    );
    assert_eq!((factor.last_accepted, factor.drift), (Some(29_930_370), -4));
    assert_eq!((factor.not_before, factor.not_after), (Some(1_146_441_600), Some(2_095_804_800)));
    assert_eq!(factor.seed.bytes(), b"12345678901234567890");
    let changes =
        [Change::SettingLeft("PINPolicy".to_owned()), Change::DriftKept(-4), Change::ValidityKept];
    assert_eq!(factor.changes, changes);
}

#[test]
fn a_seed_is_decrypted_by_key_and_by_passphrase() {
    let base64 = data_encoding::BASE64
        .encode(&data_encoding::HEXLOWER.decode(SHARED_KEY.as_bytes()).unwrap());
    for (text, passphrase) in [
        (by_shared_key(), SHARED_KEY),
        (by_shared_key(), &base64),
        (by_passphrase("1000"), "qwerty"),
    ] {
        let entries = read_with(&text, passphrase).unwrap();
        let factor = factor(&entries[0]);
        assert_eq!((factor.kind, factor.digits, factor.last_accepted), (Kind::Hotp, 8, None));
        assert_eq!(factor.seed.bytes(), b"12345678901234567890");
    }
    let mut sink = |entry| panic!("{entry:?}");
    let unasked = read_file(Format::Pskc, by_shared_key().as_bytes(), None, &rules(), &mut sink);
    assert_eq!(unasked, Err(Refusal::WantsPassphrase));
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    for (text, passphrase) in [
        (by_shared_key(), "12345678901234567890123456789013"),
        (by_shared_key(), "qwerty"),
        (by_shared_key(), ""),
        (by_passphrase("1000"), "Qwerty"),
        (by_passphrase("1001"), "qwerty"),
    ] {
        match read_with(&text, passphrase) {
            Err(refusal) => assert_eq!(refusal, Refusal::WrongPassphrase),
            Ok(entries) => assert!(matches!(&entries[0].outcome, Outcome::Left(Reason::Tampered))),
        }
    }
    for (rounds, expected) in
        [("4000000000", Refusal::KdfTooCostly), ("2000001", Refusal::KdfTooCostly)]
    {
        assert_eq!(read_with(&by_passphrase(rounds), "qwerty").unwrap_err(), expected);
    }
    for rounds in ["0", "-1", "x", ""] {
        assert!(
            matches!(read_with(&by_passphrase(rounds), "qwerty"), Err(Refusal::Syntax(_))),
            "{rounds}"
        );
    }
}

#[test]
fn a_change_of_any_byte_gives_no_other_seed() {
    for (good, passphrase) in [(by_shared_key(), SHARED_KEY), (by_passphrase("9"), "x")] {
        for index in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[index] ^= 1;
            let Ok(text) = String::from_utf8(changed) else { continue };
            for entry in read_with(&text, passphrase).unwrap_or_default() {
                if let Outcome::Factor(factor) = entry.outcome {
                    assert_eq!(factor.seed.bytes(), b"12345678901234567890", "{index}");
                }
            }
        }
    }
}

#[test]
fn an_encrypted_seed_without_its_mac_is_left() {
    let without_method = {
        let text = by_shared_key();
        let (start, rest) = text.split_once("<pskc:MACMethod").unwrap();
        format!("{start}{}", rest.split_once("</pskc:MACMethod>").unwrap().1)
    };
    let without_mac =
        by_shared_key().replace("<pskc:ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=</pskc:ValueMAC>", "");
    for text in [without_method, without_mac] {
        let entries = read_with(&text, SHARED_KEY).unwrap();
        assert!(matches!(&entries[0].outcome, Outcome::Left(Reason::NoMac)), "{entries:?}");
    }
    let other = by_shared_key().replace("aes128-cbc", "tripledes-cbc");
    assert!(matches!(read_with(&other, SHARED_KEY), Err(Refusal::UnknownEncryption(_))));
}

#[test]
fn what_is_no_token_is_left() {
    let left = |text: String| left_of(Format::Pskc, text.as_bytes(), &rules());
    let format = |attributes: &str| {
        let parameters =
            format!("<AlgorithmParameters><ResponseFormat {attributes}/></AlgorithmParameters>");
        left(plain("totp", &parameters, "", ""))
    };
    let text = ToOwned::to_owned;
    assert_eq!(left(plain("ocra", "", "", "")), Reason::NotOath(text("ocra")));
    assert_eq!(left(plain("hotp", "", "", "")), Reason::CounterUnknown);
    assert_eq!(format("Length=\"3\""), Reason::Digits(text("3")));
    let interval = "<TimeInterval><PlainValue>0</PlainValue></TimeInterval>";
    assert_eq!(left(plain("totp", "", interval, "")), Reason::Period(text("0")));
    let counter = "<Counter><PlainValue>9223372036854775809</PlainValue></Counter>";
    assert_eq!(left(plain("hotp", "", counter, "")), Reason::CounterTooLarge);
    for reason in [
        format("Length=\"8\" Encoding=\"HEXADECIMAL\""),
        format("Length=\"8\" CheckDigits=\"true\""),
        left(plain("totp", "", "<Secret><PlainValue>MTIz</PlainValue></Secret>", "")),
        left(plain("totp", "", "", "<Policy><KeyUsage>Encrypt</KeyUsage></Policy>")),
        left(plain("totp", "", "", "<Policy><StartDate>soon</StartDate></Policy>")),
    ] {
        assert!(matches!(reason, Reason::Malformed(_)), "{reason}");
    }
    assert_eq!(
        left(plain("totp", "", "", "").replace("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "")),
        Reason::NoSeed
    );
    let unreadable = left(plain("totp", "", "", "").replace("MTIz", "!!!!"));
    assert!(matches!(unreadable, Reason::SeedUnreadable(_)));
    let seconds = format!("<Time><PlainValue>{NOW}</PlainValue></Time>");
    let entries = entries_of(Format::Pskc, plain("totp", "", &seconds, "").as_bytes(), &rules());
    assert_eq!(factor(&entries[0]).changes, [Change::FutureCodesLeft(1)]);
}

/// The form in which privacyIDEA writes a container, with names in lower case.
#[test]
fn a_container_of_privacyidea_has_other_meanings() {
    let text = plain(
        "totp",
        "<AlgorithmParameters><ResponseFormat Length=\"6\" Encoding=\"DECIMAL\"/><Suite hashalgo=\"sha512\"/></AlgorithmParameters>",
        "<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>30</PlainValue></TimeInterval>\
         <Counter><PlainValue>59860740</PlainValue></Counter><TimeDrift><PlainValue>31.5</PlainValue></TimeDrift>",
        "",
    );
    let text = text.replace("Issuer &amp; Co", "privacyidea").to_lowercase();
    let text = text
        .replace(">privacyidea<", ">privacyIDEA<")
        .replace("mtizndu2nzg5mdeymzq1njc4ota=", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=");
    for format in [Format::Pskc, Format::PrivacyIdea] {
        let entries = entries_of(format, text.as_bytes(), &rules());
        let factor = factor(&entries[0]);
        assert_eq!((factor.kind, factor.algorithm), (Kind::Totp { period: 30 }, Algorithm::Sha512));
        assert_eq!((factor.last_accepted, factor.drift), (Some(59_860_740), 2));
    }
}

#[test]
fn hostile_xml_is_refused_whole() {
    let good = plain("totp", "", "", "");
    let doctype =
        |content: &str| good.replace("<!-- x -->", &format!("<!DOCTYPE KeyContainer [{content}]>"));
    let many = "<a/>".repeat(100_000);
    for text in [
        doctype(""),
        doctype("<!ENTITY a \"b\">"),
        doctype("<!ENTITY a SYSTEM \"file:///etc/shadow\">"),
        good.replace("987654321", "&a;"),
        good.replace("987654321", "&#0;"),
        good.replace("987654321", &"9".repeat(100_000)),
        good.replace("987654321", &"<a>".repeat(100_000)),
        good.replace("<DeviceInfo>", &format!("<DeviceInfo>{many}")),
        good.replace("<KeyPackage>", &format!("{many}<KeyPackage>")),
        good.replace("</KeyPackage>", ""),
        good.replace("</KeyContainer>", "</KeyContainer><KeyPackage/>"),
        good.replace("KeyContainer", "Container"),
        "<a/>".to_owned(),
        "x".to_owned(),
        good[..good.len() - 1].to_owned(),
    ] {
        let mut sink = |_| ();
        let result = read_file(Format::Pskc, text.as_bytes(), None, &rules(), &mut sink);
        assert!(
            matches!(result, Err(Refusal::Syntax(_))),
            "{result:?} {}",
            &text[..text.len().min(200)]
        );
    }
    let attributes: String = (0..100_000).map(|number| format!(" a{number}=\"\"")).collect();
    let wide = good.replace("<DeviceInfo>", &format!("<DeviceInfo{attributes}>"));
    assert_eq!(entries_of(Format::Pskc, wide.as_bytes(), &rules()).len(), 1);
}
