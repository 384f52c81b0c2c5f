//! What a restore keeps of the store that it replaces.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use totpd_core::factor::{Factor, Kind, Status};
use totpd_core::fixtures::{user, verified};
use totpd_core::record::Record;
use totpd_core::restoration::ReplayFloor;
use totpd_core::user_name::UserName;

use super::folder::Folder;
use crate::conformance::run;
use crate::sqlite::OpenStore;

/// A user with a token of presses that was used up to a counter.
fn token(last_accepted: u64) -> Record {
    let factors = vec![verified(Kind::Hotp, Some(last_accepted))];
    Record { factors, ..Record::new(1000) }
}

fn set(opened: &OpenStore, name: &str, record: &Record) {
    let record = record.clone();
    run(opened.store.update(user(name), move |_, _| ((), Some(record.clone())))).unwrap();
}

fn read(opened: &OpenStore, name: &str) -> Option<Record> {
    run(opened.store.read(user(name))).unwrap()
}

/// Returns the last counter of the only factor, or of a removed one with the same seed.
fn last_accepted(opened: &OpenStore, name: &str) -> Option<u64> {
    let mut record = read(opened, name)?;
    if record.factors.is_empty() {
        record.factors.push(verified(Kind::Hotp, None));
    }
    record.share_used_codes();
    record.factors[0].last_accepted
}

#[test]
fn a_restore_keeps_the_used_codes_of_the_present_store() {
    let folder = Folder::new();
    let opened = folder.opened();
    set(&opened, "alice", &token(40));
    set(&opened, "dave", &token(3));
    // The backup does not know them.
    set(&opened, "bob", &token(50));
    set(&opened, "carol", &Record::new(1000));
    let mut restoring = opened.local.begin_restore().unwrap();
    for name in ["alice", "dave", "erin"] {
        restoring.add(UserName::parse(name).unwrap(), &token(7)).unwrap();
    }
    assert_eq!(restoring.finish(NOW, NOW, || NOW, 1).unwrap().users, 3, "nobody is added");
    for (name, last) in [
        ("alice", Some(40)),
        ("bob", Some(50)),
        ("carol", None),
        ("dave", Some(7)),
        ("erin", Some(7)),
    ] {
        assert_eq!(last_accepted(&opened, name), last, "{name}");
    }
    assert!(read(&opened, "bob").unwrap().factors.is_empty());
    assert!(read(&opened, "carol").is_none(), "nothing to remember");
    assert_eq!(opened.local.enrolled_users().unwrap(), 3);
}

/// A person presses until the restored record is in place.
#[test]
fn a_code_that_is_used_during_a_restore_stays_used() {
    let folder = Folder::new();
    let opened = folder.opened();
    set(&opened, "alice", &token(0));
    let backup = Record {
        factors: vec![Factor { status: Status::Unsynchronized, ..verified(Kind::Hotp, None) }],
        ..Record::new(1000)
    };
    let press = || {
        run(opened.store.update(user("alice"), |record, _| {
            let mut record = record.unwrap();
            let token = &mut record.factors[0];
            if token.status != Status::Verified {
                return (None, Some(record));
            }
            token.last_accepted = token.last_accepted.map(|last| last + 1);
            (token.last_accepted, Some(record))
        }))
    };
    let (first_press, has_pressed) = mpsc::channel();
    let pressed = thread::scope(|scope| {
        let presses = scope.spawn(|| {
            let (mut last, end) = (0, Instant::now() + LONG);
            // No press fails: the thread that writes serves it before or after the swap.
            while let Some(counter) = press().unwrap() {
                assert!(Instant::now() < end, "the restored record never came");
                last = counter;
                let _ = first_press.send(());
            }
            last
        });
        has_pressed.recv_timeout(LONG).unwrap();
        let mut restoring = opened.local.begin_restore().unwrap();
        restoring.add(UserName::parse("alice").unwrap(), &backup).unwrap();
        for number in 0..2000 {
            let name = UserName::parse(&format!("user{number}")).unwrap();
            restoring.add(name, &backup).unwrap();
        }
        restoring.finish(NOW, NOW, || NOW, 1).unwrap();
        presses.join().unwrap()
    });
    assert!(pressed > 0);
    assert_eq!(last_accepted(&opened, "alice"), Some(pressed));
}

/// The clock moves back during the restore. The floor is that of the later time.
#[test]
fn a_restore_reports_the_floor_that_it_set() {
    let folder = Folder::new();
    let opened = folder.opened();
    for (times, floor) in [([NOW, NOW + 40], NOW + 40), ([NOW, NOW - 40], NOW)] {
        let restoring = opened.local.begin_restore().unwrap();
        let report = restoring.finish(NOW, times[0], move || times[1], 1).unwrap();
        assert_eq!(report.floor, ReplayFloor { time: floor, skew: 1 });
        assert_eq!(opened.local.keys().get().floor, Some(report.floor));
    }
}

const NOW: u64 = 30_000;
const LONG: Duration = Duration::from_secs(60);
