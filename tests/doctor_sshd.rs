//! What `totpctl doctor` says of the configuration of sshd. `ssh_doors.rs` uses the ways in.

use tests::{Machine, eventually};

mod blocks;
mod passwords;
mod running;

/// A configuration of sshd, and the PAM stack behind it.
struct Case {
    /// Lines that replace those of the machine; `Match` blocks come last.
    config: &'static str,
    stack: &'static str,
    /// The findings on sshd.
    ids: &'static [&'static str],
}

const PASSWORD_AND_CODE: &str = "@include common-auth\nauth required pam_totp.so\n";
const CODE: &str = "auth required pam_totp.so\n";
const NO_CODE: &str = "@include common-auth\n";

const CASES: [Case; 13] = [
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
        ids: &["sshd-nobody-can-log-in"],
    },
    Case {
        config: "PubkeyAuthentication yes\nPasswordAuthentication yes\n\
                 KbdInteractiveAuthentication no\n",
        stack: PASSWORD_AND_CODE,
        ids: &["sshd-cannot-ask", "sshd-key-alone", "sshd-password-cannot-answer"],
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
        ids: &["sshd-key-alone", "sshd-match-methods-without-code"],
    },
];

#[test]
fn doctor_names_what_sshd_does_with_methods() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    // Some cases keep sshd from starting. Without a running one, the files are all there is.
    end_sshd(&machine);
    machine.run("cp /etc/ssh/sshd_config /root/sshd_config").stdout_ok();
    for (number, case) in CASES.iter().enumerate() {
        let (lines, blocks) = match case.config.find("Match ") {
            Some(at) => case.config.split_at(at),
            None => (case.config, ""),
        };
        machine.write("/root/lines", lines);
        machine.write("/root/blocks", blocks);
        machine.run("cat /root/lines /root/sshd_config /root/blocks > /etc/ssh/sshd_config");
        machine.service("sshd", case.stack);
        let told = machine.run("totpctl --json doctor sshd").stdout;
        let json: serde_json::Value = serde_json::from_str(&told).unwrap();
        let sshd = &json["services"]["sshd"];
        let findings = ["problems", "notes"].into_iter().filter_map(|key| sshd[key].as_array());
        let ids: Vec<_> = findings.flatten().filter_map(|finding| finding["id"].as_str()).collect();
        let of_sshd: Vec<_> = ids.into_iter().filter(|id| id.starts_with("sshd-")).collect();
        assert_eq!(of_sshd, case.ids, "case {number}: {told}");
        let is_problem = case.ids.iter().any(|id| PROBLEMS.contains(id));
        let enable = machine.run("totpctl enable sshd --dry-run --option quiet");
        let is_refused = enable.stderr.contains("not changed: ");
        assert_eq!(is_refused, is_problem, "case {number}: {enable:#?}");
    }
}

fn end_sshd(machine: &Machine) {
    machine.run("kill $(cat /run/sshd.pid)").stdout_ok();
    eventually("sshd ends", || machine.run("test -e /run/sshd.pid").status != 0);
}

const PROBLEMS: [&str; 2] = ["sshd-cannot-ask", "sshd-nobody-can-log-in"];

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
            "groupadd sftponly; useradd -r -s /usr/sbin/nologin -G sftponly -p x drop\n\
             useradd -u 1500 -s /usr/sbin/nologin mail-only; useradd -u 900 -s /bin/sh backup-user\n\
             printf 'Match Group sftponly\\nForceCommand internal-sftp\\n' >> /etc/ssh/sshd_config\n\
             sed -i 's/^passwd:.*/passwd: files sss/' /etc/nsswitch.conf\n\
             kill -HUP $(cat /run/sshd.pid); totpctl enable sshd",
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

#[test]
fn an_sshd_that_cannot_ask_is_named_with_its_line_and_the_line_to_write() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let drop_in = "/etc/ssh/sshd_config.d/10-no.conf";
    machine.write(drop_in, "# a rule\nKbdInteractiveAuthentication no\n");
    machine
        .run(
            "sed -i '1i Include sshd_config.d/*.conf' /etc/ssh/sshd_config
             sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config",
        )
        .stdout_ok();
    for command in ["enable sshd", "enable sshd --dry-run", "try sshd"] {
        let refused = machine.run(&format!("totpctl {command}"));
        assert_eq!(refused.status, 1, "{command}: {refused:#?}");
        for part in [
            "not changed: ".to_owned(),
            format!("{drop_in}:2: sshd cannot ask for a code"),
            "because KbdInteractiveAuthentication is no".to_owned(),
            "write KbdInteractiveAuthentication yes in sshd_config, before any line or drop-in"
                .to_owned(),
        ] {
            assert!(refused.stderr.contains(&part), "{command}: {part}: {refused:#?}");
        }
        assert_ne!(machine.run("grep pam_totp /etc/pam.d/sshd").status, 0, "{command}");
    }
    // A person who does as it says can go on.
    machine.run("sed -i '1i KbdInteractiveAuthentication yes' /etc/ssh/sshd_config").stdout_ok();
    machine.run(RELOAD).stdout_ok();
    machine.run("totpctl enable sshd").stdout_ok();
    let told = machine.run("totpctl doctor sshd").stdout_ok();
    assert!(
        told.contains("sshd: asks for a code\n") && !told.contains("sshd-cannot-ask"),
        "{told}"
    );
}

/// OpenSSH 8.0 of RHEL 8: here the sshd of this machine, with the words of that one.
const OLD_SSHD: &str = r#"#!/bin/sh
folder=$(mktemp -d)
/root/sshd "$@" >$folder/out 2>$folder/err
status=$?
sed 's/^kbdinteractiveauthentication \(.*\)/&\nchallengeresponseauthentication \1/' $folder/out
sed 's/sshd version OpenSSH_[^,]*/sshd version OpenSSH_8.0p1/' $folder/err >&2
exit $status
"#;

#[test]
fn an_old_sshd_is_advised_in_its_own_words() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd").stdout_ok();
    machine.write("/etc/ssh/sshd_config.d/10-totp.conf", "ChallengeResponseAuthentication yes\n");
    machine
        .run("sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/; /^KbdInteractive/d' /etc/ssh/sshd_config")
        .stdout_ok();
    for (is_old, keyword, drop_ins) in [
        (false, "KbdInteractiveAuthentication", "Include /etc/ssh/sshd_config.d/*.conf"),
        (true, "ChallengeResponseAuthentication", "OpenSSH has no Include before version 8.2"),
    ] {
        if is_old {
            machine.write("/root/old-sshd", OLD_SSHD);
            machine
                .run(
                    "cp /usr/sbin/sshd /root/sshd; chmod 755 /root/old-sshd
                     mount --bind /root/old-sshd /usr/sbin/sshd",
                )
                .stdout_ok();
        }
        machine
            .run("echo 'ChallengeResponseAuthentication no' >> /etc/ssh/sshd_config")
            .stdout_ok();
        let told = machine.run("totpctl doctor sshd").stdout;
        let line = |id: &str| {
            told.lines().find(|line| line.ends_with(&format!("[{id}]"))).expect(&told).to_owned()
        };
        let cannot_ask = line("sshd-cannot-ask");
        assert!(cannot_ask.contains(&format!("because {keyword} is no")), "{cannot_ask}");
        let last = machine.run("wc -l < /etc/ssh/sshd_config").stdout_ok();
        let place = format!("/etc/ssh/sshd_config:{}: ", last.trim());
        assert!(cannot_ask.contains(&place), "{place}: {cannot_ask}");
        assert!(cannot_ask.contains(&format!("write {keyword} yes")), "{cannot_ask}");
        assert!(line("sshd-drop-ins-not-read").contains(drop_ins), "{told}");
        machine
            .run("sed -i 's/^\\(ChallengeResponse.*\\) no/\\1 yes/' /etc/ssh/sshd_config")
            .stdout_ok();
        let told = machine.run("totpctl doctor sshd").stdout;
        assert!(!told.contains("sshd-cannot-ask"), "{told}");
        machine.run("sed -i /^ChallengeResponse/d /etc/ssh/sshd_config").stdout_ok();
    }
}

/// Returns whether doctor has this finding on sshd as a problem, or else as a note.
fn is_problem(machine: &Machine, id: &str) -> Option<bool> {
    let told = machine.run("totpctl --json doctor sshd").stdout;
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    let has = |key: &str| {
        let findings = json["services"]["sshd"][key].as_array();
        findings.into_iter().flatten().any(|finding| finding["id"] == id)
    };
    has("problems").then_some(true).or(has("notes").then_some(false))
}

const RELOAD: &str = "kill -HUP $(cat /run/sshd.pid)";

#[test]
fn a_configuration_that_the_running_sshd_has_not_read_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("sed -i '1i Include sshd_config.d/*.conf' /etc/ssh/sshd_config").stdout_ok();
    let unread = |machine: &Machine| is_problem(machine, "sshd-not-reloaded");
    for change in [
        "echo '# a comment' >> /etc/ssh/sshd_config",
        // The time of modification may be kept.
        "touch -d 2020-01-01 /etc/ssh/sshd_config",
        "echo 'X11Forwarding no' > /etc/ssh/sshd_config.d/1.conf",
        "rm /etc/ssh/sshd_config.d/1.conf",
        "ssh-keygen -q -t ed25519 -N '' -f /root/key && \
         cat /root/key > /etc/ssh/ssh_host_ed25519_key && rm /root/key*",
    ] {
        machine.run(change).stdout_ok();
        for command in ["enable sshd --dry-run", "enable sshd", "try sshd"] {
            let ran = machine.run(&format!("totpctl {command}"));
            let is_told = ran.stderr.contains("sshd runs with an older configuration")
                && ran.stderr.contains("kill -HUP $(cat /run/sshd.pid)");
            assert!(ran.status == 1 && is_told, "{change}: {command}: {ran:#?}");
        }
        // sshd may still be at it.
        machine.run(RELOAD).stdout_ok();
        machine.run("totpctl enable sshd").stdout_ok();
        assert_eq!(unread(&machine), None, "{change}");
        machine.run("echo '# more' >> /etc/ssh/sshd_config").stdout_ok();
        assert_eq!(unread(&machine), Some(true), "{change}");
        machine.run(RELOAD).stdout_ok();
        assert_eq!(unread(&machine), None, "{change}");
        machine.run("totpctl disable sshd").stdout_ok();
    }
    machine.run("totpctl enable sshd").stdout_ok();
    // Without its file, nothing tells of a reload.
    let pid = machine.run("cat /run/sshd.pid").stdout_ok();
    machine.run("echo 'PidFile none' >> /etc/ssh/sshd_config").stdout_ok();
    machine.run(RELOAD).stdout_ok();
    assert_eq!(is_problem(&machine, "sshd-reload-unknown"), Some(false));
    // Without a listener, the next sshd reads the files.
    let pid = pid.trim();
    machine.run(&format!("kill {pid}")).stdout_ok();
    eventually("sshd ends", || machine.run(&format!("test -e /proc/{pid}")).status != 0);
    assert_eq!(is_problem(&machine, "sshd-reload-unknown"), None);
    assert_eq!(unread(&machine), None);
}
