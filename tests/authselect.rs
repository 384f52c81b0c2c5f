//! The blocks of `docs/admin/distributions.md` for Fedora and RHEL, run with authselect itself
//! (`scripts/authselect.sh`), its own profiles, the rpm, libpam and sshd.

use std::collections::BTreeSet;

use tests::authselect::rendered;
use tests::{Machine, Seed};

/// A release of authselect, and its profile for local users.
const RELEASES: [(&str, &str); 2] = [("1.7.1", "local"), ("1.2.6", "minimal")];
const PAGE: &str = include_str!("../docs/admin/distributions.md");

/// Returns a machine with authselect, the rpm, and this profile of the distribution. alice has a
/// factor.
fn fedora(release: &str, profile: &str) -> (Machine, Seed) {
    let machine = Machine::new();
    machine
        .run(&format!(
            "rm -rf /usr/libexec/totpd /usr/bin/totpctl /usr/lib/*/security/pam_totp.so /etc/totpd \
             /usr/share/pam-configs/totp /etc/pam.d/totp /var/lib/totpd && \
             tar -C / --keep-directory-symlink -xf /opt/tests/authselect-{release}.tar && \
             rpm --nodeps -i /opt/tests/pam-totp.rpm && \
             ln -s /usr/lib64/security/pam_totp.so $(dirname $(find /usr/lib -name pam_unix.so))/ && \
             authselect select {profile} --force"
        ))
        .stdout_ok();
    // As the packages of Fedora have them.
    let session = "session include";
    machine.service(
        "sshd",
        &format!(
            "auth substack password-auth\nauth include postlogin\naccount required pam_nologin.so\n\
             account include password-auth\n{session} password-auth\n{session} postlogin\n"
        ),
    );
    let sudo =
        format!("auth include system-auth\naccount include system-auth\n{session} system-auth\n");
    machine.service("sudo", &sudo);
    machine.service("sudo-i", &sudo.replace("system-auth", "sudo"));
    machine
        .write("/etc/sudoers.d/people", "alice ALL=(ALL:ALL) ALL\nDefaults timestamp_timeout=0\n");
    let seed = machine.enrolled("alice", 1);
    (machine, seed)
}

/// Returns the block of the page that begins so.
fn block(start: &str) -> &'static str {
    let block = PAGE.split("```sh\n").find(|block| block.starts_with(start)).expect(start);
    block.split("```").next().unwrap()
}

/// Returns the commands of a block, without what a comment says.
fn commands(block: &str) -> impl Iterator<Item = &str> {
    block.lines().map(|line| line.split(" #").next().unwrap().trim())
}

/// Returns all that authselect writes.
fn written(machine: &Machine) -> String {
    machine
        .run("cd /etc; grep -r . authselect/*auth authselect/postlogin authselect/nsswitch.conf; authselect current")
        .stdout_ok()
}

fn ssh(machine: &Machine, user: &str, code: &str) -> bool {
    machine
        .run("faillock --user alice --reset 2>/dev/null || rm -f /run/faillock/alice")
        .stdout_ok();
    machine.ssh(user, code).run().got_in
}

fn sudo(machine: &Machine, code: &str) -> bool {
    let command = format!("/opt/tests/type-login alicepw '{code}' sudo -k id -un");
    machine.run_as("alice", &command).stdout.lines().any(|line| line.trim() == "root")
}

/// Checks that sshd and sudo ask for the code after the right password alone.
fn asks_after_the_right_password(machine: &Machine) {
    let doctor = machine.run("totpctl doctor sshd sudo sudo-i").stdout_ok();
    for service in ["sshd", "sudo", "sudo-i"] {
        let expected = format!("{service}: asks for a code, skips users without a factor\n");
        assert!(doctor.contains(&expected), "{doctor}");
    }
    let again = machine.run("totpctl --json enable sshd").stdout_ok();
    assert!(again.contains("\"changed\":false"), "{again}");
    let code = machine.fresh_code("alice");
    let wrong = machine.ssh("alice", &code).password("wrong").run();
    assert!(!wrong.got_in, "{wrong:#?}");
    assert!(!wrong.prompts.iter().any(|prompt| prompt.contains("code")), "{wrong:#?}");
    assert!(!ssh(machine, "alice", "000000"), "a wrong code");
    machine.run("totpctl unlock alice").stdout_ok();
    assert!(ssh(machine, "alice", &code), "a right code");
    assert!(!sudo(machine, &code), "a used code");
    assert!(sudo(machine, &machine.fresh_code("alice")), "a right code");
    assert!(ssh(machine, "bob", ""), "bob has no factor");
}

/// Returns the command of authselect that `totpctl enable` names, which refuses.
fn named_command(machine: &Machine) -> String {
    let refused = machine.run("totpctl enable sshd");
    assert_eq!(refused.status, 1, "{refused:#?}");
    let mut quoted = refused.stderr.split('"').filter(|text| text.starts_with("authselect select"));
    quoted.next().unwrap_or_else(|| panic!("{refused:#?}")).to_owned()
}

#[test]
fn the_block_of_the_page_has_logins_ask_and_leads_back() {
    let block = block("authselect current");
    let back = block.split("# back: ").nth(1).unwrap().trim();
    for (release, local) in RELEASES {
        for (profile, ours) in [(local, "totp-local"), ("sssd", "totp-sssd")] {
            let (machine, _) = fedora(release, &format!("{profile} with-faillock"));
            let before = written(&machine);
            assert!(ssh(&machine, "alice", ""), "{release} {profile}: nothing asks yet");
            let named = named_command(&machine);
            assert_eq!(
                named,
                format!("authselect select {ours} with-totp with-faillock"),
                "{release}"
            );
            for command in commands(block) {
                let command = command.replace("totp-sssd", ours);
                println!("{release}: {command}");
                machine.run(&command).stdout_ok();
                if command.starts_with("authselect test") {
                    assert_eq!(written(&machine), before, "{release}: it changes nothing");
                }
            }
            machine.run("authselect check").stdout_ok();
            asks_after_the_right_password(&machine);
            machine.run("authselect enable-feature with-totp-required").stdout_ok();
            assert!(!ssh(&machine, "bob", ""), "{release} {profile}: everybody is asked");
            machine.run("authselect disable-feature with-totp-required").stdout_ok();
            assert!(ssh(&machine, "bob", ""), "{release} {profile}: the feature is off again");
            // What named the module would shut everybody out.
            let refused = machine.run("rpm --nodeps -e pam-totp");
            assert!(refused.text().contains("/etc/pam.d/password-auth"), "{refused:#?}");
            // Without its feature the profile asks nobody, and authselect would still lose it.
            machine.run("authselect disable-feature with-totp").stdout_ok();
            let refused = machine.run("rpm --nodeps -e pam-totp");
            assert!(refused.text().contains(&format!("the profile {ours}")), "{refused:#?}");
            machine.run("authselect enable-feature with-totp").stdout_ok();
            println!("{release}: {back}");
            machine.run(back).stdout_ok();
            assert_eq!(written(&machine), before, "{release} {profile}");
            assert!(ssh(&machine, "alice", ""), "{release} {profile}: nothing asks any more");
            machine.run("rpm --nodeps -e pam-totp && authselect check").stdout_ok();
            assert!(ssh(&machine, "alice", ""), "{release} {profile}");
        }
    }
}

/// The features of the distribution's profile that ours has too are in the named command.
#[test]
fn the_named_command_keeps_the_features() {
    for (release, _) in RELEASES {
        let (machine, _) =
            fedora(release, "sssd with-faillock with-mkhomedir with-sudo without-nullok");
        let named = named_command(&machine);
        for feature in ["with-faillock", "with-mkhomedir", "with-sudo", "without-nullok"] {
            assert!(named.contains(feature), "{release}: {named}");
        }
        machine.run(&named).stdout_ok();
        let text = written(&machine);
        for line in ["sudoers:", "pam_oddjob_mkhomedir.so", "pam_faillock.so authfail"] {
            assert!(text.contains(line), "{release}: {line}: {text}");
        }
        assert!(!text.contains("pam_unix.so nullok"), "{release}: {text}");
        asks_after_the_right_password(&machine);
        // A feature that ours lacks is named, and select refuses to be given it.
        machine.run("authselect select sssd with-pamaccess --force").stdout_ok();
        let refused = machine.run("totpctl enable sshd");
        assert!(refused.stderr.contains("no counterpart"), "{refused:#?}");
        assert!(refused.stderr.contains("with-pamaccess"), "{refused:#?}");
        let unknown = machine.run("authselect select totp-sssd with-totp with-pamaccess");
        assert_ne!(unknown.status, 0, "{release}: {unknown:#?}");
    }
}

/// The administrator adds the lines of a feature that the package lacks.
#[test]
fn a_profile_of_ones_own_asks() {
    for (release, _) in RELEASES {
        let (machine, _) = fedora(release, "sssd with-pamaccess");
        machine.write(
            "/usr/local/bin/vi",
            "#!/bin/sh\nexec sed -i '0,/^account/s//account required pam_access.so\\naccount/' system-auth password-auth\n",
        );
        machine.run("chmod 755 /usr/local/bin/vi").stdout_ok();
        for command in commands(block("authselect create-profile")) {
            println!("{release}: {command}");
            machine.run(&command.replace("NAME", "own")).stdout_ok();
        }
        assert!(written(&machine).contains("Profile ID: custom/own"), "{release}");
        asks_after_the_right_password(&machine);
        machine.write("/etc/security/access.conf", "-:alice:ALL\n");
        let code = machine.fresh_code("alice");
        assert!(!ssh(&machine, "alice", &code), "{release}: access.conf is read");
    }
}

/// The other tests have an interpreter of templates. authselect makes the same, with every
/// set of features.
#[test]
fn authselect_expands_the_profiles_as_the_interpreter_does() {
    let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/authselect");
    let template = |file: &str| std::fs::read_to_string(format!("{packaging}/{file}")).unwrap();
    let lines = |text: &str| -> Vec<String> {
        let bare = text.lines().map(|line| line.trim_end().to_owned());
        bare.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
    };
    let mut compared = 0;
    for (release, _) in RELEASES {
        let (machine, _) = fedora(release, "sssd");
        for profile in ["local", "sssd"] {
            let system_auth = template(&format!("{profile}/system-auth"));
            let nsswitch = template(&format!("{profile}/nsswitch.conf"));
            let features: BTreeSet<_> = [&system_auth, &nsswitch]
                .into_iter()
                .flat_map(|text| text.split('"').skip(1).step_by(2))
                .filter(|word| word.starts_with("with"))
                .collect();
            let features: Vec<_> = features.into_iter().collect();
            assert!(features.len() >= 9, "{features:?}");
            let sets: Vec<Vec<&str>> = (0_usize..1 << features.len())
                .map(|set| {
                    (0..features.len())
                        .filter(|at| set >> at & 1 == 1)
                        .map(|at| features[at])
                        .collect()
                })
                .collect();
            let script: String = sets
                .iter()
                .map(|set| {
                    format!("authselect test totp-{profile} {} -a; echo '@@@'\n", set.join(" "))
                })
                .collect();
            machine.write("/tmp/sets", &script);
            let out = machine.run("sh -e /tmp/sets").stdout_ok();
            let outputs: Vec<_> = out.split("@@@\n").collect();
            assert_eq!(outputs.len(), sets.len() + 1, "{release} {profile}");
            for (set, output) in sets.iter().zip(outputs) {
                let file = |path: &str| {
                    let text = output.split(&format!("File {path}:\n")).nth(1).expect(path);
                    lines(text.split("\nFile ").next().unwrap())
                };
                for (path, template) in [
                    ("/etc/pam.d/system-auth", &system_auth),
                    ("/etc/pam.d/password-auth", &system_auth),
                    ("/etc/nsswitch.conf", &nsswitch),
                ] {
                    let expected = lines(&rendered(template, set));
                    assert_eq!(file(path), expected, "{release} {profile} {set:?} {path}");
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} files are equal");
}
