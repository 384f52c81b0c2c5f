//! A disk that is full, and one that is slow.

use std::path::Path;
use std::process::Command;

use tests::{Machine, Seed, eventually, pam};

mod btrfs;

/// A real file system on a loop device, mounted at the place of /disk in the machine.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// Makes one with this program, of the least size that it takes.
    fn new(mkfs: &[&str], size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let disk = Self { folder };
        run("truncate", &["-s", size], &image);
        run(mkfs[0], &mkfs[1..], &image);
        std::fs::create_dir(disk.mounted()).unwrap();
        let mounted =
            Command::new("mount").args(["-o", "loop"]).args([&image, &disk.mounted()]).status();
        assert!(mounted.unwrap().success());
        disk
    }

    fn ext4() -> Self {
        Self::new(&["/sbin/mkfs.ext4", "-q", "-F"], "16M")
    }

    fn btrfs() -> Self {
        Self::new(&["/sbin/mkfs.btrfs", "-q"], "256M")
    }

    fn xfs() -> Self {
        Self::new(&["/sbin/mkfs.xfs", "-q"], "320M")
    }

    fn mounted(&self) -> std::path::PathBuf {
        self.folder.path().join("disk")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.mounted()).status();
        assert!(unmounted.unwrap().success());
    }
}

fn run(program: &str, arguments: &[&str], file: &Path) {
    let ran = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(ran.status.success(), "{program}: {ran:?}");
}

const USERS: u32 = 200;

/// Fills the disk to its last block.
const FILL: &str = "dd if=/dev/zero of=/disk/filler bs=64k 2>/dev/null; \
                    while dd if=/dev/zero of=/disk/filler bs=512 count=1 oflag=append conv=notrunc 2>/dev/null; do :; done; \
                    sync";

/// Returns a machine with its store on this disk, and the seeds of its users.
fn with_users_on(disk: &Disk) -> (Machine, Vec<Seed>) {
    let machine = Machine::on_disk(&disk.mounted());
    machine
        .run("mkdir -m 700 /disk/totpd && mkdir -m 777 /disk/others && mount --bind /disk/totpd /var/lib/totpd")
        .stdout_ok();
    let seeds = enroll_all(&machine);
    (machine, seeds)
}

fn enroll_all(machine: &Machine) -> Vec<Seed> {
    let users: String =
        (0..USERS).map(|n| format!("full{n}:x:{}:100::/:/bin/sh\n", 30_000 + n)).collect();
    machine.run_with_input("cat >> /etc/passwd", &users).stdout_ok();
    let mut numbers = (0..).filter(|number| Seed::numbered(*number).has_distinct_codes());
    (0..USERS).map(|n| machine.enrolled(&format!("full{n}"), numbers.next().unwrap())).collect()
}

/// Lets two hundred users log in once each, none twice. Then it kills the daemon, and does the same
/// again.
fn all_log_in(machine: &Machine, seeds: &[Seed]) {
    for round in 0..2 {
        for (n, seed) in seeds.iter().enumerate() {
            let user = format!("full{n}");
            let code = if round == 0 { seed.code() } else { seed.next_code() };
            let first = machine.pam("totp", &user, &code).run();
            if first.rc != pam::SUCCESS {
                let records = machine.log();
                let about = records.lines().filter(|line| line.contains(&user));
                panic!("{user} in round {round}: {first:#?}\n{:#?}", about.collect::<Vec<_>>());
            }
            let second = machine.pam("totp", &user, &code).run();
            assert_eq!(second.rc, pam::AUTH_ERR, "{user} in round {round}: {second:#?}");
        }
        machine.kill_daemon("KILL");
    }
}

/// Lets all users log in on a full disk, and enrolls nobody before there is space.
fn all_log_in_on_a_full_disk(disk: &Disk, fill: &str) {
    let (machine, seeds) = with_users_on(disk);
    machine.run(fill);
    all_log_in(&machine, &seeds);
    let refused = machine.run("totpctl enroll carol --qr none");
    assert_eq!(refused.status, 1, "{refused:#?}");
    assert!(refused.stderr.contains("/var/lib/totpd is full"), "{refused:#?}");
    assert!(refused.stderr.contains("free some space"), "{refused:#?}");
    assert!(machine.run("totpctl show carol").stdout_ok().contains("not enrolled"));
    let daemon = machine.daemon();
    machine.run("rm /disk/others/filler /disk/filler; sync");
    let enrolled = machine.run("totpctl enroll carol --no-confirm --qr none");
    assert_eq!(enrolled.status, 0, "{enrolled:#?}");
    assert_eq!(machine.daemon(), daemon, "without a restart");
}

#[test]
fn everybody_logs_in_once_on_a_disk_full_for_all_but_root() {
    all_log_in_on_a_full_disk(
        &Disk::ext4(),
        "setpriv --reuid alice --clear-groups sh -c 'cat /dev/zero > /disk/others/filler' 2>/dev/null",
    );
}

#[test]
fn everybody_logs_in_once_on_a_disk_full_for_root_too() {
    all_log_in_on_a_full_disk(&Disk::ext4(), FILL);
}

#[test]
fn everybody_logs_in_once_on_a_full_xfs() {
    all_log_in_on_a_full_disk(&Disk::xfs(), FILL);
}

/// Starts the daemon on a disk that takes three seconds for each flush from then on.
fn stalled() -> (Machine, std::process::Child) {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    let daemon = machine.start(
        "LD_PRELOAD=/opt/tests/faults.so FAULT_FOLDER=/var/lib/totpd FAULT_STALL=3000 exec /usr/libexec/totpd",
    );
    eventually("the daemon is on the bus", || machine.owns_its_name());
    // Restarting the log takes another flush.
    machine.pam("totp", "alice", "000000").run();
    machine.run("touch /var/lib/totpd/stall").stdout_ok();
    (machine, daemon)
}

#[test]
fn a_slow_flush_delays_no_prompt_and_each_attempt_ends() {
    let (machine, mut daemon) = stalled();
    let flood = machine.run("/opt/tests/user_flood 1000 alice");
    let said = flood.stdout_ok();
    println!("{said}");
    let number = |key: &str| -> u32 {
        let line = said.lines().find_map(|line| line.strip_prefix(key));
        line.map_or(0, |line| line.trim().parse().unwrap())
    };
    assert_eq!(number("denied:") + number("StoreUnavailable:"), 1000, "{said}");
    assert!(number("denied:") >= 1, "{said}");
    for question in ["Begin: ", "GetUser: "] {
        let line = said.lines().find(|line| line.starts_with(question)).unwrap();
        let median = line.split("median ").nth(1).unwrap().split(' ').next().unwrap();
        // A flush takes sixty times as long.
        assert!(median.parse::<f64>().unwrap() < 50.0, "{said}");
    }
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
}

#[test]
fn a_code_whose_answer_came_too_late_stays_used() {
    let (machine, mut daemon) = stalled();
    let seed = Seed::numbered(1);
    let code = seed.code();
    // One flush is under way and the attempt waits for the next: too long for the module.
    let mut first = machine.start("/opt/tests/pam totp nobody 123456");
    let late = machine.pam("totp", "alice", &code).run();
    first.wait().unwrap();
    if late.rc != pam::SUCCESS {
        assert_eq!(late.rc, pam::AUTHINFO_UNAVAIL, "{late:#?}");
    }
    machine.run("rm /var/lib/totpd/stall").stdout_ok();
    // The change was committed by now, or never will be. The code is good at most once in all.
    let mut yes = u32::from(late.rc == pam::SUCCESS);
    for _ in 0..2 {
        let again = machine.pam("totp", "alice", &code).run();
        yes += u32::from(again.rc == pam::SUCCESS);
    }
    assert!(yes <= 1, "{late:#?}");
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
}
