//! The cost of one login on a disk whose flush takes 5 ms, beside the peers. The store and the
//! files of the peers are on that disk.
//!
//! Each has an ext4 of its own on a loop device, whose image is a file of FUSE in memory. FUSE
//! itself would hold each write to a file while that file is flushed, which no disk does.

use std::collections::BTreeMap;

use tests::{Machine, eventually};

use crate::row::{Target, row};
use crate::storms::storm;
use crate::{logins, rounds};

const FLUSH_MICROSECONDS: u64 = 5000;
const USERS: u32 = 2000;
const FOLDERS: [&str; 3] = ["totpd", "ga", "oath"];

pub(crate) fn measure(machine: &Machine) {
    machine.kill_daemon("KILL");
    machine.run("mkdir /device /slow").stdout_ok();
    let mut disk = machine
        .start(&format!("exec /opt/tests/slow_disk /device {FLUSH_MICROSECONDS} >> /tmp/flushes"));
    eventually("the slow disk is mounted", || machine.run("mountpoint -q /device").status == 0);
    // The kernel picks a free loop device, and gives it back when its file system is unmounted.
    let nodes = "test -e /dev/loop-control || mknod /dev/loop-control c 10 237; \
                 for n in $(seq 0 31); do test -e /dev/loop$n || mknod /dev/loop$n b 7 $n; done";
    machine.run(nodes).stdout_ok();
    for folder in FOLDERS {
        let (image, place) = (format!("/device/{folder}/image"), format!("/slow/{folder}"));
        let make = format!(
            "mkdir /device/{folder} {place} && truncate -s 32M {image} && mkfs.ext4 -q {image} && \
             mount -o loop {image} {place} && chmod 700 {place} && rmdir {place}/lost+found"
        );
        machine.run(&make).stdout_ok();
    }
    machine.run("mount --bind /slow/totpd /var/lib/totpd").stdout_ok();
    let seed = machine.generate_users(USERS);
    machine.run("totpctl show crowd0").stdout_ok();
    logins::peers(machine, "slow-", "/slow");
    logins::peers_files(machine, &seed, "/slow", 0);
    let (code, hex) = logins::codes(machine, &seed);
    machine.run(": > /tmp/flushes").stdout_ok();
    let times = logins::series(machine, "-e", |n| {
        vec![
            format!("permit bench-permit crowd{n} x"),
            format!("totp bench-totp crowd{n} {code}"),
            format!("ga bench-slow-ga crowd{n} {code}"),
            format!("oath1 bench-slow-oath1 crowd{n} {hex}"),
        ]
    });
    logins::print("a disk whose flush takes 5 ms", &times);
    let logins = times["totp"].len();
    let flushes = flushes(machine);
    for (folder, label) in FOLDERS.into_iter().zip(["totp", "ga", "oath1"]) {
        let of_this = flushes.get(folder).map_or(&[][..], Vec::as_slice);
        println!("  {label:12}{:>9.2} flushes a login", of_this.len() as f64 / logins as f64);
        assert!(!of_this.is_empty(), "no flush of {folder} reached the slow disk");
        assert!(of_this.iter().all(|took| *took >= FLUSH_MICROSECONDS), "a flush was not slow");
    }
    let ratio = logins::above(&times, "totp") / logins::above(&times, "ga");
    let what =
        "a fresh process, all files on a disk whose flush takes 5 ms / pam_google_authenticator";
    row(what, ratio, "", Target::AtMost(0.1));
    let logins = rounds(400);
    let words = format!("-s {logins} -w 1 -R 100 bench-totp crowd1%03d {}", seed.code());
    let storm = storm(machine, &words);
    assert!(storm["yes"] == f64::from(logins), "{storm:?}");
    let what = "the same disk, 100 logins a second: p99 of a right code";
    row(what, storm["p99"], " ms", Target::AtMost(2.0));
    machine.kill_daemon("KILL");
    let end = "umount /var/lib/totpd /slow/* && rmdir /slow/* /slow && umount /device";
    machine.run(end).stdout_ok();
    assert!(disk.wait().unwrap().success(), "the slow disk failed");
}

/// Returns the microseconds of each flush so far, by the folder of the disk.
fn flushes(machine: &Machine) -> BTreeMap<String, Vec<u64>> {
    let mut flushes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in machine.run("cat /tmp/flushes").stdout_ok().lines() {
        let (folder, took) = line.split_once(' ').unwrap();
        flushes.entry(folder.to_owned()).or_default().push(took.parse().unwrap());
    }
    flushes
}
