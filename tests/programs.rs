//! Every program of `docs/admin/programs.md`, with exactly the stack that stands there.

use tests::{Machine, Output, SSH, Seed, eventually};

mod screens;

/// A program, and how a person logs in with it.
struct Program {
    /// Its heading in `docs/admin/programs.md`.
    heading: &'static str,
    /// The other needs of the program.
    prepare: fn(&Machine),
    /// One try with a password and a code, or with what is done instead of typing a code.
    enter: fn(&Machine, &str, &str) -> Output,
    /// True if Ctrl-C, Ctrl-D and a dead line can be tried with it.
    terminal: bool,
}

/// Returns the text below a heading of `docs/admin/programs.md`.
fn section(heading: &str) -> &'static str {
    let text = include_str!("../docs/admin/programs.md");
    let start = format!("\n## {heading}\n");
    let after = text.split_once(&start).unwrap_or_else(|| panic!("no heading {heading}")).1;
    after.split("\n## ").next().unwrap()
}

/// Returns the blocks of it that start with this line.
fn blocks<'a>(section: &'a str, fence: &str) -> Vec<&'a str> {
    let fence = format!("\n```{fence}\n");
    section.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// Writes the files of a section, as the page says how.
fn install(machine: &Machine, heading: &str) {
    let text = section(heading);
    // A closing fence looks like an opening one, so only what begins with a path counts.
    let files: Vec<_> =
        blocks(text, "").into_iter().filter(|block| block.starts_with("# /etc/")).collect();
    assert!(!files.is_empty(), "no file under {heading}");
    for block in files {
        let (path, lines) = block.split_once('\n').unwrap();
        let path = path.trim_start_matches("# ");
        let old = machine.run(&format!("cat {path}")).stdout;
        let is_replaced = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            words == ["@include", "common-auth"] || words == ["auth", "substack", "common-auth"]
        };
        let mut new: String = old
            .lines()
            .map(|line| format!("{}\n", if is_replaced(line) { lines } else { line }))
            .collect();
        if !old.lines().any(is_replaced) {
            new = format!("{lines}\n");
        }
        assert!(new.contains("pam_totp.so") || !path.contains("pam.d"), "{new}");
        machine.write(path, &new);
    }
}

/// Lets a person at a terminal run `command` as root or another user.
fn at_a_terminal(
    machine: &Machine,
    user: &str,
    password: &str,
    code: &str,
    command: &str,
) -> Output {
    machine.run_as(user, &format!("exec /opt/tests/type-login '{password}' '{code}' {command}"))
}

fn got_in(ran: &Output) -> bool {
    ran.stdout.lines().any(|line| line.trim_end().ends_with("in as alice"))
}

/// Goes through all ways not to get in, and the one to get in.
fn try_out(program: &Program) {
    let heading = program.heading;
    let machine = Machine::with_programs();
    install(&machine, heading);
    let seed = machine.enrolled("alice", 1);
    (program.prepare)(&machine);
    let enter = |password: &str, code: &str| {
        // Whatever was wrong before is forgotten: this is not about the throttle.
        machine.run("totpctl unlock alice").stdout_ok();
        (program.enter)(&machine, password, code)
    };
    let assert_refused =
        |what: &str, ran: Output| assert!(!got_in(&ran), "{heading}: {what}: {ran:#?}");

    let code = seed.code();
    let right = enter("alicepw", &code);
    assert!(got_in(&right), "{heading}: {right:#?}");
    for line in blocks(section(heading), "text").first().unwrap_or(&"").lines() {
        assert!(right.stdout.contains(line.trim_end()), "{heading}: no {line:?} in {right:#?}");
    }
    println!("## {heading}\n{}", right.stdout);
    assert_refused("used code", enter("alicepw", &code));
    let next = seed.next_code();
    assert_refused("wrong code", enter("alicepw", &Seed::numbered(2).code()));
    assert_refused("no code", enter("alicepw", ""));
    let asks_for_a_password = ["common-auth\n", "use_first_pass"];
    if asks_for_a_password.iter().any(|words| section(heading).contains(words)) {
        assert_refused("wrong password", enter("wrongpw", &next));
    }
    if program.terminal {
        for instead in ["^C", "^D", "cut"] {
            assert_refused(instead, enter("alicepw", instead));
        }
    }
    machine.run("chmod -x /usr/libexec/totpd").stdout_ok();
    machine.kill_daemon("KILL");
    assert_refused("no daemon", (program.enter)(&machine, "alicepw", &next));
    machine.run("chmod +x /usr/libexec/totpd").stdout_ok();
}

fn nothing(_: &Machine) {}

/// Makes a key for root, who runs the client, and restarts the server with the new configuration.
fn ssh_server(machine: &Machine) {
    machine
        .run(
            "sed -i '/^PasswordAuth\\|^PubkeyAuth\\|^KbdInter/d' /etc/ssh/sshd_config && \
             sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config && \
             mkdir -p /root/.ssh ~alice/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && \
             cp /root/.ssh/id_ed25519.pub ~alice/.ssh/authorized_keys && chown -R alice: ~alice/.ssh",
        )
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
}

fn ssh(machine: &Machine, password: &str, code: &str) -> Output {
    let command = &format!("{SSH} alice@127.0.0.1 'echo in as $(id -un)'");
    at_a_terminal(machine, "root", password, code, command)
}

const WHO: &str = "sh -c 'echo in as $(logname 2>/dev/null || echo $SUDO_USER$DOAS_USER)'";

#[test]
fn openssh_with_password_and_code() {
    try_out(&Program {
        heading: "OpenSSH, password and code",
        prepare: ssh_server,
        enter: ssh,
        terminal: true,
    });
}

#[test]
fn openssh_with_key_and_code() {
    try_out(&Program {
        heading: "OpenSSH, key and code",
        prepare: ssh_server,
        enter: ssh,
        terminal: true,
    });
}

#[test]
fn openssh_with_code_alone() {
    try_out(&Program {
        heading: "OpenSSH, code alone",
        prepare: ssh_server,
        enter: ssh,
        terminal: true,
    });
}

#[test]
fn sudo() {
    try_out(&Program {
        heading: "sudo",
        prepare: |machine| machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n"),
        enter: |machine, password, code| {
            let command = format!("sudo -k {WHO}");
            at_a_terminal(machine, "alice", password, code, &command)
        },
        terminal: true,
    });
}

#[test]
fn sudo_rs() {
    try_out(&Program {
        heading: "sudo-rs",
        prepare: |machine| {
            machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n");
            machine.run("install -m 4755 /opt/tests/sudo-rs /usr/bin/sudo").stdout_ok();
        },
        enter: |machine, password, code| {
            let command = format!("sudo -k {WHO}");
            at_a_terminal(machine, "alice", password, code, &command)
        },
        terminal: true,
    });
}

#[test]
fn su() {
    try_out(&Program {
        heading: "su",
        prepare: |machine| {
            let runuser = machine.run("runuser -u alice -- id -un").stdout_ok();
            assert_eq!(runuser, "alice\n", "runuser asks nobody");
        },
        enter: |machine, password, code| {
            at_a_terminal(machine, "bob", password, code, "su alice -c 'echo in as $(id -un)'")
        },
        terminal: true,
    });
}

#[test]
fn login() {
    try_out(&Program {
        heading: "login",
        prepare: nothing,
        enter: |machine, password, code| {
            at_a_terminal(machine, "root", password, code, "login alice")
        },
        terminal: true,
    });
}

#[test]
fn polkit() {
    try_out(&Program {
        heading: "polkit (pkexec, run0)",
        prepare: |machine| {
            machine.write(
                "/etc/polkit-1/rules.d/10-test.rules",
                "polkit.addAdminRule(function(action, subject) { return [\"unix-user:alice\"]; });\n",
            );
        },
        enter: |machine, password, code| {
            at_a_terminal(
                machine,
                "alice",
                password,
                code,
                "/opt/tests/pkexec-at-a-terminal sh -c 'echo in as $(id -un $PKEXEC_UID)'",
            )
        },
        terminal: true,
    });
}

#[test]
fn doas() {
    try_out(&Program {
        heading: "doas",
        prepare: |machine| {
            machine.write("/etc/doas.conf", "permit alice as root\n");
            machine.run("chmod 600 /etc/doas.conf").stdout_ok();
        },
        enter: |machine, password, code| {
            at_a_terminal(machine, "alice", password, code, &format!("doas {WHO}"))
        },
        terminal: true,
    });
}

#[test]
fn vsftpd() {
    try_out(&Program {
        heading: "vsftpd",
        prepare: |machine| {
            machine.run("sed -i 's/^listen=NO/listen=YES/; s/^listen_ipv6=YES/listen_ipv6=NO/' /etc/vsftpd.conf; mkdir -p /var/run/vsftpd/empty; echo 'in as alice' > ~alice/who; vsftpd >/dev/null 2>&1 &").stdout_ok();
            eventually("it listens", || {
                machine.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/21'").status == 0
            });
        },
        enter: |machine, password, code| {
            machine.run(&format!("curl -sS -m 20 'ftp://alice:{password}{code}@127.0.0.1/who'"))
        },
        terminal: false,
    });
}

#[test]
fn dovecot() {
    try_out(&Program {
        heading: "Dovecot (IMAP)",
        prepare: |machine| {
            machine.run("printf 'mail_location = maildir:~/Maildir\\nssl = no\\ndisable_plaintext_auth = no\\nlisten = 127.0.0.1\\nprotocols = imap\\nauth_failure_delay = 0\\nservice anvil {\\n unix_listener anvil-auth-penalty {\\n mode = 0\\n }\\n}\\n' > /etc/dovecot/local.conf; dovecot > /tmp/dovecot 2>&1 < /dev/null").stdout_ok();
            eventually("it listens", || {
                machine.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/143'").status == 0
            });
        },
        enter: |machine, password, code| {
            machine.run(&format!("curl -sS -m 20 -u 'alice:{password}{code}' 'imap://127.0.0.1/' | sed -n 's/.*INBOX.*/in as alice/p'"))
        },
        terminal: false,
    });
}

#[test]
fn cockpit() {
    try_out(&Program {
        heading: "Cockpit",
        prepare: |machine| {
            machine.run("/usr/lib/cockpit/cockpit-ws --no-tls --port 9090 --address 127.0.0.1 > /tmp/cockpit 2>&1 &").stdout_ok();
            eventually("it listens", || {
                machine.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9090'").status == 0
            });
        },
        enter: |machine, password, code| {
            machine.run(&format!("/opt/tests/cockpit-login alice '{password}' '{code}'"))
        },
        terminal: false,
    });
}

#[test]
fn vlock() {
    try_out(&Program {
        heading: "vlock",
        prepare: nothing,
        enter: |machine, password, code| {
            let command = "sh -c 'vlock -c && echo in as $(id -un)'";
            at_a_terminal(machine, "alice", password, code, command)
        },
        // It asks again, and lets nobody end it.
        terminal: false,
    });
}

#[test]
fn at() {
    let machine = Machine::with_programs();
    install(&machine, "at");
    machine.enrolled("alice", 1);
    machine.run("atd").stdout_ok();
    machine.run_as("alice", "cd ~alice; echo 'id -un > ran' | at now").stdout_ok();
    eventually("the job runs", || machine.run("cat ~alice/ran").stdout == "alice\n");
}

#[test]
fn cron() {
    let machine = Machine::with_programs();
    install(&machine, "cron");
    machine.enrolled("alice", 1);
    machine.run("echo '@reboot id -un > ran' | crontab -u alice - && cron").stdout_ok();
    eventually("the job runs", || machine.run("cat ~alice/ran").stdout == "alice\n");
}
