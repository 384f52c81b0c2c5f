//! Lists, made from the columns that vendors document.

use totpd_core::factor::Kind;
use totpd_core::otp::Algorithm;

use super::*;
use crate::readers::tests::entries_of;
use crate::reading::{Format, ImportedFactor};

const HEX: &str = "3132333435363738393031323334353637383930";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn read_all(text: &str) -> Vec<Entry> {
    entries_of(Format::Csv, text.as_bytes(), &Rules::at(0))
}

fn factor(entry: &Entry) -> &ImportedFactor {
    match &entry.outcome {
        Outcome::Factor(factor) => factor,
        Outcome::Left(reason) => panic!("{entry:?}: {reason}"),
    }
}

#[test]
fn a_list_with_names_is_read_whatever_their_order() {
    for text in [
        format!(
            "upn,serial number,secret key,time interval,manufacturer,model\r\nalice,T1,{BASE32},60,Acme,M\r\n"
        ),
        format!("\u{feff}Serial Number;Time Step;User;Vendor;Seed (hex)\nT1;60;alice;Acme;{HEX}\n"),
        format!(
            "\"Secret\",\"Period\",\"SN\",\"user\",\"issuer\"\n\"{HEX}\",\"60\",\"T1\",\"alice\",\"Acme\"\n"
        ),
    ] {
        let entries = read_all(&text);
        let entry = &entries[0];
        assert_eq!((entries.len(), entry.owner.as_deref()), (1, Some("alice")), "{text}");
        assert_eq!((&*entry.label, &*entry.issuer, entry.place), ("T1", "Acme", Place::Line(2)));
        let factor = factor(entry);
        assert_eq!(factor.kind, Kind::Totp { period: 60 });
        assert_eq!(factor.seed.bytes(), b"12345678901234567890");
    }
}

#[test]
fn a_list_without_names_starts_with_serial_and_seed() {
    let text =
        format!("T1,{HEX}\nT2,{HEX},60\nT3,{HEX},totp,8,60\nT4,{HEX},HOTP,6\nT5,{HEX},sha256,30\n");
    let entries = read_all(&text);
    let found: Vec<_> = entries
        .iter()
        .map(|entry| {
            let factor = factor(entry);
            (&*entry.label, factor.kind, factor.digits, factor.algorithm)
        })
        .collect();
    let totp = |period| Kind::Totp { period };
    assert_eq!(
        found,
        [
            ("T1", totp(30), 6, Algorithm::Sha1),
            ("T2", totp(60), 6, Algorithm::Sha1),
            ("T3", totp(60), 8, Algorithm::Sha1),
            ("T4", Kind::Hotp, 6, Algorithm::Sha1),
            ("T5", totp(30), 6, Algorithm::Sha256),
        ]
    );
    let told = |index: usize| factor(&entries[index]).changes.len();
    assert_eq!([told(0), told(1), told(3)], [2, 1, 1], "what is assumed is said");
    let rules = Rules { period: Some(60), ..Rules::at(0) };
    let entries = entries_of(Format::Csv, format!("T1,{BASE32}\n").as_bytes(), &rules);
    assert_eq!(factor(&entries[0]).kind, totp(60));
}

#[test]
fn a_row_that_cannot_be_taken_leaves_the_others() {
    let text = format!(
        "serial,seed,type,counter,digits,period\nA,{HEX},totp,,6,30\nB,{HEX}0,totp,,6,30\nC,{HEX},motp,,6,30\n\
         D,{HEX},hotp,99999999999999999999,6,\nE,{HEX},totp,,3,30\nF,{HEX},totp,,6,0\nG,,totp,,6,30\nH\nI,{HEX},hotp,7,8,"
    );
    let entries = read_all(&text);
    let left: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.outcome {
            Outcome::Left(reason) => Some((&*entry.label, reason.clone())),
            Outcome::Factor(_) => None,
        })
        .collect();
    let text = ToOwned::to_owned;
    assert!(
        matches!(&left[0], ("B", Reason::SeedUnreadable(why)) if why.contains("odd")),
        "{left:?}"
    );
    assert_eq!(
        left[1..],
        [
            ("C", Reason::NotOath(text("motp"))),
            ("D", Reason::CounterTooLarge),
            ("E", Reason::Digits(text("3"))),
            ("F", Reason::Period(text("0"))),
            ("G", Reason::NoSeed),
            ("H", Reason::NoSeed),
        ]
    );
    let last = factor(&entries[8]);
    assert_eq!((last.kind, last.last_accepted, last.digits), (Kind::Hotp, Some(6), 8));
    assert_eq!(last.changes, [Change::MayBeCut]);
}

#[test]
fn a_list_without_seeds_is_refused() {
    let result = crate::readers::read(
        Format::Csv,
        b"serial,model,period\nT1,M,60\n",
        None,
        &Rules::at(0),
        &mut |entry| panic!("{entry:?}"),
    );
    assert!(matches!(result, Err(Refusal::Syntax(_))));
}
