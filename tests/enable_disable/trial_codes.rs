//! Which logins keep a change that `totpctl try` made.

use tests::{eventually, pam};

use super::trial::{let_root_in_by_key, start_trial};
use super::{SSHD, machine, ssh};

#[test]
fn a_login_by_a_key_is_told_and_keeps_nothing() {
    let (machine, seed) = machine();
    let by_key = format!("{} true", let_root_in_by_key(&machine, ""));
    let mut child = start_trial(&machine, "totpctl try sshd");
    machine.run(&by_key).stdout_ok();
    eventually("the login is told", || {
        let told = machine.run("cat /tmp/tried").stdout_ok();
        told.contains("root logged in through sshd without the code of an app")
            && told.contains("PubkeyAuthentication=no")
    });
    assert!(child.try_wait().unwrap().is_none());
    machine.run(&by_key).stdout_ok();
    assert!(machine.ssh("alice", &seed.code()).run().got_in);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // sshd sets credentials twice, and the user came twice.
    let told = machine.run("cat /tmp/tried").stdout_ok();
    assert_eq!(told.matches("root logged in through sshd").count(), 1, "{told}");
    let refused = machine.run("totpctl try polkit-1");
    assert!(
        refused.status == 1 && refused.stderr.contains("could not see a login"),
        "{refused:#?}"
    );
}

/// A right code that got nobody in, and a login by a key, are no login with a code.
#[test]
fn a_refused_code_and_a_key_keep_nothing() {
    let (machine, seed) = machine();
    machine
        .run(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config
             su alice -c 'mkdir -m 700 ~/.ssh; ssh-keygen -q -t ed25519 -N \"\" -f ~/.ssh/id_ed25519
             cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys'; kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    let by_key = || {
        let login = "ssh -o BatchMode=yes -o StrictHostKeyChecking=no alice@127.0.0.1 true";
        machine.run_as("alice", login).status == 0
    };
    eventually("alice gets in by a key", by_key);
    let mut child = start_trial(&machine, "totpctl try sshd");
    let deny = format!("sed -i '/pam_totp.so/a auth required pam_deny.so' {SSHD}");
    machine.run(&deny).stdout_ok();
    assert!(!ssh(&machine, &seed.code()), "a later line refuses");
    assert!(machine.run("totpctl show alice").stdout_ok().contains("sshd"), "the code was right");
    assert!(by_key());
    eventually("the login is told", || {
        let told = machine.run("cat /tmp/tried").stdout_ok();
        told.contains("alice logged in through sshd without the code of an app")
    });
    assert!(child.try_wait().unwrap().is_none());
    machine.run(&format!("sed -i '/pam_deny.so/d' {SSHD}")).stdout_ok();
    assert!(ssh(&machine, &seed.next_code()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_login_without_a_code_keeps_nothing() {
    let (machine, seed) = machine();
    let mut child = start_trial(&machine, "totpctl try su --option nullok");
    // Bob has no factor and is not asked. A code used elsewhere shows nothing of this stack.
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    let su = |user: &str, code: &str| {
        machine.run_as(
            "carol",
            &format!(
                "/opt/tests/type-enrollment {user}pw '{code}' x su {user} -c 'echo in as $(id -un)'"
            ),
        )
    };
    assert!(su("bob", "").stdout.contains("in as bob"));
    assert!(child.try_wait().unwrap().is_none());
    assert!(machine.run("totpctl try").stdout_ok().contains("su, su-l are being tried"));
    assert!(su("alice", &seed.next_code()).stdout.contains("in as alice"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = machine.run("cat /etc/pam.d/su").stdout_ok();
    assert!(text.contains("pam_totp.so nullok\n"), "{text}");
}

#[test]
fn a_command_by_sudo_keeps_it_too() {
    let (machine, seed) = machine();
    machine.run("usermod -aG sudo alice").stdout_ok();
    let mut child = start_trial(&machine, "totpctl try sudo");
    // A line of another version is looked past.
    machine.run("printf 'sudo\\troot\\talice\\n' >> /run/totpctl/entered").stdout_ok();
    let sudo = format!("/opt/tests/type-enrollment alicepw {} x sudo -k id -un", seed.code());
    let ran = machine.run_as("alice", &sudo);
    assert!(ran.stdout.lines().any(|line| line.trim() == "root"), "{ran:#?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    machine
        .run("grep -q pam_totp.so /etc/pam.d/sudo && grep -q pam_totp.so /etc/pam.d/sudo-i")
        .stdout_ok();
}
