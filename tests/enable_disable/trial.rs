//! `totpctl try`: stacks that are changed, and reverted unless a user logs in by them.

use std::process::Child;

use tests::{Machine, eventually, pam, scaled};

use super::{SSHD, assert_refused, files, machine, ssh};

/// Has root get in by a key. Returns the client with these options, to which a command is added.
pub(super) fn let_root_in_by_key(machine: &Machine, options: &str) -> String {
    machine
        .run(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config; \
             mkdir -p -m 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; \
             cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys; kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    let client = format!(
        "ssh {options} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1"
    );
    eventually("root gets in by a key", || {
        machine.run(&format!("{client} true </dev/null")).status == 0
    });
    client
}

/// Ends programs of the machine by their command line, as a power cut would. It also ends the
/// programs that a shell or an ended program was about to start.
pub(super) fn cut(machine: &Machine, commands: &[&str]) {
    let any = format!("^([^ ]*sh -c )?[^ ]*({})", commands.join("|"));
    eventually("all of it ends", || {
        let left = machine.run(&format!("pgrep -f '{any}'")).stdout;
        machine.run(&format!("kill -KILL {}", left.replace('\n', " ")));
        left.is_empty()
    });
}

pub(super) fn start_trial(machine: &Machine, command: &str) -> Child {
    machine.run("rm -f /tmp/tried").stdout_ok();
    let child = machine.start(&format!("exec {command} >/tmp/tried 2>&1"));
    eventually("it holds", || machine.run("cat /tmp/tried").stdout.contains("Enabled until"));
    child
}

#[test]
fn a_login_with_a_code_keeps_the_change() {
    let (machine, seed) = machine();
    let before = machine.run(&format!("stat -c '%a %U %G' {SSHD}")).stdout_ok();
    let mut child = start_trial(&machine, "totpctl try sshd");
    let output = machine.run("cat /tmp/tried").stdout;
    assert!(output.contains("+auth    required    pam_totp.so"), "{output}");
    assert!(machine.run("totpctl try").stdout_ok().contains("sshd is being tried until"));
    let second = assert_refused(&machine, "totpctl try su", "sshd is being tried until");
    assert!(second.stderr.contains("totpctl try --undo"), "{second:#?}");
    assert_refused(&machine, "totpctl enable su", "sshd is being tried until");
    assert!(!ssh(&machine, "000000"), "a wrong code");
    assert!(child.try_wait().unwrap().is_none(), "who does not get in keeps nothing");
    machine.run("totpctl unlock alice").stdout_ok();
    assert!(ssh(&machine, &seed.code()), "a right code");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let output = machine.run("cat /tmp/tried").stdout;
    assert!(output.contains("sshd: the change is kept, alice logged in with a code."), "{output}");
    let text = machine.run(&format!("cat {SSHD}")).stdout_ok();
    assert!(text.contains("@include common-auth\nauth    required    pam_totp.so\n"), "{text}");
    assert!(!text.contains("totpctl"), "nothing of the trial is left: {text}");
    assert_eq!(machine.run(&format!("stat -c '%a %U %G' {SSHD}")).stdout_ok(), before);
    assert!(!files(&machine).contains("totpctl"), "{}", files(&machine));
    // Nobody takes notes any more.
    machine.run("test ! -e /run/totpctl/entered").stdout_ok();
    // Without systemd the countdown is a process.
    eventually("the countdown ends", || {
        machine.run("pgrep -f '[t]ry --count-down'").stdout.is_empty()
    });
    // Typing it again changes nothing.
    assert!(machine.run("totpctl try sshd").stdout_ok().is_empty());
    machine.run("totpctl try --undo").stdout_ok();
    assert_eq!(machine.run(&format!("cat {SSHD}")).stdout_ok(), text);
    assert!(machine.run("totpctl doctor sshd").stdout_ok().contains("sshd: asks for a code\n"));
}

#[test]
fn a_trial_without_a_login_restores_the_files() {
    let (machine, seed) = machine();
    machine
        .run(&format!("chmod 640 {SSHD}; touch -d 2020-02-02 {SSHD}; rm -f /etc/pam.d/vendor"))
        .stdout_ok();
    machine.run("mkdir -p /usr/lib/pam.d; cp /etc/pam.d/login /usr/lib/pam.d/vendor").stdout_ok();
    let before = files(&machine);
    // The terminal ends, and the program that started it.
    for service in ["sshd", "sudo", "vendor"] {
        let mut child = start_trial(&machine, &format!("totpctl try {service}"));
        cut(&machine, &["totpctl try [a-z]*$"]);
        child.wait().unwrap();
        assert_ne!(files(&machine), before);
        assert!(machine.run("totpctl try --undo").stdout_ok().is_empty());
        assert_eq!(files(&machine), before, "{service}");
    }
    // The countdown by itself, and its clock is not the time of day.
    machine.run("rm -f /tmp/tried").stdout_ok();
    let mut child = machine.start(
        "exec setsid script -qefc 'totpctl try sshd --minutes 1' /tmp/tried </dev/null >/dev/null 2>&1",
    );
    eventually("it holds", || machine.run("cat /tmp/tried").stdout.contains("Enabled until"));
    cut(&machine, &["script -qefc"]);
    child.wait().unwrap();
    eventually("it ends with its terminal", || {
        machine.run("pgrep -f '^totpctl try sshd'").stdout.is_empty()
    });
    assert!(!machine.run("pgrep -f 'try --count-down 60'").stdout_ok().is_empty());
    // An edit of a person during the trial is not lost.
    machine.run(&format!("echo '# mine' >> {SSHD}")).stdout_ok();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
    while files(&machine) != before && std::time::Instant::now() < end {
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    assert_eq!(files(&machine), before);
    assert!(machine.run("cat /var/lib/totpctl/sshd.edited").stdout_ok().ends_with("# mine\n"));
    let output = machine.run("totpctl try").stdout_ok();
    assert!(output.contains("reverted, nobody logged in with a code"), "{output}");
    assert!(ssh(&machine, ""), "by the password alone");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

/// An edit during the trial cannot be kept on a full disk. The stack is reverted all the same.
#[test]
fn a_full_disk_keeps_no_stack_that_shuts_out() {
    let (machine, _) = machine();
    let before = files(&machine);
    machine
        .run("mkdir -p /var/lib/totpctl; mount -t tmpfs -o size=64k tmpfs /var/lib/totpctl")
        .stdout_ok();
    let mut child = start_trial(&machine, "totpctl try sshd");
    cut(&machine, &["totpctl try sshd", "totpctl try --count-down"]);
    child.wait().unwrap();
    machine
        .run(&format!(
            "echo '# mine' >> {SSHD}; head -c 1M /dev/zero > /var/lib/totpctl/filler || true"
        ))
        .stdout_ok();
    machine.run("totpctl try --undo").stdout_ok();
    let edited = "/etc/pam.d/.sshd.totpctl-edited";
    assert!(machine.run(&format!("cat {edited}")).stdout_ok().ends_with("# mine\n"));
    machine.run(&format!("rm {edited}")).stdout_ok();
    assert_eq!(files(&machine), before);
}

/// The login is not lost, and no other one is taken for it.
#[test]
fn a_login_on_a_full_disk_keeps_the_change_when_there_is_room() {
    let (machine, seed) = machine();
    machine
        .run("mkdir -p /var/lib/totpctl; mount -t tmpfs -o size=64k tmpfs /var/lib/totpctl")
        .stdout_ok();
    let mut child = start_trial(&machine, "totpctl try sshd");
    machine.run("head -c 1M /dev/zero > /var/lib/totpctl/filler || true").stdout_ok();
    assert!(ssh(&machine, &seed.code()));
    eventually("it is told", || {
        machine.run("cat /tmp/tried").stdout.contains("A login does not keep the change yet: ")
    });
    machine.run("rm /var/lib/totpctl/filler").stdout_ok();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let told = machine.run("cat /tmp/tried").stdout;
    assert!(told.contains("the change is kept, alice logged in with a code."), "{told}");
    assert!(!told.contains("without the code"), "{told}");
    assert_eq!(told.matches("does not keep the change").count(), 1, "{told}");
}

#[test]
fn a_trial_cut_off_at_any_moment_leaves_whole_files() {
    let (machine, seed) = machine();
    let before = files(&machine);
    let original = machine.run(&format!("cat {SSHD}")).stdout_ok();
    let include = "@include common-auth\n";
    let line = format!("{include}auth    required    pam_totp.so\n");
    let changed = original.replacen(include, &line, 1);
    let by_ssh = let_root_in_by_key(&machine, "-tt");
    let mut random = 1_u32;
    // The columns are the name of the case, its start, its end, and the time before the first
    // change. The time is approximate, in seconds.
    for (how, begin, end, mut takes) in [
        ("killed", "exec totpctl try sshd".to_owned(), "kill -KILL $pid", 0.03),
        (
            "its terminal closed",
            "exec setsid script -qefc 'totpctl try sshd' /dev/null".into(),
            "kill -KILL $pid",
            0.04,
        ),
        ("its connection cut", format!("exec {by_ssh} totpctl try sshd"), "kill -KILL $pid", 1.0),
        (
            "the daemon killed",
            "exec totpctl try sshd".into(),
            "kill -KILL $(pidof totpd); sleep 0.02; kill -KILL $pid",
            0.03,
        ),
    ] {
        let mut was_changed = 0;
        let rounds = scaled(20, 8);
        for round in 0..rounds {
            // One that can be killed.
            machine.run("totpctl list").stdout_ok();
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let seconds = takes * f64::from(random) / f64::from(u32::MAX);
            machine.run(&format!(
                "({begin}) </dev/null >/tmp/tried 2>&1 & pid=$!; \
                 sleep {seconds:.6}; {end}; wait $pid",
            ));
            // This is as after a power cut. No countdown runs any more, and nothing is still to be
            // started.
            cut(
                &machine,
                &["script -qefc", "sshd: root", "totpctl try sshd", "totpctl try --count-down"],
            );
            let (now, text) = (files(&machine), machine.run(&format!("cat {SSHD}")).stdout_ok());
            let whole = text == original || text == changed;
            assert!(whole, "{how}, round {round}: {text}");
            was_changed += u32::from(text == changed);
            // The moments gather around the change, on a fast and on a slow machine.
            takes *= if text == changed { 0.8 } else { 1.25 };
            assert!(machine.run("totpctl try --undo").status == 0, "{how}, round {round}: {now}");
            assert_eq!(files(&machine), before, "{how}, round {round} after {seconds} s");
        }
        println!("{how}: cut off {rounds} times, {was_changed} of them after the change");
    }
    // Cut off while it is kept, it is kept.
    let mut child = start_trial(&machine, "totpctl try sshd");
    assert!(ssh(&machine, &seed.code()));
    child.wait().unwrap();
    let stack = machine.run(&format!("cat {SSHD}")).stdout_ok();
    machine.run("totpctl disable sshd").stdout_ok();
    let mut child = start_trial(&machine, "totpctl try sshd");
    machine
        .run("sed -i 's/\"kept_by\":null/\"kept_by\":\"alice\"/' /var/lib/totpctl/pending.json")
        .stdout_ok();
    machine.run("totpctl try --undo").stdout_ok();
    child.wait().unwrap();
    assert_eq!(machine.run(&format!("cat {SSHD}")).stdout_ok(), stack);
}

/// No systemd starts the machines of these tests.
#[test]
fn the_init_script_reverts_a_trial_after_a_reboot() {
    let (machine, _) = machine();
    let before = files(&machine);
    let mut child = start_trial(&machine, "totpctl try sshd");
    let output = machine.run("totpctl doctor").text();
    assert!(output.contains("sshd is being tried until"), "{output}");
    cut(&machine, &["totpctl try sshd", "totpctl try --count-down"]);
    child.wait().unwrap();
    machine
        .run("sed -i 's/\"boot\":\"[^\"]*\"/\"boot\":\"another\"/' /var/lib/totpctl/pending.json")
        .stdout_ok();
    let output = machine.run("totpctl doctor").text();
    assert!(
        output.contains("should have ended") && output.contains("totpctl try --undo"),
        "{output}"
    );
    // It is nothing of the daemon's, which can run no program.
    machine.kill_daemon("KILL");
    machine.run("totpctl list").stdout_ok();
    assert_ne!(files(&machine), before);
    let page = include_str!("../../docs/admin/install.md");
    let block =
        page.split("```sh\n").find(|block| block.starts_with("install packaging/sysvinit/"));
    let install = block.unwrap().split("```").next().unwrap();
    machine.run("rm -f /etc/init.d/totpctl-try; mkdir -p /root/packaging/sysvinit").stdout_ok();
    machine.write(
        "/root/packaging/sysvinit/totpctl-try",
        include_str!("../../packaging/sysvinit/totpctl-try"),
    );
    machine.run(&format!("set -e; cd /root\n{install}\nls /etc/rcS.d/S*totpctl-try")).stdout_ok();
    let script = "/etc/init.d/totpctl-try";
    machine.run(&format!("{script} start")).stdout_ok();
    assert_eq!(files(&machine), before);
    machine.run(&format!("{script} start")).stdout_ok();
    assert_eq!(files(&machine), before, "and nothing once more");
    assert_eq!(machine.run(&format!("{script} go")).status, 2);
}
