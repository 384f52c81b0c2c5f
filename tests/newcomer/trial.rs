//! What a trial says to a person.

use tests::{Machine, eventually};

/// The command is run as it is printed.
#[test]
fn a_trial_names_a_command_that_keeps_the_change() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.write("/etc/sudoers.d/10-alice", "alice ALL=(ALL) ALL\n");
    // A key lets alice in without a code, so a plain ssh would keep nothing.
    machine
        .run(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config
             install -d -m 700 -o alice -g alice ~alice/.ssh; install -d -m 700 ~/.ssh
             ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
             install -m 600 -o alice -g alice ~/.ssh/id_ed25519.pub ~alice/.ssh/authorized_keys
             echo 'StrictHostKeyChecking no' > ~/.ssh/config; kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    eventually("a key is enough", || machine.run("ssh alice@localhost true").status == 0);
    for (service, expected, person) in [
        ("sshd", "ssh -o PubkeyAuthentication=no USER@localhost", "root"),
        ("sudo", "sudo -k true", "alice"),
        ("su", "su - USER", "carol"),
    ] {
        // What the last trial said would be taken for the words of this one.
        machine.run("rm -f /tmp/told").stdout_ok();
        let mut trial =
            machine.start(&format!("exec totpctl try {service} >/tmp/tried 2>/tmp/told"));
        let told = || machine.run("cat /tmp/told").stdout;
        eventually("the trial holds", || told().contains("Enabled until"));
        let told = told();
        let how = told.split("To keep it, log in with a code ").nth(1).expect(&told);
        let command = how.lines().next().unwrap().rsplit(": ").next().unwrap();
        assert_eq!(command, expected, "{service}: {told}");
        if service == "sshd" {
            machine.run("ssh alice@localhost true").stdout_ok();
            assert!(trial.try_wait().unwrap().is_none(), "a login by a key keeps nothing");
        }
        let code = machine.fresh_code("alice");
        let typed = format!(
            "/opt/tests/type-enrollment alicepw {code} x setpriv --reuid {person} --regid {person} \
             --init-groups {}",
            command.replace("USER", "alice")
        );
        let login = machine.run(&typed);
        assert_eq!(trial.wait().unwrap().code(), Some(0), "{service}: {login:#?}");
        let kept = machine.run(&format!("grep -c pam_totp.so /etc/pam.d/{service}")).stdout_ok();
        assert_eq!(kept, "1\n", "{service}: {login:#?}");
    }
}

#[test]
fn a_reverted_trial_says_so_once() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let trial = machine.start("exec totpctl try login >/tmp/told 2>&1");
    eventually("the trial holds", || {
        machine
            .run("cat /tmp/told")
            .stdout
            .contains("To keep it, log in with a code at another console")
    });
    let undone = machine.run("totpctl try --undo");
    let ended = trial.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let told = machine.run("cat /tmp/told").stdout_ok();
    let sentence = "login: reverted, nobody logged in with a code.";
    for text in [&told, &undone.text()] {
        assert_eq!(text.matches(sentence).count(), 1, "{text}");
        assert_eq!(text.matches(": reverted, ").count(), 1, "{text}");
    }
}
