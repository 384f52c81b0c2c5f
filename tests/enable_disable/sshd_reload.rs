//! Whether the sshd that runs has read the drop-in, and who needs it.

use tests::{Machine, eventually};

use super::sshd_lines::{FILE, INCLUDE, STOCK, asks, configure, exists, with_config};
use super::trial::start_trial;
use super::{SSHD, assert_refused, ssh};

const ENABLE: &str = "totpctl enable sshd --write-sshd";

fn stack_asks(machine: &Machine) -> bool {
    machine.run(&format!("grep -q pam_totp {SSHD}")).status == 0
}

/// Ends the sshd that runs, and starts another.
fn restart(machine: &Machine, command: &str) {
    machine.run("pkill -x sshd; while pgrep -x sshd; do sleep 0.1; done").stdout_ok();
    machine.run(command).stdout_ok();
}

#[test]
fn each_sshd_that_listens_reads_the_lines() {
    let machine = with_config(&format!("{INCLUDE}PidFile none\n{STOCK}"));
    restart(&machine, "/usr/sbin/sshd; /usr/sbin/sshd -p 2222");
    eventually("both listen", || machine.run("pgrep -fc '[l]istener'").stdout.trim() == "2");
    let image = "for pid in $(pgrep -f '[l]istener'); do md5sum /proc/$pid/auxv; done | sort";
    let before = machine.run(image).stdout_ok();
    let done = machine.run(ENABLE);
    assert!(done.stderr.contains("is written, and sshd is reloaded."), "{done:#?}");
    assert!(asks(&machine), "at once");
    let after = machine.run(image).stdout_ok();
    assert_eq!(after.lines().count(), 2, "{after}");
    assert!(!after.lines().any(|line| before.contains(line)), "{before}{after}");
    assert!(ssh(&machine, &machine.fresh_code("alice")));
}

#[test]
fn an_sshd_that_does_not_read_its_files_is_not_relied_on() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run("kill -STOP $(cat /run/sshd.pid)").stdout_ok();
    let refused = assert_refused(&machine, ENABLE, "did not read its files again");
    assert!(
        refused.stderr.contains("run kill -HUP $(cat /run/sshd.pid), and then this again"),
        "{refused:#?}"
    );
    assert!(!exists(&machine) && !stack_asks(&machine));
    let go_on = || {
        machine.run("kill -CONT $(cat /run/sshd.pid)").stdout_ok();
        eventually("by the method password", || ssh(&machine, ""));
        eventually("it is reloaded", || {
            !machine.run("totpctl doctor sshd").stdout.contains("[sshd-not-reloaded]")
        });
    };
    go_on();
    machine.run("kill -STOP $(cat /run/sshd.pid)").stdout_ok();
    assert_refused(&machine, "totpctl try sshd --write-sshd", "did not read its files again");
    assert!(!exists(&machine) && !stack_asks(&machine));
    go_on();

    // A trial that is reverted says so too.
    let mut child = start_trial(&machine, "totpctl try sshd --write-sshd");
    machine.run("kill -STOP $(cat /run/sshd.pid)").stdout_ok();
    assert_eq!(machine.run("totpctl try --undo").status, 1);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let told = machine.run("cat /tmp/tried").stdout;
    assert!(told.contains("is as before, and sshd is not reloaded: "), "{told}");
    // It took passwords before.
    assert!(told.contains("sshd still obeys the lines of the trial."), "{told}");
    assert!(!exists(&machine) && !stack_asks(&machine));
    go_on();

    restart(&machine, "true");
    let done = machine.run(&format!("{ENABLE} --dry-run && {ENABLE}"));
    assert!(done.stderr.contains("no sshd runs"), "{done:#?}");
    let json = machine.run("totpctl --json disable sshd").stdout_ok();
    assert!(json.contains("\"sshd_reloaded\":false"), "{json}");
}

#[test]
fn a_file_that_a_block_needs_stays() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run(ENABLE).stdout_ok();
    machine.run("echo 'Match User bob' >> /etc/ssh/sshd_config; echo 'AuthenticationMethods publickey,keyboard-interactive' >> /etc/ssh/sshd_config; sshd -t").stdout_ok();
    let lines = machine.run("wc -l < /etc/ssh/sshd_config").stdout_ok();
    let block = format!("/etc/ssh/sshd_config:{}", lines.trim().parse::<u32>().unwrap() - 1);
    for command in ["totpctl disable sshd --dry-run", "totpctl disable sshd"] {
        let disabled = machine.run(command);
        let told = format!("{FILE} stays: {block} requires keyboard-interactive");
        assert!(disabled.status == 0 && disabled.stderr.contains(&told), "{disabled:#?}");
        assert!(exists(&machine) && !disabled.stdout.contains(FILE), "{disabled:#?}");
    }
    assert!(!stack_asks(&machine));
    machine.run("sed -i '/^Match/,$d' /etc/ssh/sshd_config; sshd -t").stdout_ok();
    machine.run("totpctl disable sshd").stdout_ok();
    assert!(!exists(&machine));
}

#[test]
fn a_link_is_neither_followed_nor_removed() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run(ENABLE).stdout_ok();
    machine.run(&format!("mv {FILE} /root/own; ln -s /root/own {FILE}")).stdout_ok();
    let disabled = machine.run("totpctl disable sshd");
    assert!(disabled.status == 0, "{disabled:#?}");
    machine.run(&format!("test -L {FILE} && test -s /root/own")).stdout_ok();
    machine.run("rm /root/own; touch /root/own").stdout_ok();
    configure(&machine, &format!("{INCLUDE}{STOCK}"));
    assert_refused(&machine, ENABLE, "which is no regular file");
    machine.run(&format!("test -L {FILE} && test ! -s /root/own")).stdout_ok();
}

#[test]
fn a_stack_that_asks_already_is_not_tried() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run("echo 'auth required pam_totp.so nodelay' >> /etc/pam.d/common-auth").stdout_ok();
    assert_refused(&machine, "totpctl try sshd --write-sshd", "totpctl enable sshd --write-sshd");
    assert!(!exists(&machine));
    machine.run(ENABLE).stdout_ok();
    // Now there is nothing to write.
    machine.run("totpctl try sshd --write-sshd").stdout_ok();
}

/// carol would need the method password.
#[test]
fn nothing_is_written_for_a_stack_that_lets_some_users_pass() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.service(
        "sshd",
        "auth requisite pam_unix.so nodelay\n\
         auth [success=1 default=ignore] pam_succeed_if.so quiet user = carol\n\
         auth required pam_totp.so\nauth required pam_permit.so\n\
         account required pam_unix.so\nsession required pam_unix.so\n",
    );
    assert_refused(&machine, ENABLE, "its stack is faulty");
    assert!(!exists(&machine));
}
