//! A flipped byte of the file leads to a refusal or a right answer, and to nothing else.

use std::fs;

use crate::sqlite::tests::folder::Folder;
use crate::sqlite::tests::host::{Host, is_yes};

const USERS: usize = 20;
const FLIPS: usize = 2000;

#[test]
fn a_flipped_byte_accepts_no_used_code() {
    let folder = Folder::new();
    let host = Host::open(&folder.path()).unwrap();
    let names: Vec<_> = (0..USERS).map(|n| format!("user{n}")).collect();
    for name in &names {
        host.enroll(name).unwrap();
        host.confirm(name).unwrap();
    }
    host.wait(1);
    let used = host.step();
    for name in &names {
        assert!(is_yes(&host.verify(name, used)));
    }
    drop(host);
    folder.file().execute_batch("VACUUM").unwrap();
    let file = folder.path().join("store.db");
    let whole = fs::read(&file).unwrap();

    let (mut refusals, mut right, mut random) = (0, 0, 7_u64);
    let mut draw = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    for round in 0..FLIPS {
        let mut bytes = whole.clone();
        let (at, with) = (draw(bytes.len()), 1 + draw(255) as u8);
        bytes[at] ^= with;
        fs::write(&file, &bytes).unwrap();
        let _ = fs::remove_file(folder.path().join("store.db-wal"));
        let Ok(host) = Host::open(&folder.path()) else {
            refusals += 1;
            continue;
        };
        host.at(used);
        for _ in 0..3 {
            let name = &names[draw(USERS)];
            let again = host.verify(name, used);
            assert!(
                !is_yes(&again),
                "flip {round} at {at} with {with}: {name}'s code is good again"
            );
            match is_yes(&host.verify(name, used + 1)) {
                true => right += 1,
                false => refusals += 1,
            }
            assert!(
                !is_yes(&host.verify(name, used + 1)),
                "flip {round} at {at} with {with}: twice"
            );
        }
    }
    println!("{FLIPS} flips: {right} right answers, {refusals} refusals");
    assert!(right > FLIPS && refusals > 100);
}
