//! A roll-out in steps: who is left is named, and nobody is shut out unawares.

use serde_json::{Value, json};
use tests::{JsonSchema, Machine};

use super::doctor;

/// Returns a machine on which alice alone has a factor.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
}

#[test]
fn with_nullok_everywhere_the_users_who_are_left_are_named() {
    let machine = machine();
    for service in ["sshd", "sudo"] {
        machine.run(&format!("totpctl enable {service} --option nullok")).stdout_ok();
    }
    let told = doctor(&machine, "").stdout;
    let left = "users without a factor, who log in without a code now (sshd, sudo, sudo-i): ";
    let line = told.lines().find(|line| line.contains(left)).expect(&told);
    assert!(line.contains("bob, carol") && line.contains("[users-not-yet-enrolled]"), "{line}");
    assert!(!line.contains("root") && told.contains("their password is locked: root"), "{told}");
    let text = machine.run("totpctl --json doctor").stdout_ok();
    let notes = &JsonSchema::of_totpctl().check("doctor", &text)[0]["host"]["notes"];
    let ids: Vec<_> = notes.as_array().unwrap().iter().map(|note| &note["id"]).collect();
    assert!(ids.contains(&&Value::from("users-not-yet-enrolled")), "{notes}");

    let keeps = machine.run("totpctl enable sshd");
    assert!(keeps.status == 0 && keeps.stderr.contains("It keeps: nullok"), "{keeps:#?}");
    for command in ["enable sshd", "enable sshd --dry-run", "try sshd"] {
        for options in ["--no-options", "--option=", "--option nodelay"] {
            let ran = machine.run(&format!("totpctl --json {command} {options}"));
            assert_eq!(ran.status, 1, "{command} {options}: {ran:#?}");
            assert!(
                ran.stderr.contains("bob, carol") && ran.stderr.contains("--even-so"),
                "{ran:#?}"
            );
            JsonSchema::of_totpctl().check("error", &ran.stdout);
        }
    }
    assert!(machine.run("cat /etc/pam.d/sshd").stdout_ok().contains("pam_totp.so nullok"));

    // The last step: all have a factor.
    let people = machine.run("awk -F: '($3 == 0 || $3 >= 1000) && $3 < 60000 && $7 !~ /nologin|false/ {print $1}' /etc/passwd");
    let batch = "totpctl enroll --batch - --no-confirm --if-unenrolled >/root/keys";
    machine.run_with_input(batch, &people.stdout_ok()).stdout_ok();
    let told = doctor(&machine, "").stdout;
    assert!(!told.contains("users-not-yet-enrolled"), "{told}");
    assert!(told.contains("users without a factor: none"), "{told}");
    let ran = machine.run("totpctl --json enable sshd --no-options").stdout_ok();
    let object = &JsonSchema::of_totpctl().check("enable", &ran)[0];
    assert_eq!((&object["changed"], &object["shut_out"]), (&true.into(), &json!([])));
    assert!(!machine.run("cat /etc/pam.d/sshd").stdout_ok().contains("nullok"));
}

/// Users of userdb and of a service, and one with a high uid.
#[test]
fn users_that_no_file_of_people_lists_are_named() {
    let machine = machine();
    machine.run("totpctl enable sshd --option nullok").stdout_ok();
    machine
        .run(
            r#"sed -i 's/^passwd:.*/passwd: files systemd/' /etc/nsswitch.conf
               mkdir -p /run/userdb
               echo '{"userName":"dora","uid":20001,"gid":20001,"shell":"/bin/bash","homeDirectory":"/"}' \
                 >/run/userdb/dora.user
               ln -s dora.user /run/userdb/20001.user
               useradd --system --shell /bin/bash --create-home git
               useradd --system --shell /bin/bash closed
               useradd --uid 1200000001 far
               install -d -o git -m 700 ~git/.ssh
               echo ssh-ed25519 AAAA >~git/.ssh/authorized_keys
               printf 'git:gitpw\nfar:farpw\n' | chpasswd"#,
        )
        .stdout_ok();
    let left = machine.run("totpctl enable sshd --no-options").stderr;
    for name in ["dora", "git", "far"] {
        assert!(left.contains(name), "{name}: {left}");
    }
    assert!(!left.contains("closed"), "nobody can log in to it: {left}");
    // Without an answer of the name service switch, files are read, and the rest is said.
    machine.run("mount --bind /bin/false $(readlink -f /usr/bin/getent)").stdout_ok();
    let left = machine.run("totpctl enable sshd --no-options").stderr;
    assert!(
        left.contains("bob, carol") && left.contains("git") && !left.contains("dora"),
        "{left}"
    );
    assert!(left.contains("not counted: users of systemd"), "{left}");
}

#[test]
fn a_change_names_the_users_that_it_shuts_out() {
    let machine = machine();
    let ran = machine.run("totpctl --json enable login").stdout_ok();
    let object = &JsonSchema::of_totpctl().check("enable", &ran)[0];
    let shut_out = object["shut_out"].as_array().unwrap();
    assert!(shut_out.contains(&"bob".into()) && !shut_out.contains(&"alice".into()), "{object}");
    let sudo = machine.run("totpctl enable sudo --option nullok");
    // The password of root is locked here, so it cannot log in anyway.
    assert!(sudo.stderr.contains("their password is locked: root"), "{sudo:#?}");
    assert!(!sudo.stderr.contains("(option nullok): root"), "{sudo:#?}");
    let dropped = machine.run("totpctl enable sudo --no-options --even-so");
    assert!(dropped.status == 0 && dropped.stderr.contains("bob, carol"), "{dropped:#?}");
    assert!(dropped.stderr.contains("their password is locked: root"), "{dropped:#?}");
    let disabled = machine.run("totpctl disable sudo");
    assert!(disabled.stderr.contains("sudo and sudo-i ask for no code now."), "{disabled:#?}");
}

#[test]
fn users_of_a_directory_are_asked_about() {
    let machine = machine();
    machine.run("totpctl enable login --option nullok").stdout_ok();
    machine.run("sed -i 's/^passwd:.*/passwd: files sss/' /etc/nsswitch.conf").stdout_ok();
    let people = machine.run("awk -F: '($3 == 0 || $3 >= 1000) && $3 < 60000 && $7 !~ /nologin|false/ {print $1}' /etc/passwd");
    let batch = "totpctl enroll --batch - --no-confirm --if-unenrolled >/root/keys";
    machine.run_with_input(batch, &people.stdout_ok()).stdout_ok();
    let ran = machine.run("totpctl enable login --no-options </dev/null");
    assert!(ran.status == 1 && ran.stderr.contains("--yes"), "{ran:#?}");
    assert!(ran.stderr.contains("sss"), "{ran:#?}");
    let ran = machine.run("totpctl --json enable login --no-options --yes").stdout_ok();
    let object = &JsonSchema::of_totpctl().check("enable", &ran)[0];
    assert_eq!(object["uncounted"], json!(["sss"]));
}

#[test]
fn nullok_alone_is_refused_with_the_missing_line() {
    let machine = machine();
    let stack =
        "auth required pam_totp.so\naccount required pam_unix.so\nsession required pam_unix.so\n";
    machine.service("sshd", stack);
    machine
        .run(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config; \
             echo 'AuthenticationMethods publickey,keyboard-interactive' >> /etc/ssh/sshd_config; \
             kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    let ran = machine.run("totpctl enable sshd --option nullok");
    assert!(ran.status == 1 && ran.stderr.contains("auth required pam_permit.so"), "{ran:#?}");
    let permit = stack.replace("account", "auth required pam_permit.so\naccount");
    machine.service("sshd", &permit);
    machine.run("totpctl enable sshd --option nullok").stdout_ok();
    assert_eq!(machine.pam("sshd", "bob", "").run().rc, tests::pam::SUCCESS);
    assert_ne!(machine.pam("sshd", "alice", "000000").run().rc, tests::pam::SUCCESS);
    // Without a key or a password, the line would let strangers in.
    machine.service("open", "auth required pam_totp.so\n");
    let ran = machine.run("totpctl enable open --option nullok");
    assert!(ran.status == 1 && ran.stderr.contains("ask for the password"), "{ran:#?}");
}
