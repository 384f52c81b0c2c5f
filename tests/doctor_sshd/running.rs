//! The sshd that runs: with which options, and whether it has read its files.

use tests::{Machine, eventually};

use super::{RELOAD, end_sshd, is_problem};

/// Starts an sshd with these options, and waits until it listens on a port.
fn start(machine: &Machine, options: &str, port: u16) {
    machine.run(&format!("/usr/sbin/sshd {options}")).stdout_ok();
    eventually("sshd listens", || {
        machine.run(&format!("exec 3<>/dev/tcp/127.0.0.1/{port}")).status == 0
    });
}

/// A change after which a code alone is enough is no note behind the change.
#[test]
fn a_code_alone_is_asked_about_before_the_change() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let stack = || machine.service("sshd", "auth required pam_env.so\n@include common-account\n");
    stack();
    let told = "a code alone lets a user in";
    for command in ["enable", "try"] {
        let refused = machine.run(&format!("totpctl {command} sshd </dev/null"));
        let is_told = refused.stderr.contains(told) && refused.stderr.contains("--yes");
        assert!(refused.status == 1 && is_told, "{refused:#?}");
    }
    let at_a_terminal = |answer: &str| {
        machine.run_with_input("script -qec 'stty -echo; totpctl enable sshd' /dev/null", answer)
    };
    let kept = at_a_terminal("n\n");
    assert!(kept.status == 1 && kept.stdout.contains("Problem: "), "{kept:#?}");
    assert!(kept.stdout.contains(told) && kept.stdout.contains("Continue?"), "{kept:#?}");
    assert_ne!(machine.run("grep -q pam_totp /etc/pam.d/sshd").status, 0);
    let changed = at_a_terminal("y\n");
    assert_eq!(changed.status, 0, "{changed:#?}");
    // It is so already.
    machine.run("totpctl enable sshd --option quiet </dev/null").stdout_ok();
    stack();
    machine.run("totpctl enable sshd --yes </dev/null").stdout_ok();
}

/// The ways in are those of the files, so a file that is gone counts before any service asks.
#[test]
fn an_sshd_that_has_not_read_its_files_is_named_without_a_code_too() {
    let machine = Machine::new();
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), None);
    machine.run("echo 'X11Forwarding no' >> /etc/ssh/sshd_config").stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), Some(false));
    machine.run(RELOAD).stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), None);
}

#[test]
fn an_sshd_is_judged_by_the_options_with_which_it_was_started() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd").stdout_ok();
    let told = || machine.run("totpctl doctor sshd").stdout;
    assert_eq!(is_problem(&machine, "sshd-key-alone"), None);

    end_sshd(&machine);
    start(&machine, "-o PubkeyAuthentication=yes -o 'KbdInteractiveAuthentication no'", 22);
    assert_eq!(is_problem(&machine, "sshd-key-alone"), Some(false));
    assert_eq!(is_problem(&machine, "sshd-cannot-ask"), Some(true));
    let option = "(sshd was started with -o KbdInteractiveAuthentication); change that option";
    assert!(told().contains(option), "{}", told());

    end_sshd(&machine);
    machine
        .run("sed 's/^UsePAM.*/UsePAM no/; /^KbdInteractive/d' /etc/ssh/sshd_config > /etc/ssh/other")
        .stdout_ok();
    start(&machine, "-f /etc/ssh/other", 22);
    assert_eq!(is_problem(&machine, "sshd-without-pam"), Some(true));
    assert!(told().contains("/etc/ssh/other:"), "{}", told());

    // Of several, that without options is checked.
    end_sshd(&machine);
    start(&machine, "", 22);
    start(&machine, "-f /etc/ssh/other -p 2222 -o PidFile=none", 2222);
    assert_eq!(is_problem(&machine, "sshd-without-pam"), None);
    assert_eq!(is_problem(&machine, "sshd-not-checked"), Some(false));
    let other = "not checked: /usr/sbin/sshd -f /etc/ssh/other -p 2222 -o PidFile=none; ";
    assert!(told().contains(other), "{}", told());
}

#[test]
fn the_options_of_an_sshd_that_starts_later_are_those_of_its_unit() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd").stdout_ok();
    end_sshd(&machine);
    assert_eq!(is_problem(&machine, "sshd-key-alone"), None);
    machine.write("/etc/default/ssh", "SSHD_OPTS=\"-o 'PubkeyAuthentication yes'\"\n");
    let unit =
        "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n";
    machine.run("mkdir -p /etc/systemd/system").stdout_ok();
    machine.write("/etc/systemd/system/ssh.service", unit);
    assert_eq!(is_problem(&machine, "sshd-key-alone"), Some(false));
    // A user cannot pretend to be sshd.
    machine.run("cp /usr/bin/sleep /home/bob/sshd").stdout_ok();
    machine
        .run("setpriv --reuid bob --clear-groups bash -c 'exec -a /usr/sbin/sshd /home/bob/sshd 600' &>/dev/null &")
        .stdout_ok();
    eventually("it runs", || machine.run("pgrep -x sshd").status == 0);
    assert_eq!(is_problem(&machine, "sshd-key-alone"), Some(false));
    assert_eq!(is_problem(&machine, "sshd-not-checked"), None);
}

#[test]
fn a_file_that_sshd_does_not_read_changes_nothing() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("sed -i '1i Include sshd_config.d/*.conf' /etc/ssh/sshd_config").stdout_ok();
    machine.write("/etc/ssh/sshd_config.d/1.conf", "X11Forwarding no\n");
    machine.run(RELOAD).stdout_ok();
    machine.run("totpctl enable sshd").stdout_ok();
    let folder = "/etc/ssh/sshd_config.d";
    for change in [
        "touch .1.conf.swp; touch .1.conf.swx && rm .1.conf.swx",
        "cp 1.conf 1.conf~",
        "echo more >> 1.conf~",
        "cp 1.conf 1.conf.dpkg-old",
    ] {
        machine.run(&format!("cd {folder} && {change}")).stdout_ok();
        assert_eq!(is_problem(&machine, "sshd-not-reloaded"), None, "{change}");
    }
    // sshd has still what it read under the old name. A file that came at the same moment would be
    // the reason of the change.
    machine.run(&format!("cd {folder} && rm 1.conf.dpkg-old && mv 1.conf 1.conf.off")).stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), Some(true));
    machine.run("totpctl disable sshd").stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), Some(false));
}

#[test]
fn a_code_that_is_enough_is_a_problem_with_its_reason() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("sshd", "auth required pam_totp.so\n");
    assert_eq!(is_problem(&machine, "sshd-code-alone"), Some(true));
    let accept =
        "totpctl doctor accept sshd-code-alone --service sshd --reason \"the owner's only\"";
    machine.run(accept).stdout_ok();
    assert_eq!(machine.run("totpctl doctor sshd").status, 0);
    machine.run("totpctl doctor accept --remove sshd-code-alone").stdout_ok();
    let lists = "AuthenticationMethods publickey,keyboard-interactive";
    machine
        .run(&format!(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config
             cp /etc/ssh/sshd_config /root
             printf 'Match User git\n X11Forwarding no\n{lists}\n' >> /etc/ssh/sshd_config
             {RELOAD}"
        ))
        .stdout_ok();
    let told = || machine.run("totpctl doctor sshd").stdout.replace("\n    ", " ");
    assert!(told().contains("counts only for Match User git"), "{}", told());
    // Files that require the key are no help before sshd has read them.
    machine.run(&format!("(cat /root/sshd_config; echo {lists}) > /etc/ssh/sshd_config"));
    assert!(told().contains("until the reload a code alone may let users in"), "{}", told());
    machine.run(RELOAD).stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-code-alone"), None);
    assert_eq!(is_problem(&machine, "sshd-not-reloaded"), None);
    // root loses its key before a stack asks.
    machine.service("sshd", "@include common-auth\n");
    machine.run(
        "sed -i 's/^PermitRootLogin.*/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config",
    );
    machine.run(RELOAD).stdout_ok();
    assert!(told().contains("[sshd-root-cannot-log-in]"), "{}", told());
}
