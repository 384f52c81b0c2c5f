#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    dead_code,
    reason = "a generator"
)]
//! `generate_store FOLDER USERS [SEED]`: makes a store with so many users, each with a phone. With
//! a seed (base32) they are crowd0, crowd1, …, of the uids from 100000 on, and all have that seed.

use std::path::Path;

use totpd_core::factor::{Factor, Kind};
use totpd_core::fixtures::verified;
use totpd_core::record::Record;
use totpd_core::seed::Seed;
use totpd_core::user_name::UserName;
use totpd_store::Owner;
use totpd_store::sqlite::{Local, OpenStore};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |users: &String| users.parse().expect("a number of users");
    match arguments.as_slice() {
        [folder, users] => {
            generate(Path::new(folder), number(users));
        }
        [folder, users, seed] => crowd(Path::new(folder), number(users), seed),
        _ => println!("usage: generate_store FOLDER USERS [SEED]"),
    }
}

/// Makes it, and opens it.
pub(crate) fn generate(folder: &Path, users: u32) -> OpenStore {
    let opened = open(folder);
    let mut restoring = opened.local.begin_restore().expect("room for a store");
    for user in 0..users {
        restoring.add(name(user), &record(user)).expect("a record");
    }
    restoring.finish(0, 0, || 0, 0).expect("the store in its place");
    opened
}

pub(crate) fn open(folder: &Path) -> OpenStore {
    let owner = Owner::from_uid(nix::unistd::geteuid().as_raw());
    Local::open(folder, None, None, owner).expect("a store")
}

/// Users of one seed.
fn crowd(folder: &Path, users: u32, seed: &str) {
    let seed = data_encoding::BASE32.decode(seed.as_bytes()).expect("base32");
    let opened = open(folder);
    let mut restoring = opened.local.begin_restore().expect("room for a store");
    // In name order.
    let mut numbers: Vec<_> = (0..users).map(|n| (format!("crowd{n}"), n)).collect();
    numbers.sort();
    for (name, number) in numbers {
        let mut record = record(100_000 + number);
        for factor in &mut record.factors {
            factor.seed = Seed::new(seed.clone()).expect("a seed");
        }
        restoring.add(UserName::parse(&name).expect("a name"), &record).expect("a record");
    }
    restoring.finish(0, 0, || 0, 0).expect("the store in its place");
}

pub(crate) fn name(user: u32) -> UserName {
    UserName::parse(&format!("user{user:07}")).expect("a name")
}

pub(crate) fn record(user: u32) -> Record {
    let mut record = Record::new(user);
    record.factors.push(Factor {
        name: "phone".into(),
        seed: Seed::random(20, getrandom::fill).expect("a seed"),
        ..verified(Kind::Totp { period: 30 }, None)
    });
    record
}
