//! Rows and witnesses that are missing, torn, foreign, or of another format.

use std::fs;

use totpd_core::mark::WITNESS_BYTES;

use super::place::Place;
use super::rows;
use crate::sqlite::tests::host::{Host, is_yes};

const NAMES: [&str; 2] = ["mark", "void windows"];

/// Returns a host that was cut off while somebody leaned, with the rows of a mark and of a window.
fn cut_off() -> (Place, u64) {
    let place = Place::new(1);
    let host = place.open();
    host.prompt();
    assert!(is_yes(&host.verify("user0", host.step())));
    drop(host);
    fs::remove_file(place.witness().join("last")).unwrap();
    // The window of that mark, and another mark.
    let host = place.open();
    host.at(host.step() + 3);
    host.prompt();
    let step = host.step();
    assert!(is_yes(&host.verify("user0", step)));
    let kept = rows(&host);
    assert!(kept.mark.is_some() && kept.windows.iter().count() == 1, "{kept:?}");
    drop(host);
    (place, step)
}

fn sql(place: &Place, sql: &str, parameters: impl rusqlite::Params) {
    let file = rusqlite::Connection::open(place.store().join("store.db")).unwrap();
    file.execute(sql, parameters).unwrap();
}

fn value(place: &Place, name: &str) -> Vec<u8> {
    let file = rusqlite::Connection::open(place.store().join("store.db")).unwrap();
    file.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).unwrap()
}

#[test]
fn a_bad_row_is_refused_and_a_missing_one_is_none() {
    let (other, _) = cut_off();
    for name in NAMES {
        let (place, _) = cut_off();
        let good = value(&place, name);
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let mut future = good.clone();
        future[0] ^= 0xff;
        let swapped = value(&place, NAMES.iter().find(|other| **other != name).unwrap());
        for (what, bad) in [
            ("torn", good[..good.len() / 2].to_vec()),
            ("empty", Vec::new()),
            ("flipped", flipped),
            ("of a future format", future),
            ("longer", [good.as_slice(), &[0]].concat()),
            ("of another key", value(&other, name)),
            ("the other row", swapped),
        ] {
            sql(&place, "UPDATE meta SET value = ?2 WHERE name = ?1", (name, bad));
            let refusal = Host::open(&place.store()).err().map(|error| error.to_string());
            let refusal = refusal.unwrap_or_else(|| panic!("{name}, {what}: it opens"));
            assert!(refusal.contains("its sealed metadata was changed"), "{what}: {refusal}");
        }
        // Somebody who can remove a row can put an old file there, too.
        sql(&place, "DELETE FROM meta WHERE name = ?1", [name]);
        let host = place.open();
        assert!(rows(&host).mark.is_none());
        host.wait(20);
        assert!(is_yes(&host.verify("user0", host.step())));
    }
}

#[test]
fn a_bad_witness_is_none() {
    let good = |place: &Place| fs::read(place.witness().join("last")).unwrap();
    let future = |mut bytes: Vec<u8>| {
        bytes[b"totpd witness ".len()] = b'2';
        bytes
    };
    let (other, _) = cut_off();
    for (what, bad) in [
        ("empty", Box::new(|_| Vec::new()) as Box<dyn Fn(Vec<u8>) -> Vec<u8>>),
        ("too short", Box::new(|bytes: Vec<u8>| bytes[..WITNESS_BYTES - 1].to_vec())),
        ("too long", Box::new(|bytes: Vec<u8>| [bytes.as_slice(), &[0]].concat())),
        ("of a future format", Box::new(future)),
        ("zeros", Box::new(|bytes: Vec<u8>| vec![0; bytes.len()])),
        ("of another run", Box::new(move |_| good(&other))),
    ] {
        let (place, step) = cut_off();
        fs::write(place.witness().join("last"), bad(good(&place))).unwrap();
        let host = place.open();
        assert_eq!(rows(&host).windows.iter().count(), 2, "{what}");
        host.at(step);
        assert!(!is_yes(&host.verify("user0", step)), "{what}");
        host.at(step + 3);
        assert!(is_yes(&host.verify("user0", step + 3)), "{what}");
    }
    let (place, step) = cut_off();
    let host = place.open();
    assert_eq!(rows(&host).windows.iter().count(), 1, "nothing was lost");
    host.at(step + 1);
    assert!(is_yes(&host.verify("user0", step + 1)));
}
