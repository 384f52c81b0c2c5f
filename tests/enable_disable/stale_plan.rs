//! A plan that is made while another command changes the same stacks.

use super::sshd_lines::{FILE, INCLUDE, STOCK, with_config};
use super::trial::start_trial;
use super::*;

/// Runs a command, and `between` between its plan and its lock. Its lock is a pipe, and to open
/// one waits for the other end. Other commands get a lock of their own.
fn run_between(machine: &Machine, command: &str, between: &str) -> Output {
    machine.run(&format!(
        "cd /var/lib/totpctl || exit 9
         rm -f lock; mkfifo lock
         {command} & pid=$!
         end=$((SECONDS + 60))
         until [ \"$(cat /proc/$pid/wchan)\" = wait_for_partner ] || ! [ -e /proc/$pid/exe ]
         do [ $SECONDS -lt $end ] || exit 7; sleep 0.05; done
         mv lock pipe
         ({between}) >/tmp/between 2>&1 || exit 8
         exec 3<pipe
         wait $pid"
    ))
}

fn asking(machine: &Machine) -> String {
    machine.run("cd /etc/pam.d; grep -l pam_totp sudo sudo-i sshd").stdout.replace('\n', " ")
}

fn assert_stale(machine: &Machine, command: &str, between: &str, named: &str) {
    let ran = run_between(machine, command, between);
    assert_eq!(ran.status, 1, "{command}: {ran:#?}");
    let expected = format!("not changed: {named}");
    assert!(ran.text().contains(&expected), "{command}: {ran:#?}");
    assert!(ran.text().contains("changed while this command ran"), "{command}: {ran:#?}");
}

#[test]
fn a_plan_that_another_command_made_wrong_is_refused() {
    let (machine, _) = machine();
    machine.run("mkdir -p /var/lib/totpctl").stdout_ok();
    // The pipe alone changes nothing.
    assert_eq!(run_between(&machine, "totpctl enable sudo", "true").status, 0);
    assert_eq!(asking(&machine), "sudo sudo-i ");
    // The other command is done with one of two files.
    machine.run("sed -i /pam_totp/d /etc/pam.d/sudo").stdout_ok();
    let rest = "sed -i /pam_totp/d /etc/pam.d/sudo-i";
    assert_stale(&machine, "totpctl enable sudo", rest, "the stack of sudo-i was");
    assert_eq!(asking(&machine), "");
    let both = "the stacks of sudo and sudo-i were";
    assert_stale(&machine, "totpctl disable sudo", "totpctl enable sudo", both);
    assert_eq!(asking(&machine), "sudo sudo-i ");
    assert_stale(&machine, "totpctl try sudo", "totpctl disable sudo", both);
    assert_eq!(asking(&machine), "");
    // The files of a trial look as wanted.
    let mut child = start_trial(&machine, "totpctl try sudo");
    assert_stale(&machine, "totpctl enable sudo", "totpctl try --undo", both);
    child.wait().unwrap();
    assert_eq!(asking(&machine), "");
    machine.run("totpctl enable sudo").stdout_ok();
    assert_eq!(asking(&machine), "sudo sudo-i ");
}

#[test]
fn a_plan_for_sshd_fits_its_drop_in_too() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run("totpctl enable sshd --write-sshd").stdout_ok();
    assert_eq!(asking(&machine), "sshd ");
    let edit = format!("echo '# mine' >> {FILE}");
    assert_stale(&machine, "totpctl disable sshd", &edit, FILE);
    let remove = format!("rm {FILE}");
    assert_stale(&machine, "totpctl enable sshd", &remove, FILE);
    assert_eq!(asking(&machine), "sshd ");
}
