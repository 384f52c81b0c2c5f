//! A service that is absent refuses at once, and the log says why. It works again when it is back.

use tests::{Machine, Seed, eventually, pam};

fn asks_in_vain(machine: &Machine, service: &str, at_most_ms: u64, reason: &str) {
    let refused = machine.pam(service, "alice", "123456").run();
    assert_eq!(refused.rc, pam::AUTHINFO_UNAVAIL, "{refused:#?}");
    assert!(refused.ms <= at_most_ms, "{refused:#?}");
    assert_eq!(refused.shown, ["Verification is not available. Ask your administrator."]);
    eventually(reason, || machine.log().contains(reason));
}

#[test]
fn a_missing_bus_refuses_and_root_still_logs_in() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("kill $(pidof dbus-daemon)").stdout_ok();
    eventually("the bus is gone", || machine.run("pidof dbus-daemon").status != 0);
    // A user who is not root has no other way.
    let refused = machine.run_as("alice", "/opt/tests/pam totp alice 123456");
    assert!(refused.stdout.contains(&format!("rc={} ", pam::AUTHINFO_UNAVAIL)), "{refused:#?}");
    // Root has another way. A dead bus is reported once, and it is no reason to end.
    let code = seed.code();
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::AUTH_ERR);
    // totpctl has another way too, for all its work.
    assert!(machine.run("totpctl show alice").stdout_ok().contains("alice"));
    machine.run("totpctl enroll bob --qr none </dev/null");
    assert!(machine.run("totpctl show bob").stdout_ok().contains("bob"));
    machine.run_with_input("totpctl backup /root/whole", "a long passphrase\n").stdout_ok();
    machine.run("totpctl verify-store && totpctl rekey").stdout_ok();
    machine.run("dbus-daemon --system --fork --nopidfile").stdout_ok();
    eventually("it takes its name on the new bus", || machine.owns_its_name());
    assert_eq!(
        machine.log().matches("only root's programs are served").count(),
        1,
        "{}",
        machine.log()
    );
    machine.run("kill $(pidof dbus-daemon)").stdout_ok();
    machine.kill_daemon("KILL");
    asks_in_vain(&machine, "totp", 1000, "access denied: totpd is unavailable: ");
    machine.run("rm /run/dbus/system_bus_socket");
    asks_in_vain(&machine, "totp", 1000, "access denied: totpd is unavailable: ");
    let refused = machine.run("totpctl list");
    assert_eq!(refused.status, 3, "{refused:#?}");
    assert!(refused.stderr.contains("cannot reach the system bus"), "{refused:#?}");
    assert!(refused.stderr.contains("/usr/libexec/totpd by hand"), "{refused:#?}");
}

/// A container as Docker makes them: no bus, no systemd, and the daemon is started by hand.
#[test]
fn root_manages_everything_without_a_bus() {
    let machine = Machine::new();
    machine
        .run("kill $(pidof dbus-daemon); rm -rf /run/dbus/system_bus_socket /usr/bin/dbus-daemon")
        .stdout_ok();
    let mut daemon = machine.start("exec /usr/libexec/totpd");
    eventually("it listens", || machine.run("test -S /run/totpd/private").status == 0);
    let seed = Seed::numbered(7);
    let enroll = "totpctl enroll bob --secret-stdin --qr none";
    machine.run_with_input(enroll, &seed.first_codes()).stdout_ok();
    let pending = machine.run("totpctl --json enroll alice --qr none").stdout_ok();
    let secret = pending.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
    let alice = Seed(secret.to_owned());
    machine.run_with_input("totpctl confirm alice", &format!("{}\n", alice.code())).stdout_ok();
    assert!(machine.run("totpctl show alice").stdout_ok().contains("verified"));
    let listed = machine.run("totpctl list").stdout_ok();
    assert!(listed.contains("alice") && listed.contains("bob"), "{listed}");
    assert_eq!(machine.pam("totp", "bob", &seed.code()).run().rc, pam::SUCCESS);
    for command in [
        "recovery-codes alice",
        "unlock alice",
        "set alice --factor $(totpctl --json show alice | grep -o 'f-[a-z0-9]*' | head -n 1) --disable",
        "verify-store",
        "rekey",
        "remove alice",
    ] {
        let ran = machine.run(&format!("totpctl {command}"));
        assert_eq!(ran.status, 0, "{command}: {ran:#?}");
    }
    assert!(machine.run("totpctl show alice").stdout_ok().contains("not enrolled"));
    let doctor = machine.run("totpctl doctor").text();
    assert!(doctor.contains("answers") && doctor.contains("[clock-unknown]"), "{doctor}");
    machine.run("totpctl enable su --option nullok").stdout_ok();
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
}

#[test]
fn a_daemon_that_hangs() {
    let machine = Machine::new();
    machine.service("short", "auth required pam_totp.so nodelay timeout=1\n");
    let seed = machine.enrolled("alice", 1);
    machine.run_with_input("totpctl backup /root/whole", "a long passphrase\n").stdout_ok();
    machine.run("kill -STOP $(pidof totpd)").stdout_ok();
    let refused = machine.pam("short", "alice", "123456").run();
    assert_eq!(refused.rc, pam::AUTHINFO_UNAVAIL, "{refused:#?}");
    assert!((900..5000).contains(&refused.ms), "{refused:#?}");
    assert!(machine.log().contains("no answer within 1 s"), "{}", machine.log());
    // Each command waits half a minute, and all of them wait at once. Commands that may take longer
    // wait as long.
    let told = machine.run(
        "echo bob >/root/bob; for command in list verify-store rekey 'enroll --batch /root/bob --no-confirm' \
         'backup /root/b' 'restore /root/whole --yes --replace'; do \
         (echo 'a long passphrase' | totpctl $command 2>&1; echo \"$command: $?\") & done; wait",
    );
    assert_eq!(told.stdout.matches("no reply within 30 s").count(), 6, "{told:#?}");
    assert_eq!(told.stdout.matches(": 3\n").count(), 6, "{told:#?}");
    assert_eq!(machine.run("ls /root/b").status, 2, "no half of a backup is left");
    machine.run("kill -CONT $(pidof totpd)").stdout_ok();
    assert_eq!(machine.pam("short", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_daemon_that_cannot_start() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    for (breaks, repairs, reason) in [
        ("chmod -x /usr/libexec/totpd", "chmod +x /usr/libexec/totpd", "unavailable"),
        (
            "echo 'nonsense = 1' > /etc/totpd/totpd.toml.d/10-test.toml",
            "rm /etc/totpd/totpd.toml.d/10-test.toml",
            "totpd.toml.d/10-test.toml:1: nonsense",
        ),
        ("chmod 755 /var/lib/totpd", "chmod 700 /var/lib/totpd", "mode 0755"),
        (
            "mv /var/lib/totpd/store.key /root/",
            "mv /root/store.key /var/lib/totpd/",
            "is missing (found: no key)",
        ),
    ] {
        machine.kill_daemon("TERM");
        machine.run(breaks).stdout_ok();
        asks_in_vain(&machine, "totp", 4000, reason);
        let refused = machine.run("totpctl list");
        assert_eq!(refused.status, 3, "{refused:#?}");
        machine.run(repairs).stdout_ok();
    }
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_store_that_cannot_write_refuses_once_logged_and_recovers() {
    // Too small a disk for the room that the store reserves.
    let machine = Machine::new();
    machine
        .run("mount -t tmpfs -o size=512k,mode=700 tmpfs /var/lib/totpd && chown root:root /var/lib/totpd")
        .stdout_ok();
    let seed = machine.enrolled("alice", 1);
    machine.run("cat /dev/zero > /var/lib/totpd/filler 2>/dev/null");
    let mut refused = 0;
    for _ in 0..200 {
        // SQLite may write some more pages to its log. Then there is no room.
        let result = machine.pam("totp", "bob", "123456").from("192.0.2.7").run();
        if result.rc == pam::AUTHINFO_UNAVAIL {
            refused += 1;
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the disk is full and nobody noticed");
    let log = machine.log();
    assert_eq!(log.matches("cannot read or write the store").count(), 1 + 5, "{log}");
    let enrolled = machine.run("totpctl enroll carol --qr none");
    assert_eq!(enrolled.status, 1, "{enrolled:#?}");
    assert!(enrolled.stderr.contains("write the store"), "{enrolled:#?}");
    machine.run("rm /var/lib/totpd/filler").stdout_ok();
    let code = seed.code();
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::AUTH_ERR);
    assert!(machine.log().contains("can be read and written again"));
}

#[test]
fn decisions_go_to_syslog_without_a_journal() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("misspelt", "auth required pam_totp.so nulok\n");
    machine.run("rm /run/systemd/journal/socket").stdout_ok();
    machine.pam("totp", "alice", "000000").from("192.0.2.1").terminal("tty7").run();
    machine.pam("misspelt", "alice", "000000").run();
    let log = machine.log();
    assert!(log.contains("<85>totpd["), "{log}");
    assert!(log.contains("denied for alice at totp from 192.0.2.1: wrong code"), "{log}");
    assert!(log.contains("<83>pam_totp["), "{log}");
}

#[test]
fn a_read_only_disk_at_start_refuses_once_logged_and_recovers() {
    let machine = Machine::new();
    machine.run("mount -t tmpfs -o size=16m,mode=700 tmpfs /var/lib/totpd").stdout_ok();
    let seed = machine.enrolled("alice", 1);
    // A file that is open for writing would keep the disk from becoming read-only.
    machine.kill_daemon("KILL");
    machine.run("mount -o remount,ro /var/lib/totpd").stdout_ok();
    let code = seed.code();
    for _ in 0..5 {
        let refused = machine.pam("totp", "alice", &code).run();
        assert_eq!(refused.rc, pam::AUTHINFO_UNAVAIL, "{refused:#?}");
    }
    let listed = machine.run("totpctl list");
    assert!(listed.stderr.contains("cannot read or write the store"), "{listed:#?}");
    let log = machine.log();
    // The daemon logs it at its start, and the first login logs it. Later logins do not.
    assert_eq!(log.matches("Read-only file system").count(), 2, "{log}");
    machine.run("mount -o remount,rw /var/lib/totpd").stdout_ok();
    eventually("it is opened again", || machine.log().contains("can be opened again"));
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::AUTH_ERR);
}

#[test]
fn a_disk_without_a_free_inode_keeps_nobody_out() {
    let machine = Machine::new();
    machine
        .run("mount -t tmpfs -o size=16m,nr_inodes=20,mode=700 tmpfs /var/lib/totpd")
        .stdout_ok();
    let seed = machine.enrolled("alice", 1);
    machine.run("for n in $(seq 100); do : > /var/lib/totpd/filler$n; done 2>/dev/null");
    assert_eq!(machine.run("df --output=iavail /var/lib/totpd | tail -n1").stdout_ok().trim(), "0");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    let next = seed.next_code();
    assert_eq!(machine.pam("totp", "alice", &next).run().rc, pam::SUCCESS);
    // A new key needs a file: refused, and nothing is lost.
    let rekey = machine.run("totpctl rekey");
    assert_eq!(rekey.status, 1, "{rekey:#?}");
    machine.run("rm /var/lib/totpd/filler*").stdout_ok();
    machine.run("totpctl rekey").stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &next).run().rc, pam::AUTH_ERR);
}
