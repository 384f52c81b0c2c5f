//! Users and connections that match several `Match` blocks.

use tests::Machine;

use super::{RELOAD, is_problem};

/// Returns a machine on which bob has a key, and alice and bob are in the group staff2. sshd asks
/// all users for key and code, before these blocks.
fn machine_with(blocks: &str) -> Machine {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.write("/root/blocks", blocks);
    machine
        .run(&format!(
            "groupadd staff2; usermod -aG staff2 alice; usermod -aG staff2 bob
             mkdir -p -m 700 /root/.ssh ~bob/.ssh
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
             cp /root/.ssh/id_ed25519.pub ~bob/.ssh/authorized_keys; chown -R bob ~bob/.ssh
             sed -i '/^PubkeyAuthentication/d' /etc/ssh/sshd_config
             printf 'PubkeyAuthentication yes\\nAuthenticationMethods publickey,keyboard-interactive\\n' |
                 cat - /etc/ssh/sshd_config /root/blocks > /root/all
             cp /root/all /etc/ssh/sshd_config; sshd -t && {RELOAD}"
        ))
        .stdout_ok();
    machine.run("totpctl enable sshd --even-so --yes").stdout_ok();
    machine
}

/// Reports whether bob gets in by the key alone.
fn gets_in(machine: &Machine, port: u16) -> bool {
    let ssh =
        format!("ssh -p {port} -o BatchMode=yes -o StrictHostKeyChecking=no bob@127.0.0.1 id -un");
    machine.run(&ssh).stdout == "bob\n"
}

#[test]
fn a_user_whom_an_earlier_block_does_not_hold_is_found() {
    let note = "sshd-match-methods-without-code";
    let held = "Match User alice\nAuthenticationMethods publickey,keyboard-interactive\n";
    for block in ["Group staff2", "User alice,bob"] {
        let free = format!("{held}Match {block}\nAuthenticationMethods publickey\n");
        let machine = machine_with(&free);
        assert!(gets_in(&machine, 22), "{block}");
        assert_eq!(is_problem(&machine, note), Some(false), "{block}");
        machine
            .run(&format!("sed -i '/^Match {block}/,$d' /etc/ssh/sshd_config; {RELOAD}"))
            .stdout_ok();
        assert!(!gets_in(&machine, 22), "{block}");
        assert_eq!(is_problem(&machine, note), None, "{block}");
    }
    // sshd refuses alice, the first member, and lets bob in.
    let refused = "Match Group staff2\nAuthenticationMethods publickey\nAllowUsers bob\n";
    let machine = machine_with(refused);
    assert!(gets_in(&machine, 22));
    assert_eq!(is_problem(&machine, note), Some(false));
}

#[test]
fn a_place_that_an_earlier_block_excludes_is_found() {
    let blocks = "Match Address *,!127.0.0.6\nAuthenticationMethods publickey,keyboard-interactive\n\
                  Match Group staff2\nAuthenticationMethods publickey\n";
    let machine = machine_with(blocks);
    let inside =
        "ssh -b 127.0.0.6 -o BatchMode=yes -o StrictHostKeyChecking=no bob@127.0.0.1 id -un";
    assert_eq!(machine.run(inside).stdout, "bob\n");
    assert!(!gets_in(&machine, 22));
    assert_eq!(is_problem(&machine, "sshd-match-methods-without-code"), Some(false));
    assert_eq!(is_problem(&machine, "sshd-match-unknown"), None);
}

#[test]
fn root_is_found_behind_a_block_that_excludes_root() {
    let blocks = "Match User *,!root\nAuthenticationMethods publickey,keyboard-interactive\n\
                  Match Address 127.0.0.5\nAuthenticationMethods keyboard-interactive\n";
    let machine = machine_with(blocks);
    machine.service("sshd", "auth required pam_env.so\n");
    let enable = machine.run("totpctl enable sshd --option enroll --even-so --yes");
    let is_told = enable.stderr.contains("a stranger could create a factor there");
    assert!(enable.status == 1 && is_told, "{enable:#?}");
    machine.service("sshd", "auth required pam_env.so\nauth required pam_totp.so enroll\n");
    assert_eq!(is_problem(&machine, "stranger-can-enroll"), Some(true));
    machine.service("sshd", "auth required pam_permit.so\nauth required pam_totp.so nullok\n");
    assert_eq!(is_problem(&machine, "nullok-without-password"), Some(true));
}

#[test]
fn a_block_for_a_port_is_checked() {
    let block =
        "Match LocalPort 2222\nAuthenticationMethods publickey\nMatch all\nX11Forwarding no\n";
    let machine = machine_with(block);
    machine
        .run(&format!("sed -i '1i Port 22\\nPort 2222' /etc/ssh/sshd_config; {RELOAD}"))
        .stdout_ok();
    tests::eventually("sshd listens on both ports", || gets_in(&machine, 2222));
    assert!(!gets_in(&machine, 22));
    assert_eq!(is_problem(&machine, "sshd-match-methods-without-code"), Some(false));
    for absent in ["sshd-config-unreadable", "sshd-match-unknown"] {
        assert_eq!(is_problem(&machine, absent), None, "{absent}");
    }
    machine.run("totpctl disable sshd && totpctl enable sshd --even-so --yes").stdout_ok();
}
