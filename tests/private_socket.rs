//! The private socket: who may use it, what may be said there, and that it needs no bus.

use tests::{Machine, eventually, pam};

const SOCKET: &str = "/run/totpd/private";

/// Speaks to the socket, byte for byte. Returns the answer up to the close by the other end, or up
/// to two seconds of silence.
fn say(machine: &Machine, bytes: &str) -> String {
    let command =
        format!("printf '{bytes}' | timeout 20 socat -t 2 - UNIX-CONNECT:{SOCKET} | tr -d '\\000'");
    machine.run(&command).stdout
}

#[test]
fn only_root_reaches_it_and_all_interfaces_are_there() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let stat = machine.run(&format!("stat -c '%U %a %F' {SOCKET} /run/totpd")).stdout_ok();
    assert_eq!(stat, "root 600 socket\nroot 755 directory\n");
    let refusal =
        machine.run_as("alice", &format!("socat -u OPEN:/dev/null UNIX-CONNECT:{SOCKET}"));
    assert!(refusal.stderr.contains("Permission denied"), "{refusal:#?}");
    // A client that is not the module: zbus, peer to peer.
    let call = |words: &str| machine.run(&format!("/opt/tests/peer_call {SOCKET} {words}"));
    let prompt = call("Login.Begin alice").stdout_ok();
    assert!(prompt.contains("Verification code: "), "{prompt}");
    assert!(call(&format!("Login.Verify alice {}", seed.code())).stdout_ok().contains("approved"));
    for (words, error) in [
        ("Login.Begin alice bob", "InvalidArgs"),
        ("Login.Verify alice", "InvalidArgs"),
        ("Manager.GetUser alice", "InvalidArgs"),
        ("Manager.Remove alice", "InvalidArgs"),
        ("Store.Rekey alice", "InvalidArgs"),
        ("Other.Begin alice", "UnknownMethod"),
        ("Login.Nothing alice", "UnknownMethod"),
    ] {
        let refusal = call(words);
        assert!(refusal.stderr.contains(error), "{words}: {refusal:#?}");
    }
    // The word of the kernel counts, and not that of the other end.
    assert!(say(&machine, "\\0AUTH EXTERNAL 31303030\\r\\n").starts_with("REJECTED EXTERNAL\r\n"));
    assert!(say(&machine, "\\0AUTH ANONYMOUS\\r\\n").starts_with("REJECTED EXTERNAL\r\n"));
}

#[test]
fn malformed_input_on_the_private_socket_harms_nobody() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let long = "A".repeat(5000);
    for bytes in [
        "",
        "\\n",
        "\\0",
        "AUTH EXTERNAL 30\\r\\n",
        "\\0BEGIN\\r\\n",
        "\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\n",
        "\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\nx\\001\\000\\001AAAAAAAAAAAAAAAAAAAAAAAA",
        "\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\nl\\001\\000\\001\\377\\377\\377\\377\\001\\000\\000\\000\\377\\377\\377\\377",
        "\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\nl\\001\\000\\001\\000\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000\\000",
        "\\0AUTH EXTERNAL 30\\r\\nBEGIN\\r\\nl\\001\\000\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000",
        "\\0\\377\\377\\377\\r\\n",
        &long,
        &"\\0DATA\\r\\n".repeat(100),
    ] {
        say(&machine, bytes);
    }
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_client_that_leaks_connections_starves_nobody() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.write(
        "/root/leak.py",
        "import socket, time\n\
         kept = []\n\
         for n in range(600):\n    \
             s = socket.socket(socket.AF_UNIX); s.connect('/run/totpd/private'); kept.append(s)\n\
         print('leaked', flush=True)\n\
         time.sleep(100)\n",
    );
    let mut leak = machine.start("exec /usr/bin/python3 /root/leak.py > /tmp/leaked");
    eventually("600 connections hang", || machine.run("cat /tmp/leaked").stdout.contains("leaked"));
    let login = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(login.rc, pam::SUCCESS, "{login:#?}");
    leak.kill().unwrap();
    leak.wait().unwrap();
}

#[test]
fn a_socket_that_was_left_behind_is_taken_over() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.kill_daemon("KILL");
    assert_eq!(machine.run(&format!("test -S {SOCKET}")).status, 0, "left by the killed daemon");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    machine.run(&format!("/opt/tests/peer_call {SOCKET} Login.Begin alice")).stdout_ok();
}

/// systemd starts the daemon like this: with the socket, at the first connection. There is no bus
/// at all here.
#[test]
fn the_first_login_starts_the_daemon_over_its_socket() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    machine
        .run(&format!("kill $(pidof dbus-daemon); rm /run/dbus/system_bus_socket {SOCKET}"))
        .stdout_ok();
    let mut systemd = machine
        .start(&format!("umask 177; exec systemd-socket-activate -l {SOCKET} /usr/libexec/totpd"));
    eventually("it listens", || machine.run(&format!("test -S {SOCKET}")).status == 0);
    assert_eq!(machine.daemon(), None);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    systemd.wait().unwrap();
}

/// An ordinary user opens connections to the bus and says nothing. This stalls the bus for all
/// users.
#[test]
fn a_stalled_bus_keeps_roots_programs_from_nobody() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.write(
        "/tmp/stall.py",
        "import socket, sys, time\n\
         kept = []\n\
         for n in range(70):\n    \
             s = socket.socket(socket.AF_UNIX); s.setblocking(False)\n    \
             s.connect('/run/dbus/system_bus_socket'); kept.append(s)\n\
         print('stalled', flush=True)\n\
         time.sleep(100)\n",
    );
    machine
        .run("sed -i '/^@include common-auth/a auth required pam_totp.so' /etc/pam.d/sshd")
        .stdout_ok();
    let mut stall = machine.start(
        "exec setpriv --reuid carol --clear-groups /usr/bin/python3 /tmp/stall.py > /tmp/stalled",
    );
    eventually("the bus is stalled", || machine.run("cat /tmp/stalled").stdout.contains("stalled"));
    assert_ne!(machine.run("timeout 3 busctl --system list").status, 0, "it answers nobody");
    let code = seed.code();
    let login = machine.ssh("alice", &code).run();
    assert!(login.got_in, "{login:#?}");
    assert!(!machine.ssh("alice", &code).run().got_in, "a used code");
    // Elsewhere: refused, and in time.
    machine.service("short", "auth required pam_totp.so nodelay timeout=2\n");
    let refusal = machine.run_as("alice", "/opt/tests/pam short alice 123456");
    assert!(refusal.stdout.contains(&format!("rc={} ", pam::AUTHINFO_UNAVAIL)), "{refusal:#?}");
    let ms: u64 = refusal.stdout.trim().rsplit("ms=").next().unwrap().parse().unwrap();
    assert!(ms < 5000, "{refusal:#?}");
    assert!(machine.log().contains("no answer within 2 s"), "{}", machine.log());
    stall.kill().unwrap();
    stall.wait().unwrap();
}
