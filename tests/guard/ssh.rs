//! OpenSSH, which asks PAM for nothing but the account phase after a key.

use tests::{Machine, eventually};

use super::NEEDS_CODE;

/// A client that shows what the server says, and answers with a password and a code.
const SSH: &str = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=INFO \
                   -o NumberOfPasswordPrompts=1";
const HOW: &str = "Try: ssh -o PreferredAuthentications=keyboard-interactive";
const BY_KEY: &str = "-o PreferredAuthentications=publickey";
const BY_ANSWERS: &str = "-o PreferredAuthentications=keyboard-interactive";
const BY_BOTH: &str = "-o PreferredAuthentications=publickey,keyboard-interactive";

/// Returns a machine whose sshd takes keys, with a guard, and a key of root for alice and bob.
fn guarded(methods: &str) -> Machine {
    let machine = Machine::new();
    machine
        .run(&format!(
            "set -e
             sed -i 's/^@include common-auth/&\\nauth required pam_totp.so nodelay/
                     s/^@include common-account/account required pam_totp.so guard\\n&/' /etc/pam.d/sshd
             grep -c pam_totp.so /etc/pam.d/sshd
             sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes\\nSubsystem sftp internal-sftp\\n{methods}/' /etc/ssh/sshd_config
             mkdir -p /root/.ssh
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
             for user in alice bob; do
               install -d -o $user /home/$user/.ssh
               install -o $user /root/.ssh/id_ed25519.pub /home/$user/.ssh/authorized_keys
             done"
        ))
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    machine
}

/// Runs a script in which `$SSH` has the options of a client. Its user answers with this code.
fn client(machine: &Machine, options: &str, code: &str, script: &str) -> (bool, String) {
    let ran = machine.run(&format!(
        "export SSH_ASKPASS=/opt/tests/askpass SSH_ASKPASS_REQUIRE=force PASSWORD=alicepw CODE='{code}'
         SSH='{SSH} {options}'\n{script}"
    ));
    (ran.stdout.lines().any(|line| line.contains("in as alice")), ran.text())
}

const SHELL: &str = "ssh $SSH alice@127.0.0.1 'echo in as $(id -un)'";

#[test]
fn a_key_alone_is_refused_with_its_reason_and_a_code_opens() {
    let machine = guarded("");
    machine.enrolled("alice", 1);
    let (got_in, told) = client(&machine, BY_KEY, "", SHELL);
    assert!(!got_in && told.contains(NEEDS_CODE) && told.contains(HOW), "{told}");
    // The client has the key still, and does what the text says.
    let (got_in, told) = client(&machine, BY_ANSWERS, &machine.fresh_code("alice"), SHELL);
    assert!(got_in && !told.contains(NEEDS_CODE), "{told}");
    let (got_in, told) = client(&machine, BY_ANSWERS, "000000", SHELL);
    assert!(!got_in, "{told}");
    let log = machine.log();
    let line = "denied for alice at sshd from nowhere (127.0.0.1): no code was given";
    assert!(log.contains(line), "{log}");
    // A user without a factor is told, too.
    let bob = SHELL.replace("alice", "bob");
    let (_, told) = client(&machine, BY_KEY, "", &bob);
    assert!(told.contains(super::NO_FACTOR) && !told.contains("in as bob"), "{told}");
}

#[test]
fn a_key_and_a_code_get_in_where_sshd_wants_both() {
    let machine = guarded("AuthenticationMethods publickey,keyboard-interactive");
    machine
        .run("sed -i '/^@include common-auth/d' /etc/pam.d/sshd && ! grep common-auth /etc/pam.d/sshd")
        .stdout_ok();
    let (got_in, told) = client(&machine, BY_BOTH, &machine.fresh_code("alice"), SHELL);
    assert!(got_in, "{told}");
    let (got_in, told) = client(&machine, BY_BOTH, "000000", SHELL);
    assert!(!got_in, "{told}");
}

/// The same for everything that needs no shell.
#[test]
fn no_use_of_ssh_gets_around_the_guard() {
    let machine = guarded("");
    machine.enrolled("alice", 1);
    let kept = "echo in as alice > /home/alice/kept; chown alice /home/alice/kept";
    machine.run(kept).stdout_ok();
    for (name, script) in [
        ("sftp", "printf 'get kept /tmp/got\\n' | sftp $SSH alice@127.0.0.1; cat /tmp/got"),
        ("scp", "scp $SSH alice@127.0.0.1:kept /tmp/got; cat /tmp/got"),
        ("scp of old", "scp -O $SSH alice@127.0.0.1:kept /tmp/got; cat /tmp/got"),
        (
            "a forwarded port without a shell",
            "ssh $SSH -N -f -M -S /tmp/shared -o ExitOnForwardFailure=yes -L 2222:127.0.0.1:22 alice@127.0.0.1
             if read -t 10 -r line <>/dev/tcp/127.0.0.1/2222; then echo in as alice; fi",
        ),
        (
            "a connection that others share",
            "ssh $SSH -N -f -M -S /tmp/shared alice@127.0.0.1
             ssh -S /tmp/shared -o ProxyCommand=false x 'echo in as $(id -un)'",
        ),
    ] {
        let clean = format!("rm -f /tmp/got /tmp/shared; {script}");
        let (got_in, told) = client(&machine, BY_KEY, "", &clean);
        assert!(!got_in && told.contains(NEEDS_CODE), "{name}: {told}");
        let code = machine.fresh_code("alice");
        let (got_in, told) = client(&machine, BY_ANSWERS, &code, &clean);
        assert!(got_in, "{name}: {told}");
        machine.run("[ ! -e /tmp/shared ] || ssh -S /tmp/shared -O exit x").stdout_ok();
        eventually("the client ends", || machine.run("test -e /tmp/shared").status != 0);
    }
}

/// Passwords come in the process that continues with the account phase.
#[test]
fn password_and_code_as_one_answer_pass_the_guard() {
    let machine = guarded("");
    machine
        .run(
            "sed -i 's/^@include common-auth/auth required pam_totp.so forward_pass nodelay\\nauth required pam_unix.so use_first_pass/
                     /pam_totp.so nodelay$/d' /etc/pam.d/sshd
             sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config",
        )
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    let code = machine.fresh_code("alice");
    let by_password = "-o PreferredAuthentications=password";
    let shell = format!("export PASSWORD=alicepw{code}; {SHELL}");
    let (got_in, told) = client(&machine, by_password, "", &shell);
    assert!(got_in, "{told}");
    let (got_in, told) = client(&machine, by_password, "", SHELL);
    assert!(!got_in, "{told}");
}
