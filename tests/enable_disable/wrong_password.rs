//! Stacks in which a wrong password continues to the code, as Fedora and openSUSE have them.

use tests::{PamResult, authselect};

use super::*;

const FEDORA: &str = "auth required pam_env.so\nauth sufficient pam_unix.so nullok nodelay\n\
                      auth required pam_deny.so\naccount required pam_unix.so\nsession required pam_unix.so\n";
const FEDORAS_SSHD: &str = "auth substack password-auth\nauth include postlogin\naccount include password-auth\n\
                            session include password-auth\n";
const OPENSUSES: &str =
    "auth required pam_env.so\nauth required pam_unix.so try_first_pass nodelay\n";
const OPENSUSES_SSHD: &str = "auth requisite pam_nologin.so\nauth include common-auth\n\
                              account include common-account\nsession include common-session\n";

fn prompts(machine: &Machine, password: &str) -> Vec<String> {
    let PamResult { rc, shown, .. } = machine.pam("sshd", "alice", password).run();
    assert_ne!(rc, tests::pam::SUCCESS);
    shown
}

/// Checks that totpctl refuses every way to have sshd ask, and that it names the alternative.
fn refused_every_way(machine: &Machine, line: &str, instead: &str) {
    for command in ["enable sshd", "try sshd"] {
        for option in ["", " --option nullok", " --option enroll", " --option="] {
            let command = format!("totpctl {command}{option}");
            let ran = assert_refused(machine, &command, &format!("it continues after {line}"));
            assert!(ran.stderr.contains(instead), "{command}: {ran:#?}");
        }
    }
}

/// Checks that only a person who knows the password is asked for a code. Doctor looks at sshd.
fn is_protected(machine: &Machine, seed: &Seed) {
    let doctor = machine.run("totpctl doctor sshd").stdout_ok();
    assert!(doctor.contains("sshd: asks for a code, skips users without a factor\n"), "{doctor}");
    let json = machine.run("totpctl --json enable sshd").stdout_ok();
    assert!(json.contains("\"changed\":false"), "{json}");
    let wrong = machine.ssh("alice", &seed.next_code()).password("wrong").run();
    assert!(!wrong.got_in, "{wrong:#?}");
    let codes = wrong.prompts.iter().filter(|prompt| prompt.contains("code"));
    assert_eq!(codes.count(), 0, "{wrong:#?}");
    assert!(!ssh(machine, "000000"));
    machine.run("totpctl unlock alice").stdout_ok();
    assert!(ssh(machine, &seed.code()));
}

#[test]
fn the_authselect_profile_is_named_and_protects_sshd() {
    let (machine, seed) = machine();
    for name in ["password-auth", "system-auth"] {
        machine.service(name, FEDORA);
    }
    machine.service("postlogin", "session optional pam_umask.so silent\n");
    machine.service("sshd", FEDORAS_SSHD);
    machine.run("mkdir -p /etc/authselect").stdout_ok();
    machine.write("/etc/authselect/authselect.conf", "local\nwith-silent-lastlog\nwith-faillock\n");
    let named = "authselect select totp-local with-totp with-faillock";
    refused_every_way(&machine, "password-auth:2", named);

    // An administrator wrote this line before. A stranger is then asked for a code, and doctor says
    // so.
    let earlier = FEDORAS_SSHD.replace(
        "auth include postlogin\n",
        "auth required pam_totp.so nodelay\nauth include postlogin\n",
    );
    machine.service("sshd", &earlier);
    assert!(prompts(&machine, "wrong").iter().any(|prompt| prompt.contains("Verification code")));
    machine.run("totpctl unlock alice").stdout_ok();
    let doctor = machine.run("totpctl doctor sshd");
    assert_eq!(doctor.status, 1, "{doctor:#?}");
    for finding in [
        "asks after a wrong password too",
        "problem: /etc/pam.d/password-auth:2: a wrong password does not end the login",
        "/etc/pam.d/sshd:2 still asks for a code",
        named,
    ] {
        assert!(doctor.stdout.contains(finding), "{finding}: {doctor:#?}");
    }
    for option in ["enroll", "nullok"] {
        for command in ["enable", "try"] {
            let command = format!("totpctl {command} sshd --option {option}");
            assert_refused(&machine, &command, "it continues after password-auth:2");
        }
    }
    assert!(machine.run("totpctl --json enable sshd").stdout_ok().contains("\"changed\":false"));

    // The next command is the one that totpctl names.
    machine.run("totpctl disable sshd").stdout_ok();
    let template =
        format!("{}/../packaging/authselect/local/system-auth", env!("CARGO_MANIFEST_DIR"));
    let template = std::fs::read_to_string(template).unwrap();
    let profile = authselect::rendered(&template, &["with-totp", "with-faillock"]);
    for name in ["password-auth", "system-auth"] {
        machine.service(name, &profile);
    }
    is_protected(&machine, &seed);
}

#[test]
fn on_opensuse_the_example_is_named_and_protects_sshd() {
    let (machine, seed) = machine();
    machine.service("common-auth-pc", OPENSUSES);
    machine.run("ln -sf common-auth-pc /etc/pam.d/common-auth").stdout_ok();
    machine.service("sshd", OPENSUSES_SSHD);
    refused_every_way(&machine, "common-auth:2", "pam-config/common-auth of the package");
    let example = format!("{}/../packaging/pam-config/common-auth", env!("CARGO_MANIFEST_DIR"));
    machine.run("mkdir -p /usr/share/doc/pam-totp/examples/pam-config").stdout_ok();
    machine.write(
        "/usr/share/doc/pam-totp/examples/pam-config/common-auth",
        &std::fs::read_to_string(example).unwrap(),
    );
    let page = include_str!("../../docs/admin/distributions.md");
    let block = page.split("```sh\n").find(|block| block.starts_with("grep '^auth'")).unwrap();
    let block = block.split("```").next().unwrap();
    machine.run(&format!("set -e\n{block}")).stdout_ok();
    is_protected(&machine, &seed);
    let (_, back) = block.split_once("# back: ").unwrap();
    machine.run(back).stdout_ok();
    assert_eq!(machine.run("readlink /etc/pam.d/common-auth").stdout_ok(), "common-auth-pc\n");
}

#[test]
fn a_substack_of_debian_becomes_an_include_and_one_again() {
    let (machine, _) = machine();
    let cockpit = "auth substack common-auth\nauth optional pam_group.so\n";
    machine.service("cockpit", cockpit);
    machine.run("totpctl enable cockpit").stdout_ok();
    let doctor = machine.run("totpctl doctor cockpit").stdout_ok();
    assert!(doctor.contains("cockpit: asks for a code\n"), "{doctor}");
    machine.run("totpctl disable cockpit").stdout_ok();
    assert_eq!(machine.run("cat /etc/pam.d/cockpit").stdout_ok(), cockpit);
}

#[test]
fn nobody_makes_a_factor_where_nobody_asks_for_credentials() {
    let (machine, _) = machine();
    for service in ["polkit-1", "openvpn", "vlock"] {
        machine.service(service, "@include common-auth\n");
        for command in ["enable", "try"] {
            let command = format!("totpctl {command} {service} --option enroll");
            assert_refused(&machine, &command, "no user can create a factor there");
        }
        machine.run(&format!("totpctl enable {service}")).stdout_ok();
        assert_refused(
            &machine,
            &format!("totpctl enable {service} --option enroll"),
            "create a factor",
        );
        machine.service(service, "@include common-auth\nauth required pam_totp.so enroll\n");
        let doctor = machine.run(&format!("totpctl doctor {service}"));
        assert!(
            doctor.status == 1 && doctor.stdout.contains("remove the option enroll"),
            "{doctor:#?}"
        );
    }
    // Dropbear asks as sshd. With OpenSSH beside it, it need not be the one that asks.
    machine.run("totpctl enable sshd --option enroll").stdout_ok();
    assert!(!machine.run("totpctl doctor sshd").stdout_ok().contains("Dropbear"));
    machine
        .run("printf '#!/bin/sh\\n' > /usr/sbin/dropbear; chmod +x /usr/sbin/dropbear")
        .stdout_ok();
    let doctor = machine.run("totpctl doctor sshd").stdout_ok();
    assert!(doctor.contains("note: no user can create a factor through Dropbear"), "{doctor}");
    machine.run("mv /usr/sbin/sshd /usr/sbin/sshd.away").stdout_ok();
    assert_refused(&machine, "totpctl enable sshd --option enroll", "Dropbear");
    let doctor = machine.run("totpctl doctor sshd");
    assert!(doctor.stdout.contains("problem: no user can create a factor here"), "{doctor:#?}");
}

#[test]
fn options_that_tell_strangers_something_do_not_go_together() {
    let (machine, _) = machine();
    for option in ["nullok", "enroll", "show_names"] {
        let command = format!("totpctl enable sshd --option forward_pass --option {option}");
        let ran = machine.run(&command);
        assert!(ran.status == 2 && ran.stderr.contains("do not go together"), "{ran:#?}");
        machine.service(
            "both",
            &format!("auth required pam_totp.so forward_pass nodelay {option}\nauth required pam_permit.so\n"),
        );
        // bob has no factor, and the prompt tells him the same as all users.
        let login = machine.pam("both", "bob", "x").run();
        assert!(login.rc != tests::pam::SUCCESS && login.shown.is_empty(), "{login:#?}");
        let doctor = machine.run("totpctl doctor both");
        assert!(doctor.status == 1 && doctor.stdout.contains("/etc/pam.d/both:1: "), "{doctor:#?}");
        assert!(doctor.stdout.contains("pam_totp.so denies every login"), "{doctor:#?}");
    }
    machine.service(
        "account",
        "auth requisite pam_unix.so\nauth required pam_totp.so\naccount sufficient pam_totp.so\n\
         account required pam_deny.so\n",
    );
    let doctor = machine.run("totpctl doctor account");
    assert!(doctor.status == 1, "{doctor:#?}");
    assert!(
        doctor.stdout.contains("problem: /etc/pam.d/account:3: the success of pam_totp.so"),
        "{doctor:#?}"
    );
}
