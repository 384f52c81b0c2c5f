//! `totpctl enable` and `disable`: stacks that are changed.

use tests::{Machine, Output, SSH, Seed, eventually, pam};

mod siblings;
mod sshd_in_force;
mod sshd_lines;
mod sshd_reload;
mod stale_plan;
mod trial;
mod trial_codes;
mod trial_state;
mod wrong_password;

const SSHD: &str = "/etc/pam.d/sshd";

/// Returns a machine whose sshd asks for passwords, and on which alice has a factor.
fn machine() -> (Machine, Seed) {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    (machine, seed)
}

/// Returns all properties of the files of PAM, except the times of access and of renaming.
fn files(machine: &Machine) -> String {
    machine
        .run(
            "cd /etc/pam.d && find . -mindepth 1 -printf '%p %y %m %u %g %s %T@ %n %l\\n' | sort && \
             getfattr -d -m - -R . 2>/dev/null; sha256sum * | sort",
        )
        .stdout_ok()
}

fn ssh(machine: &Machine, code: &str) -> bool {
    let ran = machine.run(&format!(
        "/opt/tests/type-enrollment alicepw '{code}' x {SSH} \
         alice@127.0.0.1 'echo in as $(id -un)'"
    ));
    ran.stdout.lines().any(|line| line.trim_end().ends_with("in as alice"))
}

fn assert_refused(machine: &Machine, command: &str, reason: &str) -> Output {
    let before = files(machine);
    let ran = machine.run(command);
    assert!(ran.status == 1 && ran.stderr.contains(reason), "{command}: {ran:#?}");
    assert_eq!(files(machine), before, "{command}");
    ran
}

#[test]
fn services_are_enabled_and_disabled_as_often_as_one_likes() {
    let (machine, seed) = machine();
    let before = machine.run("cd /etc/pam.d; sha256sum * | sort").stdout_ok();
    for service in ["sshd", "sudo", "su", "login"] {
        let dry = machine.run(&format!("totpctl enable {service} --dry-run")).stdout_ok();
        assert!(dry.contains("+auth    required    pam_totp.so"), "{dry}");
        let json = machine.run(&format!("totpctl --json enable {service}")).stdout_ok();
        assert!(json.contains("\"changed\":true"), "{json}");
        let again = machine.run(&format!("totpctl --json enable {service}")).stdout_ok();
        assert!(again.contains("\"changed\":false"), "{again}");
        let doctor = machine.run(&format!("totpctl doctor {service}")).stdout_ok();
        assert!(doctor.contains(&format!("{service}: asks for a code\n")), "{doctor}");
    }
    // The same program asks PAM for these services under another name.
    let doctor = machine.run("totpctl doctor sudo-i su-l").stdout_ok();
    for service in ["sudo-i: asks for a code\n", "su-l: asks for a code\n"] {
        assert!(doctor.contains(service), "{doctor}");
    }
    assert!(!ssh(&machine, "000000"));
    machine.run("totpctl unlock alice").stdout_ok();
    assert!(ssh(&machine, &seed.code()));
    for service in ["sshd", "sudo", "su", "login"] {
        machine.run(&format!("totpctl disable {service}")).stdout_ok();
        let again = machine.run(&format!("totpctl --json disable {service}")).stdout_ok();
        assert!(again.contains("\"changed\":false"), "{again}");
    }
    assert_eq!(machine.run("cd /etc/pam.d; sha256sum * | sort").stdout_ok(), before);
}

#[test]
fn a_file_that_is_not_utf_8_comes_back_byte_for_byte() {
    let (machine, _) = machine();
    for (name, text) in [
        ("latin", "# Schl\\374ssel\\nauth requisite pam_unix.so # \\377\\n"),
        ("unended", "# \\344\\nauth requisite pam_unix.so"),
    ] {
        machine.run(&format!("printf '{text}' > /etc/pam.d/{name}")).stdout_ok();
        let digest = || machine.run(&format!("sha256sum /etc/pam.d/{name}")).stdout_ok();
        let login = || machine.pam(name, "alice", "alicepw").run().rc;
        let before = digest();
        assert_eq!(login(), pam::SUCCESS, "{name}");
        machine.run(&format!("totpctl enable {name}")).stdout_ok();
        assert_ne!(digest(), before, "{name}");
        // libpam obeys a last line that has no end, as the line of the module in "unended".
        assert_ne!(login(), pam::SUCCESS, "{name}");
        machine.run(&format!("totpctl disable {name}")).stdout_ok();
        assert_eq!(digest(), before, "{name}");
    }
}

#[test]
fn an_unsuitable_file_is_left_unchanged_and_named() {
    let (machine, _) = machine();
    let ran = machine.run("totpctl enable no-such-service");
    assert!(ran.status == 1 && ran.stderr.contains("no PAM service"), "{ran:#?}");
    for command in ["enable sshd", "try sshd", "enable no-such-service"] {
        let ran = machine.run_as("alice", &format!("totpctl {command}"));
        assert!(ran.status == 4 && ran.stderr.contains("only root"), "{command}: {ran:#?}");
    }
    let usage = machine.run("totpctl enable sshd --option nulok");
    assert!(usage.status == 2 && usage.stderr.contains("no option \"nulok\""), "{usage:#?}");
    machine.run("cp /etc/pam.d/sshd /root/sshd; ln -s /root/sshd /etc/pam.d/linked").stdout_ok();
    machine.service("skipped", "auth sufficient pam_unix.so\nauth required pam_totp.so\n");
    machine.service("endless", "auth include endless\n");
    let long = "auth required pam_permit.so\n".repeat(10_000);
    machine.service("long", &format!("auth required pam_unix.so\n{long}"));
    for (service, reason) in [
        ("linked", "is a link"),
        ("skipped", "totpctl doctor names the line"),
        ("endless", "no auth lines of its own"),
        ("long", "no place after the password"),
        ("../pam.d/sshd", "no PAM service"),
        (".hidden", "no PAM service"),
    ] {
        assert_refused(&machine, &format!("totpctl enable {service}"), reason);
    }
    // A profile is its own program's.
    machine.run("sed -i '$aauth required pam_totp.so nullok' /etc/pam.d/common-auth").stdout_ok();
    assert_refused(&machine, "totpctl disable sshd", "pam-auth-update --disable totp");
    // With a line that accepts, nullok would let in strangers.
    machine.service("open", "auth required pam_permit.so\n");
    for command in ["enable", "try"] {
        let command = format!("totpctl {command} open --option nullok");
        assert_refused(&machine, &command, "nothing else there proves who they are");
    }
    for command in ["enable common-auth", "try common-auth"] {
        assert_refused(&machine, &format!("totpctl {command}"), "is no service");
    }
    assert!(machine.run("totpctl --json enable sshd").stdout_ok().contains("\"changed\":false"));
    machine.run("sed -i '$d' /etc/pam.d/common-auth").stdout_ok();
    // A folder that cannot be written, and a disk that is full.
    machine
        .run(
            "cp -a /etc/pam.d /root/pam.d; mount -t tmpfs -o size=64k tmpfs /etc/pam.d; \
             cp -a /root/pam.d/{sshd,common-auth,common-account,common-session,common-password} /etc/pam.d/; \
             head -c 1M /dev/zero > /etc/pam.d/filler || true",
        )
        .stdout_ok();
    for command in ["enable sshd", "try sshd"] {
        assert_refused(&machine, &format!("totpctl {command}"), "cannot change /etc/pam.d/sshd");
    }
    let state = machine.run("totpctl try").stdout_ok();
    assert!(state.contains("the trial could not start: cannot change /etc/pam.d/sshd"), "{state}");
    machine.run("mount -o remount,ro /etc/pam.d").stdout_ok();
    for command in ["enable sshd", "try sshd"] {
        let ran = assert_refused(&machine, &format!("totpctl {command}"), "mount it read-write");
        let state = machine.run("totpctl try").stdout_ok();
        assert!(state.contains("Nothing is being tried"), "{ran:#?} {state}");
    }
    machine.run("umount /etc/pam.d").stdout_ok();
    // Nothing is changed if sshd cannot ask, or if no user can answer.
    machine
        .run("sed -i 's/^KbdInteractive.*/KbdInteractiveAuthentication no/' /etc/ssh/sshd_config")
        .stdout_ok();
    assert_refused(&machine, "totpctl enable sshd", "KbdInteractiveAuthentication yes");
    machine.run("totpctl remove alice").stdout_ok();
    assert_refused(&machine, "totpctl enable login", "no user is enrolled");
    machine.run("totpctl enable login --option nullok").stdout_ok();
    machine.kill_daemon("TERM");
    machine.run("echo nonsense > /etc/totpd/totpd.toml.d/10-bad.toml").stdout_ok();
    let dead = machine.run("totpctl enable su");
    assert_eq!(dead.status, 3, "{dead:#?}");
}

/// The other program changes the file after the preview and before the change.
#[test]
fn a_file_that_somebody_else_changed_is_not_replaced() {
    let (machine, _) = machine();
    machine.run("kill -STOP $(pidof totpd)").stdout_ok();
    let mut child = machine.start(
        "exec strace -f -s 500 -e trace=connect -o /tmp/trace totpctl enable login >/tmp/out 2>&1",
    );
    // The stack is read by then, and totpd is asked who is enrolled.
    eventually("it asks", || machine.run("grep -q totpd/private /tmp/trace").status == 0);
    machine
        .run("echo '# mine' >> /etc/pam.d/login; cp -a /etc/pam.d/login /root/login")
        .stdout_ok();
    machine.run("kill -CONT $(pidof totpd)").stdout_ok();
    child.wait().unwrap();
    let output = machine.run("cat /tmp/out").stdout_ok();
    assert!(output.contains("the stack of login was changed while this command ran"), "{output}");
    machine.run("cmp /etc/pam.d/login /root/login").stdout_ok();
    machine.run("totpctl enable login && grep -q '^# mine' /etc/pam.d/login").stdout_ok();
}
