//! The ways in by ssh that `totpctl doctor` names, beside what happens when they are used.

use tests::{Machine, SSH};

/// A configuration of sshd, and the PAM stack behind it.
struct Case {
    /// Lines that replace those of the machine; `Match` blocks come last.
    config: &'static str,
    stack: &'static str,
    /// Findings that doctor has to name.
    ids: &'static [&'static str],
}

const PASSWORD_AND_CODE: &str = "@include common-auth\nauth required pam_totp.so nodelay\n";
const CODE: &str = "auth required pam_totp.so nodelay\n";
const NO_CODE: &str = "@include common-auth\n";

const CASES: [Case; 12] = [
    Case { config: "", stack: PASSWORD_AND_CODE, ids: &[] },
    Case {
        config: "PubkeyAuthentication yes\nPasswordAuthentication yes\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-key-alone", "sshd-password-cannot-answer"],
    },
    Case {
        config: "PubkeyAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n\
                 PermitRootLogin prohibit-password\n",
        stack: CODE,
        ids: &["sshd-root-cannot-log-in"],
    },
    Case {
        config: "PubkeyAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n",
        stack: CODE,
        ids: &[],
    },
    Case {
        config: "PubkeyAuthentication yes\nPasswordAuthentication yes\n\
                 AuthenticationMethods publickey,password\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-nobody-can-log-in"],
    },
    // The password that ssh asks for is the code.
    Case {
        config: "PubkeyAuthentication yes\nPasswordAuthentication yes\n\
                 AuthenticationMethods publickey,password\n",
        stack: CODE,
        ids: &[],
    },
    Case {
        config: "PasswordAuthentication yes\nKbdInteractiveAuthentication no\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-cannot-ask"],
    },
    Case {
        config: "PubkeyAuthentication yes\n\
                 AuthenticationMethods publickey hostbased,keyboard-interactive keyboard-interactive\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-methods-without-code"],
    },
    Case { config: "", stack: CODE, ids: &["sshd-code-alone"] },
    Case {
        config: "PasswordAuthentication yes\nPubkeyAuthentication yes\nAllowUsers alice\n",
        stack: NO_CODE,
        ids: &[],
    },
    Case {
        config: "PubkeyAuthentication yes\nDenyUsers alice\nPermitRootLogin no\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-key-alone"],
    },
    Case {
        config: "PubkeyAuthentication yes\nPermitRootLogin forced-commands-only\n\
                 Match User alice\nAuthenticationMethods publickey\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-match-methods-without-code"],
    },
];

/// A machine on which alice and root have a key, a password and recovery codes.
struct Subject {
    machine: Machine,
}

impl Subject {
    fn new() -> Self {
        let machine = Machine::new();
        machine.enrolled("alice", 1);
        machine.enrolled("root", 2);
        machine
            .run(
                "echo root:rootpw | chpasswd; ssh-keygen -q -t ed25519 -N '' -f /root/key\n\
                 for home in /root /home/alice; do\n\
                   mkdir -p -m 700 $home/.ssh; cp /root/key.pub $home/.ssh/authorized_keys\n\
                 done; chown -R alice: /home/alice/.ssh; cp /etc/ssh/sshd_config /root/sshd_config",
            )
            .stdout_ok();
        Self { machine }
    }

    /// Starts sshd with these lines before those of the machine.
    fn configure(&self, case: &Case) {
        let (lines, blocks) = match case.config.find("Match ") {
            Some(at) => case.config.split_at(at),
            None => (case.config, ""),
        };
        self.machine.write("/root/lines", lines);
        self.machine.write("/root/blocks", blocks);
        let stack =
            format!("{}account required pam_unix.so\nsession required pam_unix.so\n", case.stack);
        self.machine.service("sshd", &stack);
        self.machine
            .run(
                "cat /root/lines /root/sshd_config /root/blocks > /etc/ssh/sshd_config\n\
                 kill $(cat /run/sshd.pid); while [ -e /run/sshd.pid ]; do sleep 0.02; done\n\
                 /usr/sbin/sshd -E /run/sshd.txt; until [ -e /run/sshd.pid ]; do sleep 0.02; done",
            )
            .stdout_ok();
    }

    /// Returns an unused recovery code of a user.
    fn code(&self, user: &str) -> String {
        let told = self.machine.run(&format!("totpctl --json recovery-codes {user}")).stdout_ok();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let codes = told["recovery_codes"].as_array().unwrap();
        codes[0].as_str().unwrap().to_owned()
    }

    /// Logs in by these methods, and returns whether that succeeded.
    fn gets_in(&self, user: &str, methods: &str, code: &str, password: &str) -> bool {
        let ran = self.machine.run(&format!(
            "totpctl unlock {user} >/dev/null 2>&1\n\
             export PASSWORD='{password}' CODE='{code}' SSH_ASKPASS=/opt/tests/askpass \
             SSH_ASKPASS_REQUIRE=force\n\
             timeout 30 {SSH} -i /root/key -o PreferredAuthentications={methods} \
             '{user}@127.0.0.1' 'echo in as $(id -un)'"
        ));
        ran.stdout.trim() == format!("in as {user}")
    }
}

#[test]
fn doctor_says_of_each_way_in_by_ssh_what_happens_there() {
    let subject = Subject::new();
    let mut compared = 0;
    for (number, case) in CASES.iter().enumerate() {
        subject.configure(case);
        let told = subject.machine.run("totpctl --json doctor sshd");
        let json: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        for id in case.ids {
            assert!(told.stdout.contains(&format!("\"{id}\"")), "case {number}: {id} {told:#?}");
        }
        let doors = json["doors"].as_array().unwrap();
        for user in ["alice", "root"] {
            for methods in ways(doors, user) {
                let said = verdict(doors, user, &methods);
                let code = subject.code(user);
                // The method password has one answer: the password, or the code of a stack that
                // wants nothing else.
                let password = match case.stack {
                    CODE => code.clone(),
                    _ => format!("{user}pw"),
                };
                let with_code = subject.gets_in(user, &methods, &code, &password);
                let without = subject.gets_in(user, &methods, "00000000", &format!("{user}pw"));
                let happened = match (with_code, without) {
                    (true, true) => "not-asked",
                    (true, false) => "asked",
                    (false, true) => "backwards",
                    (false, false) => "nobody",
                };
                let expected = match said.as_str() {
                    "unanswerable" | "closed" => "nobody",
                    other => other,
                };
                assert_eq!(happened, expected, "case {number} {user} {methods}: {said} {json:#}");
                compared += 1;
            }
        }
    }
    eprintln!("{compared} ways in were used, each with a right and with a wrong code");
    assert!(compared > 80, "{compared}");
}

/// Returns the methods of the ways in that a test can use, as ssh names them.
fn ways(doors: &[serde_json::Value], user: &str) -> Vec<String> {
    let mut ways: Vec<_> = doors
        .iter()
        .filter_map(|door| door["door"].as_str()?.strip_prefix("ssh, "))
        .filter(|methods| !methods.contains("gssapi") && !methods.contains("hostbased"))
        .map(str::to_owned)
        .collect();
    ways.sort();
    ways.dedup();
    // A way that only others have is not there.
    ways.retain(|methods| !verdict(doors, user, methods).is_empty());
    ways
}

/// Returns what doctor says of a way for a user: what is said of the user comes first.
fn verdict(doors: &[serde_json::Value], user: &str, methods: &str) -> String {
    let excluded = doors
        .iter()
        .any(|door| door["who"].as_str().is_some_and(|who| who == "users excluded by DenyUsers"));
    if excluded && user == "alice" {
        return "closed".to_owned();
    }
    let own = format!("Match User {user}");
    [Some(if user == "root" { "root" } else { own.as_str() }), None]
        .into_iter()
        .find_map(|who| {
            let door = doors.iter().find(|door| {
                door["who"].as_str() == who && door["door"] == format!("ssh, {methods}").as_str()
            })?;
            Some(door["code"].as_str()?.to_owned())
        })
        .unwrap_or_default()
}

#[test]
fn an_sshd_that_cannot_start_yet_is_read_all_the_same() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("kill $(cat /run/sshd.pid); rm -rf /run/sshd").stdout_ok();
    let preview = machine.run("totpctl enable sshd --dry-run");
    assert_eq!(preview.status, 0, "{preview:#?}");
    machine.run("rm -rf /run/sshd; totpctl enable sshd").stdout_ok();
    machine.run("rm -rf /run/sshd").stdout_ok();
    let told = machine.run("totpctl doctor sshd");
    assert_eq!(told.status, 0, "{told:#?}");
    assert!(told.stdout.contains("sshd: asks for a code\n"), "{told:#?}");
    // A folder that it created is that of the unit of sshd.
    machine.run("[ ! -e /run/sshd ] || [ \"$(stat -c '%a %u' /run/sshd)\" = '755 0' ]").stdout_ok();
    // An sshd that does not answer is given up.
    machine
        .run(
            "printf '#!/bin/sh\\nexec sleep 60\\n' > /tmp/slow; chmod 755 /tmp/slow\n\
             mount --bind /tmp/slow /usr/sbin/sshd",
        )
        .stdout_ok();
    let slow = machine.run("totpctl doctor sshd");
    assert!(
        slow.stdout.contains("does not answer within 5 s [sshd-config-unreadable]"),
        "{slow:#?}"
    );
    machine.run("umount /usr/sbin/sshd").stdout_ok();
    // An ordinary user is told what was not looked at.
    let told = machine.run_as("bob", "totpctl --json doctor sshd").stdout;
    assert!(told.contains("\"sshd-not-checked\""), "{told}");
    assert!(told.contains("\"code\":\"unknown\""), "{told}");
}

#[test]
fn users_without_a_shell_and_users_of_directories_are_counted_or_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run(
            "groupadd sftponly; useradd -r -s /usr/sbin/nologin -G sftponly drop\n\
             useradd -u 1500 -s /usr/sbin/nologin mail-only; useradd -u 900 -s /bin/sh backup-user\n\
             printf 'Match Group sftponly\\nForceCommand internal-sftp\\n' >> /etc/ssh/sshd_config\n\
             sed -i 's/^passwd:.*/passwd: files sss/' /etc/nsswitch.conf; totpctl enable sshd",
        )
        .stdout_ok();
    let told = machine.run("totpctl doctor sshd").stdout;
    let named = told.lines().find(|line| line.contains("[users-without-factor]")).unwrap();
    assert!(named.contains("bob") && named.contains("drop"), "{told}");
    assert!(!named.contains("mail-only") && !named.contains("backup-user"), "{told}");
    assert!(told.contains("users of sss are not counted"), "{told}");
    machine.run("sed -i 's/^UID_MIN.*/UID_MIN 500/' /etc/login.defs").stdout_ok();
    machine.run("sed -i '1i Subsystem sftp internal-sftp' /etc/ssh/sshd_config").stdout_ok();
    let told = machine.run("totpctl doctor sshd").stdout;
    assert!(told.contains("backup-user") && told.contains("mail-only"), "{told}");
}

#[test]
fn a_drop_in_that_sshd_does_not_read_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd").stdout_ok();
    machine.write("/etc/ssh/sshd_config.d/10-totp.conf", "# comment\n\n");
    let told = machine.run("totpctl doctor sshd").stdout;
    assert!(!told.contains("sshd-drop-ins-not-read"), "{told}");
    machine.write("/etc/ssh/sshd_config.d/10-totp.conf", "KbdInteractiveAuthentication yes\n");
    let told = machine.run("totpctl doctor sshd").stdout;
    assert!(told.contains("/etc/ssh/sshd_config.d/10-totp.conf: sshd does not read"), "{told}");
    machine.run("sed -i '1i Include sshd_config.d/*.conf' /etc/ssh/sshd_config").stdout_ok();
    let told = machine.run("totpctl doctor sshd").stdout;
    assert!(!told.contains("sshd-drop-ins-not-read"), "{told}");
}
