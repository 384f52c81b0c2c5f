//! Under su and sudo the environment belongs to the attacker.

use tests::{Machine, eventually};

/// Every variable that a library on the way could look at.
const HOSTILE: &str = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/false-bus \
    DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/false-bus \
    DBUS_STARTER_ADDRESS=unix:path=/tmp/false-bus DBUS_STARTER_BUS_TYPE=system \
    LD_PRELOAD=/tmp/evil.so LD_LIBRARY_PATH=/tmp LD_AUDIT=/tmp/evil.so \
    RUST_BACKTRACE=full RUST_LOG=trace HOME=/tmp XDG_RUNTIME_DIR=/tmp XDG_CONFIG_HOME=/tmp \
    XDG_DATA_DIRS=/tmp TZ=/tmp/zone TMPDIR=/tmp PATH=/tmp:/usr/bin:/bin";

#[test]
fn su_ignores_a_bus_of_the_callers_choice() {
    let machine = Machine::new();
    machine.service(
        "su",
        "auth required pam_totp.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    );
    let seed = machine.enrolled("bob", 1);
    machine.write(
        "/tmp/false-bus.conf",
        "<busconfig><type>session</type><listen>unix:path=/tmp/false-bus</listen>\
         <auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>\
         <allow receive_sender=\"*\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>\n",
    );
    machine.run("setpriv --reuid carol --clear-groups dbus-daemon --config-file=/tmp/false-bus.conf --fork").stdout_ok();
    let mut fake_totpd = machine.start(
        "setpriv --reuid carol --clear-groups /opt/tests/fake_totpd unix:path=/tmp/false-bus /tmp/asked",
    );
    // It would approve anything: this is what the module must never get to hear.
    let ask = "setpriv --reuid carol --clear-groups gdbus call --address unix:path=/tmp/false-bus \
               --dest org.totpd.Totp1 --object-path /org/totpd/Totp1 \
               --method org.totpd.Totp1.Login.Verify bob 1 '@a{sv} {}'";
    eventually("the false daemon answers", || machine.run(ask).stdout.contains("approved"));
    machine.run("rm /tmp/asked").stdout_ok();

    let su = |code: &str| {
        machine.run_as_with_input(
            "carol",
            &format!("env {HOSTILE} su bob -c 'echo in'"),
            &format!("{code}\n"),
        )
    };
    let refusal = su(&seed.wrong_code());
    assert!(refusal.status != 0 && !refusal.stdout.contains("in"), "{refusal:#?}");
    // The loader's own complaint about LD_PRELOAD is of `env`, which is not setuid.
    let messages: Vec<_> = refusal.stderr.lines().filter(|line| !line.contains("ld.so")).collect();
    assert!(
        messages.iter().all(|line| line.contains("su: ") || line.contains("code: ")),
        "{messages:?}"
    );
    assert_ne!(machine.run("test -e /tmp/asked").status, 0, "the false bus was asked");
    assert!(su(&seed.code()).stdout.contains("in"), "the right bus is still asked");
    fake_totpd.kill().unwrap();
    fake_totpd.wait().unwrap();
}

/// `su` without `-` leaves root the PATH of another user.
#[test]
fn root_runs_no_program_of_somebody_elses_path() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run("sed -i '/^@include common-auth/a auth required pam_totp.so' /etc/pam.d/sshd")
        .stdout_ok();
    machine
        .run(
            "mkdir /tmp/evil; cd /tmp/evil
             for name in id journalctl pkttyagent sshd sudo systemctl systemd-creds systemd-run totpctl totpd; do
               printf '#!/bin/sh\\necho %s >> /tmp/ran\\n' $name > $name
             done
             chmod +x *",
        )
        .stdout_ok();
    let run = |command: &str| machine.run(&format!("PATH=/tmp/evil:$PATH; {command}"));
    assert!(run("journalctl; cat /tmp/ran; rm /tmp/ran").stdout.contains("journalctl"));
    let totpctl = "/usr/bin/totpctl";
    assert!([0, 1].contains(&run(&format!("{totpctl} doctor")).status));
    // The countdown without systemd is a process of its own. systemd is then asked to stop it.
    let mut trial = machine.start("exec /usr/bin/totpctl try su > /tmp/tried 2>&1");
    eventually("it holds", || machine.run("cat /tmp/tried").stdout.contains("Enabled until"));
    machine.run("mkdir -p /run/systemd/system").stdout_ok();
    run(&format!("{totpctl} try --undo")).stdout_ok();
    trial.wait().unwrap();
    // They get as far as the program that cannot do it here.
    for (command, reason) in [
        ("try sudo", "cannot start the countdown"),
        ("seal-key --tpm2", "systemd-creds"),
        ("doctor sshd sudo", "sshd: asks for a code"),
    ] {
        let ran = run(&format!("{totpctl} {command} < /dev/null"));
        assert!(ran.text().contains(reason), "{command}: {ran:#?}");
    }
    run(&format!("{totpctl} seal-key --undo < /dev/null"));
    // A credential of systemd that is there brings `systemctl` into it.
    machine
        .run("mkdir -p /etc/credstore.encrypted; echo x > /etc/credstore.encrypted/totpd.key.old")
        .stdout_ok();
    let undone = run(&format!("{totpctl} seal-key --undo"));
    assert_eq!(undone.status, 1, "{undone:#?}");
    assert_eq!(machine.run("cat /tmp/ran").stdout, "", "it ran programs of the PATH");
}
