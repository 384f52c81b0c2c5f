//! Every row of `docs/admin/clients.md`: each client against a server that asks for password and
//! code.

use tests::{Machine, Output, eventually};

const OPTIONS: &str =
    "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";

/// Returns a machine with such a server, and with the files that the clients fetch.
fn machine() -> Machine {
    let machine = Machine::with_programs();
    machine
        .run(&format!(
            "echo 'Subsystem sftp internal-sftp' >> /etc/ssh/sshd_config && \
             printf '@include common-auth\\nauth required pam_totp.so nodelay\\n\
             @include common-account\\n@include common-session\\n' > /etc/pam.d/sshd && \
             echo 'in as alice' > ~alice/who && chown alice: ~alice/who && mkdir -p /root/.ssh && \
             printf 'Host *\\n{}\\n' > /root/.ssh/config && \
             cd ~alice && git init -q --bare repository && chown -R alice: repository",
            OPTIONS.replace("-o ", "\\n").replace('=', " ")
        ))
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    machine
}

/// Lets a person type at the prompts of `command`.
fn person(machine: &Machine, password: &str, code: &str, command: &str) -> Output {
    machine.run(&format!("exec timeout 60 /opt/tests/type-login '{password}' '{code}' {command}"))
}

fn got_in(ran: &Output) -> bool {
    ran.stdout.contains("in as alice")
}

/// Checks that a right code gets in with `client`, and that the used one does not.
fn works(machine: &Machine, n: u32, client: &str, enter: impl Fn(&str) -> Output) {
    let seed = machine.enrolled("alice", n);
    let code = seed.code();
    let ran = enter(&code);
    assert!(got_in(&ran), "{client}: {ran:#?}");
    println!("## {client}\n{}", ran.stdout);
    let ran = enter(&code);
    assert!(!got_in(&ran), "{client}, used code: {ran:#?}");
    machine.run("totpctl unlock alice").stdout_ok();
}

#[test]
fn clients_of_a_terminal() {
    let machine = machine();
    let server = "alice@127.0.0.1";
    let who = "'echo in as $(id -un)'";
    for (n, (client, command)) in (1..).zip([
        ("ssh", format!("ssh {server} {who}")),
        ("sftp", format!("sh -c 'rm -f /tmp/who; sftp {server}:who /tmp/who && cat /tmp/who'")),
        ("scp", format!("sh -c 'rm -f /tmp/who; scp {server}:who /tmp/who && cat /tmp/who'")),
        ("rsync", format!("sh -c 'rm -f /tmp/who; rsync {server}:who /tmp/who && cat /tmp/who'")),
        (
            "git",
            format!("sh -c 'rm -rf /tmp/r; git clone -q ssh://{server}/home/alice/repository /tmp/r && echo in as alice'"),
        ),
        (
            "plink",
            format!("plink -ssh -hostkey $(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2) {server} {who}"),
        ),
        ("dbclient", format!("dbclient -y -y {server} {who}")),
    ]) {
        works(&machine, n, client, |code| person(&machine, "alicepw", code, &command));
    }
    // One code for as many connections as a master carries.
    let seed = machine.enrolled("alice", 20);
    let master = "ssh -o ControlMaster=auto -o ControlPath=/tmp/master -o ControlPersist=300";
    let first = person(&machine, "alicepw", &seed.code(), &format!("{master} {server} {who}"));
    assert!(got_in(&first), "{first:#?}");
    for _ in 0..3 {
        let later = machine.run(&format!("{master} -o BatchMode=yes {server} {who}"));
        assert!(got_in(&later), "{later:#?}");
    }
    // ansible over it, and with --ask-pass without it.
    let ansible = |arguments: &str| {
        machine.run(&format!(
            "cd /root; timeout 30 ansible all -i 127.0.0.1, -u alice -e ansible_python_interpreter=/usr/bin/python3 {arguments} </dev/null"
        ))
    };
    let over = ansible(
        "--ssh-common-args='-o ControlPath=/tmp/master' -m shell -a 'echo in as $(id -un)'",
    );
    assert!(got_in(&over), "{over:#?}");
    // become: password and code as one word.
    machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n");
    machine.write(
        "/etc/pam.d/sudo",
        "auth required pam_totp.so forward_pass quiet\nauth required pam_unix.so use_first_pass\n\
         @include common-account\n@include common-session-noninteractive\n",
    );
    machine.write("/root/become", &format!("alicepw{}", seed.next_code()));
    let become_root = ansible(
        "--ssh-common-args='-o ControlPath=/tmp/master' -b --become-password-file /root/become \
         -m shell -a 'echo in as $SUDO_USER, now $(id -un)'",
    );
    assert!(become_root.stdout.contains("in as alice, now root"), "{become_root:#?}");
    let alone = ansible("-e ansible_password=alicepw -m raw -a 'echo in as $(id -un)'");
    assert!(!got_in(&alone), "{alone:#?}");
}

#[test]
fn clients_that_are_libraries() {
    let machine = machine();
    for (n, library) in (1..).zip(["paramiko", "asyncssh"]) {
        works(&machine, n, library, |code| {
            machine.run(&format!("timeout 60 /opt/tests/clients.py {library} alicepw '{code}'"))
        });
    }
    let refusal = machine.run("timeout 60 /opt/tests/clients.py paramiko-password alicepw none");
    assert!(!got_in(&refusal), "{refusal:#?}");
}

#[test]
fn a_file_system_over_ssh() {
    let machine = machine();
    machine.run("test -e /dev/fuse || mknod /dev/fuse c 10 229; exec 3<>/dev/fuse").stdout_ok();
    works(&machine, 1, "sshfs", |code| {
        let mount =
            "sh -c 'mkdir -p /tmp/mount; sshfs alice@127.0.0.1: /tmp/mount && cat /tmp/mount/who'";
        let ran = person(&machine, "alicepw", code, mount);
        machine.run("umount -l /tmp/mount");
        ran
    });
    eventually("it is gone", || machine.run("mountpoint -q /tmp/mount").status != 0);
}
