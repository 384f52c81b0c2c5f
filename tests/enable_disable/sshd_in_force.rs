//! A host that takes no passwords by ssh: while sshd obeys the drop-in, its stack asks for a code.

use tests::Machine;

use super::sshd_lines::{FILE, INCLUDE, STOCK, asks, exists, with_config};
use super::trial::{cut, start_trial};
use super::{SSHD, assert_refused, ssh};

const ENABLE: &str = "totpctl enable sshd --write-sshd";
const TRY: &str = "totpctl try sshd --write-sshd";
/// What sshd does not know.
const BREAK: &str = "echo 'Nonsense yes' >> /etc/ssh/sshd_config";
const REPAIR: &str = "sed -i /Nonsense/d /etc/ssh/sshd_config";

fn keys_only() -> Machine {
    let machine = with_config(&format!("{INCLUDE}{STOCK}PasswordAuthentication no\n"));
    assert!(!ssh(&machine, ""), "sshd takes no passwords");
    machine
}

fn stack_asks(machine: &Machine) -> bool {
    machine.run(&format!("grep -q pam_totp {SSHD}")).status == 0
}

/// OpenRC's `local` runs after sshd, and an administrator may be later still.
#[test]
fn a_trial_that_is_reverted_after_sshd_started_opens_nothing() {
    let machine = keys_only();
    let mut child = start_trial(&machine, TRY);
    cut(&machine, &["totpctl try sshd", "totpctl try --count-down"]);
    child.wait().unwrap();
    machine
        .run("sed -i 's/\"boot\":\"[^\"]*\"/\"boot\":\"another\"/' /var/lib/totpctl/pending.json")
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    assert!(asks(&machine), "it started with the lines of the trial");
    let undone = machine.run("totpctl try --undo");
    assert!(undone.stderr.contains("and sshd is reloaded."), "{undone:#?}");
    assert!(!exists(&machine) && !stack_asks(&machine));
    assert!(!asks(&machine) && !ssh(&machine, ""), "by a password alone");
}

#[test]
fn a_drop_in_that_stays_in_force_keeps_the_stack() {
    let machine = keys_only();
    machine.run(ENABLE).stdout_ok();
    machine.run(BREAK).stdout_ok();
    let refused = assert_refused(&machine, "totpctl disable sshd", "Bad configuration option");
    assert!(refused.stderr.contains("passwords alone may let users in by ssh"), "{refused:#?}");
    assert!(exists(&machine) && stack_asks(&machine) && !ssh(&machine, ""));
    machine.run(REPAIR).stdout_ok();

    let folder = "/etc/ssh/sshd_config.d";
    machine
        .run(&format!("mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"))
        .stdout_ok();
    let refused = assert_refused(&machine, "totpctl disable sshd", "Read-only file system");
    assert_eq!(refused.stderr.matches("Read-only").count(), 1, "{refused:#?}");
    assert!(exists(&machine) && stack_asks(&machine) && !ssh(&machine, ""));
    machine.run(&format!("umount {folder}")).stdout_ok();

    // The stack cannot be changed: sshd has the file again, and asks.
    machine.run("mkdir -p /etc/pam.d/.sshd.totpctl-undo/x").stdout_ok();
    assert_refused(&machine, "totpctl disable sshd", "cannot change /etc/pam.d/sshd");
    assert!(exists(&machine) && stack_asks(&machine));
    assert!(ssh(&machine, &machine.fresh_code("alice")));
    machine.run("rm -r /etc/pam.d/.sshd.totpctl-undo").stdout_ok();

    let done = machine.run("totpctl disable sshd");
    assert!(done.status == 0 && !exists(&machine) && !stack_asks(&machine), "{done:#?}");
    assert!(!ssh(&machine, ""));
}

/// The trial promises the old stack, and says what that opens.
#[test]
fn a_trial_that_sshd_goes_on_obeying_says_what_that_opens() {
    let machine = keys_only();
    let mut child = start_trial(&machine, TRY);
    machine.run(BREAK).stdout_ok();
    let undone = machine.run("totpctl try --undo");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(undone.status, 1, "{undone:#?}");
    let opens =
        "sshd still obeys the lines of the trial, so that passwords alone may let users in by ssh";
    for told in [&undone.stderr, &machine.run("cat /tmp/tried").stdout] {
        assert!(told.contains(opens) && told.contains("Bad configuration option"), "{told}");
    }
    let json = machine.run("totpctl --json try").stdout_ok();
    assert!(json.contains(&format!("\"warning\":\"{opens}\"")), "{json}");
    assert!(!exists(&machine) && !stack_asks(&machine));
    machine.run(REPAIR).stdout_ok();
    machine.run("kill -HUP $(cat /run/sshd.pid)").stdout_ok();
    tests::eventually("sshd asks no more", || !asks(&machine));

    // A file of sshd that stays is an error, and the stack is as before all the same.
    let mut child = start_trial(&machine, TRY);
    let folder = "/etc/ssh/sshd_config.d";
    machine
        .run(&format!("mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"))
        .stdout_ok();
    let undone = machine.run("totpctl try --undo");
    assert!(undone.status == 1 && undone.stderr.contains(opens), "{undone:#?}");
    assert!(exists(&machine) && !stack_asks(&machine));
    machine.run(&format!("umount {folder}")).stdout_ok();
    machine.run("totpctl try --undo").stdout_ok();
    child.wait().unwrap();
    assert!(!exists(&machine) && !asks(&machine));
}

#[test]
fn a_drop_in_that_was_edited_is_told_with_what_it_opens() {
    let machine = keys_only();
    machine.run(ENABLE).stdout_ok();
    machine.run(&format!("echo '# a remark' >> {FILE}")).stdout_ok();
    let disabled = machine.run("totpctl disable sshd");
    assert_eq!(disabled.status, 0, "{disabled:#?}");
    let told = "Until then, passwords alone let users in by ssh.";
    assert_eq!(disabled.stderr.matches(told).count(), 1, "{disabled:#?}");
    assert!(ssh(&machine, ""));
}
