//! The ways to become a user or root: what `totpctl doctor` says of each, and what happens there.

use tests::{Machine, Output, pam};

mod reach;
mod sudo_exceptions;
mod sudo_rules;

fn doctor(machine: &Machine, services: &str) -> Output {
    machine.run(&format!("totpctl doctor {services}"))
}

/// Returns what doctor says of a way in.
fn door(told: &str, name: &str) -> String {
    let doors = told.split("ways in:\n").nth(1).unwrap_or_else(|| panic!("{told}"));
    let line = doors
        .lines()
        .find_map(|line| line.strip_prefix("  ")?.strip_prefix(name)?.strip_prefix("  "));
    line.unwrap_or_else(|| panic!("no {name}: {told}")).trim().to_owned()
}

const SUDO: &str = "sed -i '/^@include common-auth/a auth    required    pam_totp.so nodelay' /etc/pam.d/sudo /etc/pam.d/sudo-i";

#[test]
fn a_service_of_the_distribution_is_listed_without_its_name() {
    let machine = Machine::with_programs();
    machine.enrolled("alice", 1);
    machine.run("test -e /usr/lib/pam.d/polkit-1 && test ! -e /etc/pam.d/polkit-1").stdout_ok();
    machine.run("echo 'auth required pam_totp.so' >> /etc/pam.d/common-auth").stdout_ok();
    let told = doctor(&machine, "").stdout;
    assert!(told.contains("polkit-1: asks for a code\n"), "{told}");
    assert!(told.contains("[enroll-blocked-by-polkit]"), "{told}");
    assert!(door(&told, "pkexec").starts_with("asks for a code"), "{told}");
    machine.run("sed -i '$d' /etc/pam.d/common-auth").stdout_ok();

    // The copy is whole, and goes when it is no longer different.
    machine.run("totpctl enable polkit-1").stdout_ok();
    machine.run("diff <(grep -v pam_totp /etc/pam.d/polkit-1) /usr/lib/pam.d/polkit-1").stdout_ok();
    assert!(doctor(&machine, "polkit-1").stdout.contains("polkit-1: asks for a code\n"));
    machine.run("totpctl disable polkit-1 && test ! -e /etc/pam.d/polkit-1").stdout_ok();
}

#[test]
fn each_way_in_is_named_with_what_it_asks() {
    let machine = Machine::with_programs();
    machine.enrolled("alice", 1);
    machine.run(SUDO).stdout_ok();
    machine.run("usermod -p '*' root; totpctl enable sshd").stdout_ok();
    let told = doctor(&machine, "").stdout;
    for (name, expected) in [
        ("ssh, keyboard-interactive", "asks for a code"),
        ("sudo", "asks for a code"),
        ("sudo -i", "asks for a code"),
        ("su", "does not ask for a code"),
        ("pkexec", "does not ask for a code"),
        ("login", "does not ask for a code"),
        ("cron", "does not ask for a code"),
        ("at", "does not ask for a code"),
        ("Cockpit", "does not ask for a code"),
        ("LightDM", "does not ask for a code"),
        ("vlock", "does not ask for a code"),
        ("rescue mode", "closed: root is locked, and rescue mode asks for the password of root"),
    ] {
        assert!(door(&told, name).starts_with(expected), "{name}: {told}");
    }
    // With a locked root su leads nowhere, and polkit does.
    assert!(told.contains("other ways to root ask for no code: pkexec (polkit-1)"), "{told}");
    assert!(told.contains("run totpctl enable polkit-1 [root-without-code]"), "{told}");
    machine.run("echo root:rootpw | chpasswd").stdout_ok();
    let told = doctor(&machine, "sudo").stdout;
    assert!(told.contains("su (su)") && told.contains("totpctl enable su "), "{told}");
    machine.run("totpctl enable su && totpctl enable polkit-1").stdout_ok();
    let told = doctor(&machine, "sudo su").stdout;
    assert!(!told.contains("root-without-code"), "{told}");
    assert!(door(&told, "su").contains("not asked: root (/etc/pam.d/su:"), "{told}");
    assert!(!told.contains("cron"), "{told}");

    machine
        .run(
            "mkdir -p /etc/systemd/system/getty@tty1.service.d
              printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin bob %%I\n' \
              > /etc/systemd/system/getty@tty1.service.d/auto.conf
              printf '[Seat:*]\nautologin-user=carol\n' > /etc/lightdm/lightdm.conf",
        )
        .stdout_ok();
    let told = doctor(&machine, "").stdout;
    for (name, place) in [
        ("getty, automatic login (bob)", "getty@tty1.service.d/auto.conf:3"),
        ("LightDM, automatic login (carol)", "/etc/lightdm/lightdm.conf:2"),
    ] {
        let line = door(&told, name);
        assert!(line.starts_with("does not ask for a code") && line.contains(place), "{told}");
    }
    let json = machine.run("totpctl --json doctor sudo su").stdout;
    let expected = "{\"door\":\"sudo\",\"code\":\"asked\",\"exceptions\":[],\"service\":\"sudo\"}";
    assert!(json.contains(expected), "{json}");
}

#[test]
fn the_rules_of_sudo_are_read_as_sudo_reads_them() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run(SUDO).stdout_ok();
    machine.write(
        "/etc/sudoers.d/10-ops",
        "User_Alias OPS = alice, \\\n  %ops # both\nOPS ALL=(ALL) PASSWD: ALL, NOPASSWD: /bin/true\n",
    );
    let told = doctor(&machine, "sudo").stdout;
    let exception = "alice, members of ops for /bin/true (NOPASSWD, /etc/sudoers.d/10-ops:3)";
    assert!(door(&told, "sudo").contains(exception), "{told}");
    assert!(told.contains("note: /etc/sudoers.d/10-ops:3: NOPASSWD skips"), "{told}");
    assert_eq!(machine.run_as("alice", "sudo -n /bin/true").status, 0);
    assert_ne!(machine.run_as("alice", "sudo -n /bin/ls").status, 0);
    machine.write("/etc/sudoers.d/10-ops", "Defaults:bob !authenticate\nbob ALL=(ALL) ALL\n");
    let told = doctor(&machine, "sudo").stdout;
    assert!(door(&told, "sudo").contains("bob (!authenticate, /etc/sudoers.d/10-ops:1)"), "{told}");
    assert_eq!(machine.run_as("bob", "sudo -n true").status, 0);

    // Whose code.
    machine.run("rm /etc/sudoers.d/10-ops; echo root:rootpw | chpasswd").stdout_ok();
    machine.write("/etc/sudoers.d/00", "Defaults targetpw\nALL ALL=(ALL) ALL\n");
    let told = doctor(&machine, "sudo");
    assert!(told.status == 1 && told.stdout.contains("[sudo-nobody-becomes-root]"), "{told:#?}");
    assert!(told.stdout.contains("root has no factor"), "{told:#?}");
    let expected = "asks for a code that nobody can give: targetpw: root has no factor";
    assert!(door(&told.stdout, "sudo").starts_with(expected), "{told:#?}");
    let asked = |code: &str| {
        machine
            .run_with_input("runuser -u alice -- sudo -S -k true", &format!("rootpw\n{code}\n"))
            .status
    };
    assert_ne!(asked(&seed.code()), 0);
    let root = machine.enrolled("root", 2);
    let told = doctor(&machine, "sudo");
    assert!(
        told.status == 0 && told.stdout.contains("note: /etc/sudoers.d/00:1: sudo asks"),
        "{told:#?}"
    );
    assert_eq!(asked(&root.code()), 0);

    // A line that sudo cannot read, and a name of its own.
    machine.write("/etc/sudoers.d/00", "ALL ALL=(ALL) ALL\nalice everything\n");
    let told = doctor(&machine, "sudo");
    assert!(
        told.status == 1 && told.stdout.contains("problem: /etc/sudoers.d/00:2: sudo"),
        "{told:#?}"
    );
    machine.write("/etc/sudoers.d/00", "Defaults:alice pam_service=mine\n");
    machine.service("mine", "auth required pam_unix.so\n");
    let told = doctor(&machine, "sudo");
    assert!(told.status == 1 && told.stdout.contains("PAM service \"mine\""), "{told:#?}");
    let bob = machine.run_as("bob", "totpctl doctor sudo");
    assert!(
        bob.stdout.contains("only root can read them; run doctor as root [sudoers-not-checked]"),
        "{bob:#?}"
    );

    // A factor for some services.
    machine.run("rm /etc/sudoers.d/00").stdout_ok();
    let shown = machine.run("totpctl --json show alice").stdout_ok();
    let factor = shown.split("\"factor\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    machine.run(&format!("totpctl set alice --factor {factor} --services sshd,sudo")).stdout_ok();
    let told = doctor(&machine, "sudo").stdout;
    assert!(told.contains("--services sshd,sudo,sudo-i [services-of-factor-incomplete]"), "{told}");
}

#[test]
fn sudo_rs_uses_a_second_service_too() {
    let machine = Machine::with_programs();
    machine.enrolled("alice", 1);
    machine.run(SUDO).stdout_ok();
    machine
        .run("sed -i /pam_totp/d /etc/pam.d/sudo-i; cp /opt/tests/sudo-rs /usr/bin/sudo")
        .stdout_ok();
    // As its authors publish it, it has one service; distributions build it with two.
    let told = doctor(&machine, "sudo");
    assert!(told.status == 0 && !told.stdout.contains("sudo -i  "), "{told:#?}");
    machine.run("printf 'sudo-i' >> /usr/bin/sudo").stdout_ok();
    let told = doctor(&machine, "sudo");
    assert!(told.status == 1 && told.stdout.contains("run totpctl enable sudo-i"), "{told:#?}");
    assert_eq!(door(&told.stdout, "sudo -i"), "does not ask for a code");
}

#[test]
fn what_doctor_says_of_a_stack_is_what_libpam_does() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let nullok = "auth required pam_totp.so nullok nodelay\n";
    // Nothing proves who it is, and bob has no factor.
    machine.service("open", &format!("{nullok}auth required pam_permit.so\n"));
    let told = doctor(&machine, "open");
    assert!(told.status == 1 && told.stdout.contains("[nullok-without-password]"), "{told:#?}");
    assert_eq!(machine.pam("open", "bob", "").run().rc, pam::SUCCESS);
    machine.service("alone", nullok);
    let told = doctor(&machine, "alone");
    assert!(
        told.status == 1
            && told.stdout.contains("problem: /etc/pam.d/alone:1: nullok has no effect"),
        "{told:#?}"
    );
    assert_ne!(machine.pam("alone", "bob", "").run().rc, pam::SUCCESS);
    machine.service(
        "past",
        "auth required pam_totp.so nodelay\n\
         auth [success=1 default=ignore] pam_succeed_if.so user = alice quiet\n",
    );
    let told = doctor(&machine, "past");
    assert!(
        told.status == 1 && told.stdout.contains("/etc/pam.d/past:2: a success here jumps"),
        "{told:#?}"
    );
    assert_ne!(machine.pam("past", "alice", &seed.code()).run().rc, pam::SUCCESS);

    machine.service("brackets", "auth required pam_totp.so nodelay [prompt=Code [app\\]: ]\n");
    let told = doctor(&machine, "brackets").stdout_ok();
    assert!(told.starts_with("brackets: asks for a code\n"), "{told}");
    let shown = machine.pam("brackets", "alice", "000000").run().shown;
    assert!(shown.iter().any(|prompt| prompt.contains("Code [app]: ")), "{shown:?}");
    machine.run("printf 'auth required pam_totp.so\\r\\n' > /etc/pam.d/windows").stdout_ok();
    let told = doctor(&machine, "windows");
    assert!(told.status == 1 && told.stdout.contains("[module-not-installed]"), "{told:#?}");
    assert_ne!(machine.pam("windows", "alice", &seed.code()).run().rc, pam::SUCCESS);
    // The architecture of the library is that of Debian.
    machine.service("isa", "auth required $ISA/pam_permit.so\n");
    assert_ne!(machine.pam("isa", "alice", "").run().rc, pam::SUCCESS);
    machine
        .run("mkdir -p /lib/security && cp /lib/*-linux-gnu/security/pam_{permit,totp}.so /lib/security")
        .stdout_ok();
    assert_eq!(machine.pam("isa", "alice", "").run().rc, pam::SUCCESS);
    machine.service("isa", "auth required $ISA/pam_totp.so nodelay\n");
    assert!(doctor(&machine, "isa").stdout_ok().starts_with("isa: asks for a code\n"));
}

#[test]
fn a_program_with_one_prompt_cannot_ask_twice() {
    let machine = Machine::with_programs();
    machine.enrolled("alice", 1);
    machine.service("vsftpd", "@include common-auth\nauth required pam_totp.so\n");
    let told = doctor(&machine, "vsftpd");
    assert!(told.status == 1 && told.stdout.contains("[one-prompt-program]"), "{told:#?}");
    assert!(door(&told.stdout, "vsftpd").starts_with("asks for a code that nobody can give"));
    machine.service(
        "vsftpd",
        "auth required pam_totp.so forward_pass quiet\nauth required pam_unix.so use_first_pass\n",
    );
    let told = doctor(&machine, "vsftpd").stdout_ok();
    assert_eq!(door(&told, "vsftpd"), "asks for a code");
}

/// Prints how long doctor takes.
#[test]
fn doctor_reads_any_folder_to_its_end() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let timed = |what: &str, command: &str| {
        let ran = machine.run(&format!(
            "s=$(date +%s%N); timeout 60 {command} > /tmp/told 2>&1; rc=$?; \
             echo $(( ($(date +%s%N) - s) / 1000000 )); cat /tmp/told; exit $rc"
        ));
        let (ms, told) = ran.stdout.split_once('\n').unwrap();
        println!("doctor, {what}: {ms} ms");
        assert_ne!(ran.status, 124, "{what}");
        told.to_owned()
    };
    timed("a usual host", "totpctl doctor");
    machine.run("mkfifo /etc/pam.d/pipe; ln -s /dev/zero /etc/pam.d/zero; ln -s gone /etc/pam.d/dangling").stdout_ok();
    machine
        .run("yes 'auth required pam_permit.so' | head -n 1000000 > /etc/pam.d/million")
        .stdout_ok();
    machine
        .run("printf 'auth required pam_totp.so\\n# \\xff\\xfe\\n' > /etc/pam.d/latin")
        .stdout_ok();
    machine.service("endless", &"auth substack endless\n".repeat(10));
    machine.service("all", "@include pipe\nauth required pam_totp.so\n");
    let told =
        timed("a damaged folder", "totpctl doctor latin pipe zero million endless all dangling");
    for (name, expected) in [
        ("pipe", "/etc/pam.d/pipe: the file cannot be read: it is not a regular file"),
        ("zero", "/etc/pam.d/zero: the file cannot be read: it is not a regular file"),
        ("million", "larger than 1 MiB"),
        ("endless", "too long to check"),
        ("latin", "latin: asks for a code"),
        ("all", "all: is not checked"),
        ("dangling", "it has no file of its own"),
    ] {
        assert!(told.contains(expected), "{name}: {told}");
    }
    machine.run("chmod 600 /etc/pam.d/latin").stdout_ok();
    let bob = machine.run_as("bob", "totpctl doctor latin");
    assert!(bob.stdout.contains("note: /etc/pam.d/latin: the file cannot be read"), "{bob:#?}");
    machine
        .run(
            "cd /etc/pam.d; for i in $(seq 10000); do cp sshd many$i; done
              for i in $(seq 5000); do echo 'auth required pam_totp.so' >> many$i; done",
        )
        .stdout_ok();
    let told = timed("10,000 services more", "totpctl doctor");
    assert!(told.contains("many5000: ") && !told.contains("many5001: "));
}
