//! AppArmor and SELinux in force, each on a machine with a kernel of its own. The work of people
//! succeeds as without them, and none of it is denied. Everything that totpd must not touch is
//! denied.

use tests::sandbox_probe::{self, Tried};
use tests::{Kernel, Output, SSH, Seed};

const ROOT: &str = "bookworm-kernel";
/// The denials of AppArmor against totpd, from the kernel or from the bus.
const DENIED: &str = "journalctl --no-pager | grep 'apparmor=\"DENIED\"' | grep -i totp || true";
/// The recipient of an identity that nobody needs.
const RECIPIENT: &str = "age1qrdyu5avezhzc0302qqqcsttt0nfejakwqtydhrvy4mvna5u5dlsff9wwj";

/// Runs a script as an administrator does at a shell.
type Admin = fn(&mut Kernel, &str) -> Output;

/// Returns the screen of `command`, which asks for the password of `user` and a code.
fn type_code(kernel: &mut Kernel, user: &str, code: &str, command: &str) -> String {
    kernel.run(&format!("/opt/tests/type-enrollment {user}pw '{code}' right {command}")).text()
}

/// Reports whether `user` gets in by ssh.
fn ssh(kernel: &mut Kernel, user: &str, code: &str) -> bool {
    let command = format!(
        "{SSH} -o PreferredAuthentications=keyboard-interactive \
         {user}@127.0.0.1 'echo in as $(id -un)'"
    );
    type_code(kernel, user, code, &command).contains(&format!("\nin as {user}"))
}

/// Days of users and administrators.
fn days_go_by(kernel: &mut Kernel, admin: Admin) {
    // A new seed each time: the wait of a person for the next code is left out.
    let enroll = |kernel: &mut Kernel, number: u32| {
        let seed = Seed::numbered(number);
        let codes = seed.first_codes();
        admin(kernel, &format!("printf '{codes}' | totpctl enroll alice --secret-stdin --qr none"))
            .stdout_ok();
        seed
    };
    let seed = enroll(kernel, 1);
    // A change that is tried, and kept by the login.
    let wait_for_output = |kernel: &mut Kernel, words: &str| {
        let wait = format!(
            "for _ in $(seq 600); do if grep -q '{words}' /root/tried; then exit 0; fi; sleep 0.1; done; \
             cat /root/tried; exit 1"
        );
        admin(kernel, &wait).stdout_ok();
    };
    admin(kernel, "setsid totpctl try sshd --minutes 30 >/root/tried 2>&1 </dev/null &")
        .stdout_ok();
    wait_for_output(kernel, "Enabled until");
    let code = seed.code();
    assert!(!ssh(kernel, "alice", "000000"), "a wrong code");
    assert!(ssh(kernel, "alice", &code), "a right code");
    assert!(!ssh(kernel, "alice", &code), "a used code");
    wait_for_output(kernel, "the change is kept, alice");
    admin(kernel, "totpctl disable sshd && pam-auth-update --enable totp").stdout_ok();
    admin(kernel, "usermod -aG sudo alice").stdout_ok();
    assert!(ssh(kernel, "bob", ""), "who has no factor");
    admin(kernel, "totpctl list; totpctl unlock alice").stdout_ok();
    let seed = enroll(kernel, 2);
    let sudo = "runuser -u alice -- sudo -k id -un";
    let output = type_code(kernel, "alice", &seed.code(), sudo);
    assert!(output.contains("\nroot"), "{output}");
    let seed = enroll(kernel, 3);
    let su = "runuser -u bob -- su alice -c 'echo in as $(id -un)'";
    let output = type_code(kernel, "alice", &seed.code(), su);
    assert!(output.contains("in as alice"), "{output}");
    let output = admin(kernel, "runuser -u alice -- totpctl show").stdout_ok();
    assert!(output.contains("verified"), "{output}");

    the_rest_of_what_is_asked(kernel, admin);
    // A first login makes a factor.
    admin(kernel, "sed -i 's/pam_totp.so.*/pam_totp.so enroll/' /etc/pam.d/common-auth")
        .stdout_ok();
    assert!(ssh(kernel, "carol", "000000"), "a first login");
    let output = admin(kernel, "totpctl show carol").stdout_ok();
    assert!(output.contains("verified"), "{output}");

    admin(kernel, "echo 'a long enough passphrase' | totpctl backup /root/backup.age").stdout_ok();
    admin(kernel, "totpctl rekey && totpctl verify-store").stdout_ok();
    let restore =
        "echo 'a long enough passphrase' | totpctl restore /root/backup.age --yes --replace";
    admin(kernel, restore).stdout_ok();
    // Restarted, and started by its socket.
    admin(kernel, "systemctl restart totpd.socket && systemctl stop totpd.service").stdout_ok();
    assert!(!ssh(kernel, "alice", "000000"));
    admin(kernel, "systemctl is-active totpd.service").stdout_ok();
    let output = kernel.run("journalctl --no-pager -t totpd").stdout_ok();
    assert!(output.contains("approved for alice at su"), "{output}");
    assert!(!output.contains("swap") && !output.contains("cannot"), "{output}");
    // It may find something wrong, as a clock that nobody synchronizes here, but it comes to its
    // end.
    let doctor = admin(kernel, "totpctl doctor");
    assert!(doctor.status <= 1 && doctor.stdout.contains("sshd: asks for a code"), "{doctor:#?}");
    assert!(!doctor.text().contains("(SELinux, AppArmor)"), "{doctor:#?}");
}

/// Runs the example of docs/admin/deploy.md as systemd runs it. A second backup goes to a file in
/// nobody's home.
fn backed_up_by_a_timer(kernel: &mut Kernel, admin: Admin) {
    kernel
        .run(&format!(
            "cd /etc/systemd/system && cp /usr/share/doc/libpam-totp/examples/totpd-backup.* . && \
             sed -i 's/age1-put-yours-here/{RECIPIENT}/' totpd-backup.service && systemctl daemon-reload && \
             systemctl enable --now totpd-backup.timer && systemctl start totpd-backup.service"
        ))
        .stdout_ok();
    let backups = kernel.run("head -n 2 /var/lib/totpd-backups/*.age").stdout_ok();
    assert!(backups.starts_with("age-encryption.org/v1\n-> X25519"), "{backups}");
    admin(kernel, &format!("totpctl backup /var/backups/x.age --recipient {RECIPIENT}"))
        .stdout_ok();
}

/// Checks that `totpctl doctor` names the denials.
fn named_by_doctor(kernel: &mut Kernel) {
    let doctor = kernel.run("totpctl doctor");
    assert_eq!(doctor.status, 1, "{doctor:#?}");
    assert!(doctor.text().contains("(SELinux, AppArmor) stop totpd"), "{doctor:#?}");
}

/// Requests the other work of users and administrators from the daemon.
fn the_rest_of_what_is_asked(kernel: &mut Kernel, admin: Admin) {
    // polkit allows this with the password of the user who asks.
    let enroll = "cd /home/bob; setpriv --reuid bob --regid bob --init-groups \
                 /opt/tests/type-enrollment bobpw x right totpctl enroll";
    let output = admin(kernel, enroll).text();
    assert!(output.contains("Recovery codes of bob"), "{output}");
    let output = admin(kernel, "totpctl --json recovery-codes bob").stdout_ok();
    let (_, codes) = output.split_once("\"recovery_codes\":[\"").expect("codes");
    let (code, _) = codes.split_once('"').unwrap();
    assert!(ssh(kernel, "bob", code), "a recovery code");
    assert!(!ssh(kernel, "bob", code), "a used one");

    let output = admin(
        kernel,
        "seq -f 'person%g' 20 >/root/names; for name in $(cat /root/names); do useradd $name; done; \
         totpctl enroll --batch /root/names --no-confirm --sheet /root/sheet.pdf && totpctl list",
    );
    assert!(output.stdout_ok().contains("person20"));
    let output = admin(kernel, "totpctl --json show person1").stdout_ok();
    let (_, factor) = output.split_once("\"factor\":\"").expect("a factor");
    let (factor, _) = factor.split_once('"').unwrap();
    admin(kernel, &format!("totpctl set --factor {factor} --disable person1")).stdout_ok();
    admin(kernel, "totpctl remove person2 && totpctl unlock person3").stdout_ok();
    let refusal = admin(kernel, "totpctl verify person4 </dev/null");
    assert_eq!(refusal.status, 1, "{refusal:#?}");
}

/// Checks that nothing is denied that totpd needs, on a machine with AppArmor in force. Returns the
/// powers of a prisoner there.
fn confined_by_apparmor(root: &str) -> (String, Tried) {
    let mut kernel = Kernel::boot(root, "apparmor");
    // Ubuntu starts sshd at the first connection. The folder of sshd does not exist before, and
    // `sshd -T` needs it.
    kernel.run("systemctl start ssh.service").stdout_ok();
    kernel.run("apt-get install -y /opt/tests/libpam-totp.deb").stdout_ok();
    kernel
        .run(
            "cp /usr/share/doc/libpam-totp/examples/apparmor/usr.libexec.totpd /etc/apparmor.d/ && \
             apparmor_parser -r /etc/apparmor.d/usr.libexec.totpd && systemctl stop totpd.service",
        )
        .stdout_ok();
    let admin: Admin = |kernel, script| kernel.run(script);
    days_go_by(&mut kernel, admin);
    backed_up_by_a_timer(&mut kernel, admin);
    let domain = kernel.run("cat /proc/$(pidof totpd)/attr/current").stdout_ok();
    assert_eq!(domain.trim(), "totpd (enforce)");
    assert_eq!(kernel.run(DENIED).stdout_ok(), "");
    // The profile is in force. A program that puts itself under it shows that.
    for (mode, file, is_refused) in
        [("r", "/etc/passwd", false), ("r", "/etc/shadow", true), ("w", "/home/alice/x", true)]
    {
        let script = format!(
            "python3 -c 'open(\"/proc/self/attr/current\", \"w\").write(\"changeprofile totpd\"); \
             open(\"{file}\", \"{mode}\")'"
        );
        let ran = kernel.run(&script);
        assert_eq!(ran.status != 0, is_refused, "{file}: {ran:#?}");
        assert_eq!(ran.stderr.contains("Permission denied"), is_refused, "{file}: {ran:#?}");
    }
    assert!(kernel.run(DENIED).stdout_ok().contains("profile=\"totpd\""), "denials are found");
    named_by_doctor(&mut kernel);
    let doctor = kernel.run("totpctl doctor").text();
    (doctor, Tried::on(|script| kernel.run(script)))
}

#[test]
fn confined_by_apparmor_nothing_is_denied_that_totpd_needs() {
    // Debian's kernel does not have it look at the bus, and doctor says so.
    let (doctor, probe) = confined_by_apparmor(ROOT);
    assert!(doctor.contains("AppArmor does not check the bus in this kernel"), "{doctor}");
    assert_eq!(
        probe.could(),
        [sandbox_probe::OWN, sandbox_probe::UNITS[1], sandbox_probe::UNITS[2]]
    );
}

#[test]
fn apparmor_of_ubuntu_lets_it_speak_only_with_its_callers() {
    let (doctor, probe) = confined_by_apparmor("noble-kernel");
    assert!(!doctor.contains("nothing confines totpd"), "{doctor}");
    assert_eq!(probe.could(), [sandbox_probe::OWN]);
}

/// The tests of logins run here, each in a machine within the machine.
#[test]
fn confined_by_apparmor_the_tests_of_logins_pass() {
    let mut kernel = Kernel::with_tests(ROOT, "apparmor");
    // Each machine has its own copy of the daemon.
    kernel
        .run(
            "sed 's|^profile totpd /usr/libexec/totpd flags=(\\(.*\\)) {|profile totpd /{,**/}usr/libexec/totpd flags=(\\1, chroot_relative) {|' \
             /opt/tests/packaging/apparmor/usr.libexec.totpd >/etc/apparmor.d/totpd && \
             grep -q chroot_relative /etc/apparmor.d/totpd && apparmor_parser -r /etc/apparmor.d/totpd",
        )
        .stdout_ok();
    let domain =
        kernel.run_in_copy("totpctl list && cat /proc/$(pidof totpd)/attr/current").stdout_ok();
    assert_eq!(domain.trim(), "totpd (enforce)");
    let ran = kernel.run_tests("login:: identity:: private_socket::");
    println!("{}", ran.stdout);
    assert_eq!(ran.status, 0, "{ran:#?}");
    assert_eq!(kernel.run(DENIED).stdout_ok(), "");
}

#[test]
fn confined_by_selinux_nothing_is_denied_that_totpd_needs() {
    let mut kernel = Kernel::boot(ROOT, "selinux");
    kernel.run("semodule -i /opt/tests/totpd.pp").stdout_ok();
    kernel.run("apt-get install -y /opt/tests/libpam-totp.deb").stdout_ok();
    kernel
        .run(
            "systemctl stop totpd.service totpd.socket && \
             restorecon -RF /usr/libexec/totpd /usr/bin/totpctl /etc/totpd /var/lib/totpd /run/totpd && \
             systemctl start totpd.socket && setenforce 1",
        )
        .stdout_ok();
    assert_eq!(kernel.run("getenforce").stdout_ok(), "Enforcing\n");
    let since = kernel.run("date '+%F %T'").stdout_ok();
    // Its output through a pipe: files of the one who runs the scripts are nothing to confined
    // programs.
    let admin: Admin = |kernel, script| {
        kernel.run(&format!(
            "set -o pipefail; cat >/run/script <<'END'\n{script}\nEND\n\
             runcon unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 bash /run/script 2>&1 | cat"
        ))
    };
    days_go_by(&mut kernel, admin);
    backed_up_by_a_timer(&mut kernel, admin);
    let domain = kernel.run("cat /proc/$(pidof totpd)/attr/current").stdout_ok();
    assert!(domain.contains(":totpd_t:"), "{domain}");
    // All of this without the servers that could ask if an administrator said so.
    let boolean = kernel.run("cat /sys/fs/selinux/booleans/totpd_ask_servers").stdout_ok();
    assert_eq!(boolean.trim(), "0 0");
    let denied = format!(
        "journalctl --since '{}' --no-pager | grep 'avc: *denied' | grep -i totp || true",
        since.trim()
    );
    assert_eq!(kernel.run(&denied).stdout_ok(), "");
    assert_eq!(kernel.run("getenforce").stdout_ok(), "Enforcing\n");
    // A timer runs it as a service.
    kernel.run("totpctl list").stdout_ok();
    assert_eq!(kernel.run(&denied).stdout_ok(), "");
    // The policy is in force. A confined service cannot read the store.
    for script in [
        "runcon -t totpd_t -- cat /etc/shadow",
        "runcon -u system_u -r system_r -t sshd_t -- cat /var/lib/totpd/store.db",
    ] {
        let ran = kernel.run(script);
        assert!(ran.status != 0 && ran.text().contains("ermission denied"), "{script}: {ran:#?}");
    }
    assert!(!kernel.run(&denied).stdout_ok().is_empty(), "denials are found");
    named_by_doctor(&mut kernel);
    let doctor = kernel.run("totpctl doctor").text();
    assert!(!doctor.contains("nothing confines totpd"), "{doctor}");
    assert_eq!(Tried::on(|script| kernel.run(script)).could(), [sandbox_probe::OWN]);
}
