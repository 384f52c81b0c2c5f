//! Lockers and a greeter, on a screen in memory.

use tests::{Machine, eventually};

use super::{Program, nothing, try_out};

/// Prepares a screen in memory.
fn screen(machine: &Machine) {
    // The socket has a name before anybody can connect. Xvfb writes its number when it listens.
    // Without -noreset it throws out who just connects when the last client leaves.
    let start =
        "Xvfb :9 -screen 0 640x480x24 -noreset -displayfd 3 3> /tmp/screen > /tmp/xvfb 2>&1 &";
    machine.run(start).stdout_ok();
    eventually("the screen is there", || machine.run("grep -qx 9 /tmp/screen").status == 0);
}

#[test]
fn i3lock() {
    try_out(&Program {
        heading: "i3lock",
        prepare: screen,
        enter: |machine, password, code| {
            machine.run_as("alice", &format!("/opt/tests/i3lock-try '{password}{code}'"))
        },
        terminal: false,
    });
}

#[test]
fn xscreensaver() {
    try_out(&Program {
        heading: "xscreensaver",
        prepare: screen,
        enter: |machine, password, code| {
            let script = format!("HOME=~alice /opt/tests/xscreensaver-try '{password}' '{code}'");
            machine.run_as("alice", &script)
        },
        terminal: false,
    });
}

#[test]
fn lightdm() {
    try_out(&Program {
        heading: "lightdm",
        prepare: nothing,
        enter: |machine, password, code| {
            machine.run(&format!("/opt/tests/lightdm-try alice '{password}' '{code}'"))
        },
        terminal: false,
    });
}
