//! Entries, made from the schema of FreeIPA and what its server writes.

use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;

use super::*;
use crate::readers::tests::{entries_of, left_of};
use crate::reading::{Format, Outcome};

const TOKENS: &str = "\
# LDAPv3
dn: ipatokenuniqueid=8e2a,cn=otp,dc=example,dc=com
objectClass: top
objectClass: ipatokentotp
objectClass: ipatoken
ipatokenUniqueID: 8e2a
ipatokenOTPkey:: MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=
ipatokenOTPalgorithm: sha256
ipatokenOTPdigits: 8
ipatokenTOTPtimeStep: 60
ipatokenTOTPclockOffset: -61
ipatokenTOTPwatermark: 29930371
ipatokenOwner: uid=alice,cn=users,cn=accounts,dc=example,
 dc=com
ipatokenNotBefore: 20261127233000Z
ipatokenNotAfter: 20271127233000Z

dn: ipatokenuniqueid=77,cn=otp,dc=example,dc=com
objectClass: ipatoken
objectClass: ipatokenHOTP
ipatokenUniqueID: 77
ipatokenOTPkey: 12345678901234567890
ipatokenHOTPcounter: 42
ipatokenOwner: uid=bob,cn=users,cn=accounts,dc=example,dc=com

dn: cn=otp,dc=example,dc=com
objectClass: nsContainer

# search result
search: 2
result: 0 Success
";

#[test]
fn tokens_are_read_with_what_the_server_knows() {
    let entries = entries_of(Format::FreeIpa, TOKENS.as_bytes(), &Rules::at(0));
    assert_eq!(entries.len(), 2);
    let found: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.outcome {
            Outcome::Factor(factor) => (entry.owner.as_deref(), &*entry.label, factor),
            Outcome::Left(reason) => panic!("{reason}"),
        })
        .collect();
    let (owner, label, totp) = &found[0];
    assert_eq!((*owner, *label), (Some("alice"), "8e2a"));
    assert_eq!(
        (totp.kind, totp.algorithm, totp.digits),
        (Kind::Totp { period: 60 }, Algorithm::Sha256, 8)
    );
    // The server adds the offset and divides: 61 seconds behind are two steps of 60.
    assert_eq!((totp.last_accepted, totp.drift), (Some(29_930_370), -2));
    assert_eq!((totp.not_before, totp.not_after), (Some(1_795_822_200), Some(1_827_358_201)));
    assert_eq!(totp.seed.bytes(), b"12345678901234567890");
    let (owner, label, hotp) = &found[1];
    assert_eq!((*owner, *label), (Some("bob"), "77"));
    assert_eq!((hotp.kind, hotp.last_accepted, hotp.digits), (Kind::Hotp, Some(41), 6));
    assert_eq!(hotp.seed.bytes(), b"12345678901234567890");
}

#[test]
fn what_cannot_be_taken_is_left() {
    let with = |from: &str, to: &str| {
        let changed = TOKENS.replacen(from, to, 1);
        assert_ne!(changed, TOKENS);
        let first = changed.split("\n\n").next().unwrap().to_owned();
        left_of(Format::FreeIpa, first.as_bytes(), &Rules::at(0))
    };
    let text = ToOwned::to_owned;
    assert_eq!(with("sha256", "sha384"), Reason::Algorithm(text("sha384")));
    assert_eq!(with("timeStep: 60", "timeStep: 5"), Reason::Period(text("5")));
    assert_eq!(with("digits: 8", "digits: 3"), Reason::Digits(text("3")));
    assert_eq!(
        with("objectClass: ipatokentotp\n", ""),
        Reason::NotOath(text("ipaToken of another type"))
    );
    assert_eq!(with("Offset: -61", "Offset: -3661"), Reason::ClockTooFar(-3720));
    assert_eq!(with("ipatokenOwner", "ipatokenDisabled: TRUE\nipatokenOwner"), Reason::Disabled);
    assert_eq!(with("ipatokenOTPkey:: MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n", ""), Reason::NoSeed);
    for (from, to) in [("29930371", "x"), ("20261127233000Z", "soon"), ("-61", "x")] {
        assert!(matches!(with(from, to), Reason::Malformed(_)), "{to}");
    }
}

#[test]
fn an_owner_is_a_user_only_by_uid() {
    for (name, user) in [
        ("uid=alice,cn=users,dc=example", Some("alice")),
        ("UID = alice ,cn=users", Some("alice")),
        ("cn=alice,cn=users", None),
        ("uid=a\\,b,cn=users", None),
        ("uid=a+cn=b,cn=users", None),
        ("alice", None),
    ] {
        assert_eq!(user_of(name).as_deref(), user, "{name}");
    }
}
