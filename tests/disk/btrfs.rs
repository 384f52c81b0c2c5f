//! A full Btrfs, which copies what it overwrites unless it is told not to.

use tests::{Machine, pam};

use super::{Disk, FILL, all_log_in, all_log_in_on_a_full_disk, enroll_all};

/// Returns a machine whose /var/lib is a folder of this disk, so that the store can be moved there.
fn machine_on(disk: &Disk) -> Machine {
    let machine = Machine::on_disk(&disk.mounted());
    machine.run("mkdir /disk/lib && mount --bind /disk/lib /var/lib").stdout_ok();
    machine
}

/// Returns the ids of the findings of doctor that are about the store.
fn findings(machine: &Machine) -> Vec<String> {
    let report = machine.run("totpctl --json doctor");
    let ids = report.stdout.split("\"id\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    ids.filter(|id| id.starts_with("store-")).map(str::to_owned).collect()
}

#[test]
fn everybody_logs_in_once_on_a_full_btrfs() {
    all_log_in_on_a_full_disk(&Disk::btrfs(), FILL);
}

/// The package makes a subvolume of the folder, so a snapshot of the system leaves it out.
#[test]
fn everybody_logs_in_after_a_snapshot_of_a_full_btrfs() {
    let disk = Disk::btrfs();
    let machine = machine_on(&disk);
    machine.run("btrfs subvolume create /var/lib/totpd && chmod 700 /var/lib/totpd").stdout_ok();
    let seeds = enroll_all(&machine);
    machine.run(&format!("btrfs subvolume snapshot -r /disk /disk/snapshot; {FILL}"));
    assert!(machine.run("ls /disk/snapshot/lib/totpd").stdout_ok().is_empty());
    assert_eq!(findings(&machine), ["store-disk-full"]);
    all_log_in(&machine, &seeds);
}

#[test]
fn doctor_names_a_snapshot_that_shares_the_store() {
    let disk = Disk::btrfs();
    let machine = machine_on(&disk);
    let seed = machine.enrolled("alice", 1);
    assert!(findings(&machine).is_empty());
    machine.run("btrfs subvolume snapshot -r /disk /disk/snapshot").stdout_ok();
    assert_eq!(findings(&machine), ["store-in-snapshot"]);
    machine.run(FILL);
    let denied = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(denied.rc, pam::AUTHINFO_UNAVAIL, "{denied:#?}");
    machine.run("rm /disk/filler; sync").stdout_ok();
    let login = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!(login.rc, pam::SUCCESS, "{login:#?}");
}

/// The commands are those of docs/admin/store.md.
#[test]
fn doctor_names_a_store_that_is_copied_and_the_page_repairs_it() {
    let disk = Disk::btrfs();
    let machine = machine_on(&disk);
    let seed = machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    machine
        .run(
            "mv /var/lib/totpd /var/lib/marked && mkdir -m 700 /var/lib/totpd && \
             for file in /var/lib/marked/*; do cat $file > /var/lib/totpd/${file##*/}; done && \
             chmod 600 /var/lib/totpd/* && rm -r /var/lib/marked",
        )
        .stdout_ok();
    assert_eq!(findings(&machine), ["store-copy-on-write"]);
    machine.run(FILL);
    let denied = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(denied.rc, pam::AUTHINFO_UNAVAIL, "{denied:#?}");
    machine.run("rm /disk/filler; sync").stdout_ok();

    let page = include_str!("../../docs/admin/store.md");
    let block = page.split("## Btrfs\n").nth(1).unwrap().split("```sh\n").nth(1).unwrap();
    // The machine has no systemd.
    let commands: String = block
        .split("```")
        .next()
        .unwrap()
        .lines()
        .map(|line| format!("{}\n", line.replace("systemctl", "true systemctl")))
        .collect();
    machine.kill_daemon("TERM");
    machine.run(&format!("set -e\n{commands}")).stdout_ok();
    assert!(findings(&machine).is_empty());
    machine.run(FILL);
    let login = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!(login.rc, pam::SUCCESS, "{login:#?}");
}

/// The snapshot has an empty folder in the place of the store.
#[test]
fn a_rolled_back_system_waits_for_its_store() {
    let disk = Disk::btrfs();
    let machine = machine_on(&disk);
    machine.run("btrfs subvolume create /var/lib/totpd && chmod 700 /var/lib/totpd").stdout_ok();
    let seed = machine.enrolled("alice", 1);
    machine
        .run("sed -i -e '1i auth required pam_permit.so' -e 's/pam_totp.so/& nullok/' /etc/pam.d/totp")
        .stdout_ok();
    let skipped = machine.pam("totp", "bob", "").run();
    assert_eq!(skipped.rc, pam::SUCCESS, "{skipped:#?}");

    machine.kill_daemon("TERM");
    machine
        .run("btrfs subvolume snapshot /disk /disk/new && mount --bind /disk/new/lib /var/lib")
        .stdout_ok();
    for (user, code) in [("alice", seed.code()), ("bob", String::new())] {
        let denied = machine.pam("totp", user, &code).run();
        assert_eq!(denied.rc, pam::AUTHINFO_UNAVAIL, "{user}: {denied:#?}");
    }
    assert_eq!(findings(&machine), ["store-left-out"]);
    let daemon = machine.run("/usr/libexec/totpd");
    assert!(daemon.status != 0 && daemon.stderr.contains("rolled back"), "{daemon:#?}");
    assert_eq!(machine.run("ls -A /var/lib/totpd").stdout_ok(), "", "no new store");

    let page = include_str!("../../docs/admin/store.md");
    let block = page.split("```sh\n").find(|block| block.starts_with("mount -o subvolid")).unwrap();
    let block = block.split("```").next().unwrap();
    // The machine has no systemd, and its disk is mounted already.
    let commands = block
        .replace("mount -o", "true mount -o")
        .replace("systemctl", "true systemctl")
        .replace("/mnt/NEW/var/lib", "/disk/new/lib")
        .replace("/mnt/OLD/var/lib", "/disk/lib");
    machine.run(&format!("set -e\n{commands}")).stdout_ok();
    assert!(findings(&machine).is_empty());
    let login = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!(login.rc, pam::SUCCESS, "{login:#?}");
}
