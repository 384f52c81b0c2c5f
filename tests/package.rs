//! The packages, from their installation to their purge.

use std::process::Command;

use tests::{Machine, Output, SSH, eventually};

mod uninstall;

const APT: &str = "DEBIAN_FRONTEND=noninteractive dpkg";
const PACKAGE: &str = "/opt/tests/libpam-totp.deb";
const STORE_IS_KEPT: &str = "To remove them: rm -r /var/lib/totpd";

fn got_in(machine: &Machine, user: &str, code: &str) -> bool {
    let ran = machine.run(&format!(
        "/opt/tests/type-enrollment {user}pw '{code}' x {SSH} \
         {user}@127.0.0.1 'echo in as $(id -un)'"
    ));
    ran.stdout.lines().any(|line| line.trim_end().ends_with(&format!("in as {user}")))
}

/// Returns a machine without any file of totpd.
fn without() -> Machine {
    let machine = Machine::new();
    machine
        .run(
            "rm -rf /usr/libexec/totpd /usr/bin/totpctl /usr/lib/*/security/pam_totp.so /etc/totpd \
             /usr/share/pam-configs/totp /etc/pam.d/totp /var/lib/totpd",
        )
        .stdout_ok();
    machine
}

/// Returns a machine with the package, and no other file of totpd.
fn with_the_package() -> Machine {
    let machine = without();
    let installed = machine.run(&format!("{APT} -i {PACKAGE}")).stdout_ok();
    assert!(installed.contains("Next: totpctl enroll USER, then totpctl try sshd"), "{installed}");
    let folder = machine.run("stat -c '%U %a' /var/lib/totpd").stdout_ok();
    assert_eq!(folder, "root 700\n");
    machine
}

fn asks(machine: &Machine) -> Output {
    machine.run("grep -n pam_totp /etc/pam.d/common-auth")
}

#[test]
fn the_deb_lets_the_right_people_in_from_install_to_purge() {
    let machine = with_the_package();
    assert_eq!(asks(&machine).status, 1, "nothing asks before an administrator says so");
    assert!(got_in(&machine, "alice", ""));
    let seed = machine.enrolled("alice", 1);
    machine.run("DEBIAN_FRONTEND=noninteractive pam-auth-update --enable totp").stdout_ok();
    assert!(asks(&machine).stdout_ok().contains("required"));
    assert!(!got_in(&machine, "alice", "000000"), "a wrong code");
    assert!(got_in(&machine, "alice", &seed.code()), "a right code");
    assert!(!got_in(&machine, "alice", &seed.code()), "a used code");
    assert!(got_in(&machine, "bob", ""), "a user without a factor is not asked");

    // Installed again, as an upgrade is: the profile stays on, and what was configured is left.
    machine.run("echo '# mine' >> /etc/totpd/totpd.toml").stdout_ok();
    let daemon = machine.daemon().unwrap();
    machine.run(&format!("{APT} --force-confold -i {PACKAGE}")).stdout_ok();
    let ends = |daemon: u32| {
        eventually("the daemon ends", || {
            machine.run(&format!("test -e /proc/{daemon}")).status != 0
        });
    };
    ends(daemon);
    machine.run("grep -q '^# mine' /etc/totpd/totpd.toml").stdout_ok();
    assert!(asks(&machine).stdout_ok().contains("required"));

    // A stack that a person wrote stops the removal, before anything is changed.
    machine.write("/root/by-hand", "auth required pam_totp.so\n");
    machine.run("ln -s /root/by-hand /etc/pam.d/by-hand").stdout_ok();
    let refusal = machine.run(&format!("{APT} -r libpam-totp"));
    assert_ne!(refusal.status, 0, "{refusal:#?}");
    assert!(refusal.text().contains("/etc/pam.d/by-hand"), "{refusal:#?}");
    assert!(asks(&machine).stdout_ok().contains("required"));
    machine.run("totpctl unlock alice").stdout_ok();
    assert!(got_in(&machine, "alice", &seed.next_code()), "it still works");

    machine.run("sed -i 's/^auth/#auth/' /etc/pam.d/by-hand").stdout_ok();
    let daemon = machine.daemon().unwrap();
    machine.run(&format!("{APT} -r libpam-totp")).stdout_ok();
    ends(daemon);
    assert_eq!(asks(&machine).status, 1);
    assert!(machine.run("ls /usr/lib/*/security/pam_totp.so").status != 0);
    assert!(got_in(&machine, "alice", "") && got_in(&machine, "bob", ""));

    // Purged, it keeps the store, unless the administrator said otherwise.
    machine.write("/etc/totpd/accepted.toml", "");
    let purged = machine.run(&format!("{APT} -P libpam-totp"));
    assert_eq!(purged.status, 0, "{purged:#?}");
    assert_eq!(purged.text().matches(STORE_IS_KEPT).count(), 1, "{purged:#?}");
    machine.run("test -s /var/lib/totpd/store.db && test ! -e /etc/totpd").stdout_ok();
    machine.run(&format!("{APT} -i {PACKAGE}")).stdout_ok();
    assert!(
        machine.run("totpctl show alice").stdout_ok().contains("alice"),
        "who was enrolled still is"
    );
    let answer = "libpam-totp libpam-totp/purge_store boolean true";
    machine.run(&format!("echo '{answer}' | debconf-set-selections")).stdout_ok();
    let purged = machine.run(&format!("{APT} -P libpam-totp"));
    assert!(purged.status == 0 && !purged.text().contains(STORE_IS_KEPT), "{purged:#?}");
    machine.run("test ! -e /var/lib/totpd").stdout_ok();
}

/// A host without debconf keeps the store and says it as often. An empty folder is no store.
#[test]
fn a_purge_says_once_that_it_keeps_a_store() {
    let machine = with_the_package();
    machine.run("mv /usr/share/debconf/confmodule /root/").stdout_ok();
    for (store, expected) in [("", 0), ("touch /var/lib/totpd/store.db", 1)] {
        machine.kill_daemon("TERM");
        machine.run(&format!("{APT} -i {PACKAGE}; rm -rf /var/lib/totpd/*; {store}")).stdout_ok();
        let purged = machine.run(&format!("{APT} -P libpam-totp"));
        assert_eq!(purged.status, 0, "{purged:#?}");
        assert_eq!(purged.text().matches(STORE_IS_KEPT).count(), expected, "{purged:#?}");
        assert_eq!(machine.run("test -e /var/lib/totpd").status == 0, expected == 1);
    }
}

#[test]
fn every_file_has_an_owner_and_manual_pages_exist() {
    let machine = with_the_package();
    let files = machine.run("dpkg -L libpam-totp").stdout_ok();
    for file in
        ["man1/totpctl.1.gz", "man5/totpd.toml.5.gz", "man8/pam_totp.8.gz", "man8/totpd.8.gz"]
    {
        assert!(files.contains(file), "{file}: {files}");
    }
    machine.run("dpkg --verify libpam-totp").stdout_ok();
    let conffiles = machine.run("dpkg-query -W -f '${Conffiles}' libpam-totp").stdout_ok();
    assert!(conffiles.contains("/etc/totpd/totpd.toml"), "{conffiles}");
    // Another init also reverts a trial that a reboot cut short, before anybody can log in.
    machine.run("test -x /etc/init.d/totpctl-try && ls /etc/rcS.d/S*totpctl-try").stdout_ok();
    machine.run(&format!("{APT} -P libpam-totp")).stdout_ok();
    assert!(machine.run("ls /etc/init.d/totpctl-try /etc/rcS.d/S*totpctl-try").stdout.is_empty());
}

/// Writes a stack with the old name of an option, in every way in which a line can have it. It also
/// writes stacks without such a line.
fn write_old_option(machine: &Machine) {
    let old = "# pam_totp.so names\nauth required pam_totp.so \\\n  nullok names\n";
    machine.write("/etc/pam.d/old-option", old);
    let new = "auth required pam_totp.so show_names # names\nauth required pam_totp.so [prompt=Your names: ]\n";
    machine.write("/etc/pam.d/new-option", new);
    for backup in ["sshd.bak", "sshd.dpkg-old", "sshd.rpmsave", "sshd~"] {
        machine.write(&format!("/etc/pam.d/{backup}"), "auth required pam_totp.so names\n");
    }
}

/// Checks that the upgrade was refused because of that stack alone.
fn assert_refused_for_old_option(refusal: &Output) {
    assert_ne!(refusal.status, 0, "{refusal:#?}");
    let text = refusal.text();
    let named: Vec<_> = text.lines().filter(|line| line.contains("/etc/pam.d/")).collect();
    assert_eq!(named, ["  /etc/pam.d/old-option:2"], "{refusal:#?}");
    assert!(text.contains("names") && text.contains("show_names"), "{refusal:#?}");
}

#[test]
fn an_upgrade_stops_while_a_stack_has_the_old_option_names() {
    let machine = with_the_package();
    write_old_option(&machine);
    let upgrade = || machine.run(&format!("{APT} --force-confold -i {PACKAGE}"));
    let status = || machine.run("dpkg-query -W -f '${Status}' libpam-totp").stdout_ok();
    assert_refused_for_old_option(&upgrade());
    assert_eq!(status(), "install ok installed");
    machine.run("dpkg --verify libpam-totp").stdout_ok();

    machine.run("sed -i 's/ names$//' /etc/pam.d/old-option").stdout_ok();
    upgrade().stdout_ok();
    assert_eq!(status(), "install ok installed");
}

#[test]
fn an_upgrade_stops_while_the_configuration_has_the_old_table() {
    let machine = with_the_package();
    let upgrade = || machine.run(&format!("{APT} --force-confold -i {PACKAGE}"));
    for (old, line) in
        [("# a comment\n[enrolment]\nmax_factors = 2\n", 2), ("enrolment.max_factors = 2\n", 1)]
    {
        machine.write("/etc/totpd/totpd.toml.d/10-old.toml", old);
        let refusal = upgrade();
        assert_ne!(refusal.status, 0, "{refusal:#?}");
        let named = format!("  /etc/totpd/totpd.toml.d/10-old.toml:{line}\n");
        assert!(refusal.text().contains(&named), "{refusal:#?}");
        machine.run("dpkg --verify libpam-totp").stdout_ok();
    }
    machine.write("/etc/totpd/totpd.toml.d/10-old.toml", "# [enrolment]\n[enrollment]\n");
    upgrade().stdout_ok();
}

#[test]
fn an_upgrade_of_the_rpm_stops_while_a_stack_has_the_old_option_names() {
    let machine = without();
    let rpm = |words: &str| machine.run(&format!("rpm --nodeps {words} /opt/tests/pam-totp.rpm"));
    rpm("-i").stdout_ok();
    write_old_option(&machine);
    assert_refused_for_old_option(&rpm("-U --replacepkgs"));
    machine.run("rpm -q pam-totp && test -x /usr/bin/totpctl").stdout_ok();

    machine.run("sed -i 's/ names$//' /etc/pam.d/old-option").stdout_ok();
    rpm("-U --replacepkgs").stdout_ok();
}

/// rpm knows none of the packages of this system. So it knows none of its own requirements.
#[test]
fn the_rpm_keeps_logins_possible_until_its_removal() {
    let machine = without();
    let rpm = |words: &str| machine.run(&format!("rpm --nodeps {words}"));
    let installed = rpm("-i /opt/tests/pam-totp.rpm").stdout_ok();
    assert!(installed.contains("Next: totpctl enroll USER"), "{installed}");
    let files = machine.run("rpm -ql pam-totp").stdout_ok();
    for file in ["/usr/share/selinux/packages/totpd.pp", "/vendor/totp-sssd/switchable-auth"] {
        assert!(files.contains(file), "{file}: {files}");
    }
    // Whatever policy it is loaded into, it names the domains of that one.
    let module =
        machine.run("/usr/libexec/selinux/hll/pp /usr/share/selinux/packages/totpd.pp").stdout_ok();
    for domain in ["sshd_session_t", "policykit_auth_t", "cockpit_session_t"] {
        let allowed = format!("(allow {domain} totpd_t (unix_stream_socket (connectto)))");
        assert!(module.contains(&allowed), "{domain}");
    }
    // Servers may ask if a boolean says so.
    for server in [
        "(boolean totpd_ask_servers false)",
        "(allow totpd_server_domain totpd_t (unix_stream_socket (connectto)))",
        "(typeattributeset totpd_server_domain (crond_t ))",
        "(allow pam_domain totpd_t (unix_stream_socket (connectto)))",
    ] {
        assert!(module.contains(server), "{server}");
    }
    assert!(got_in(&machine, "alice", ""), "nothing asks before an administrator says so");
    let seed = machine.enrolled("alice", 1);
    // libpam of this distribution does not search this folder.
    let line = "auth required /usr/lib64/security/pam_totp.so nullok";
    machine.run(&format!("sed -i '/^@include common-auth/a {line}' /etc/pam.d/sshd")).stdout_ok();
    assert!(!got_in(&machine, "alice", "000000") && got_in(&machine, "alice", &seed.code()));

    machine.run("echo '# mine' >> /etc/totpd/totpd.toml").stdout_ok();
    rpm("-U --replacepkgs /opt/tests/pam-totp.rpm").stdout_ok();
    machine.run("grep -q '^# mine' /etc/totpd/totpd.toml").stdout_ok();
    assert!(got_in(&machine, "alice", &seed.next_code()), "after an upgrade");

    // authselect has the files elsewhere.
    machine
        .run("mkdir -p /etc/authselect; mv /etc/pam.d/sshd /etc/authselect/; ln -s /etc/authselect/sshd /etc/pam.d/sshd")
        .stdout_ok();
    let refusal = rpm("-e pam-totp");
    assert_ne!(refusal.status, 0, "{refusal:#?}");
    assert!(refusal.text().contains("/etc/pam.d/sshd"), "{refusal:#?}");
    rpm("-V pam-totp --nofiledigest --nosize --nomtime").stdout_ok();
    assert!(!got_in(&machine, "alice", "000000") && got_in(&machine, "bob", ""), "it still asks");

    machine.run("mv /etc/authselect/sshd /etc/pam.d/sshd; totpctl disable sshd").stdout_ok();
    rpm("-e pam-totp").stdout_ok();
    assert!(got_in(&machine, "alice", ""));
    machine
        .run("test ! -e /usr/bin/totpctl && test ! -e /usr/lib64/security/pam_totp.so && test -s /var/lib/totpd/store.db")
        .stdout_ok();
}

/// Every file that the module of SELinux labels gets its label from the rpm, and by the page.
#[test]
fn all_files_that_selinux_labels_are_labeled() {
    let labels = include_str!("../packaging/selinux/totpd.fc");
    let paths: Vec<_> = labels
        .lines()
        .filter_map(|line| line.split(['(', '\t']).next())
        .filter(|path| path.starts_with('/'))
        .collect();
    assert_eq!(paths.len(), 5, "{paths:?}");
    let spec = include_str!("../packaging/rpm/pam-totp.spec")
        .replace("%{_libexecdir}", "/usr/libexec")
        .replace("%{_sysconfdir}", "/etc");
    let page = include_str!("../docs/admin/distributions.md");
    let commands: Vec<_> =
        spec.lines().chain(page.lines()).filter(|line| line.contains("restorecon -RF")).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let words: Vec<_> = command.split([' ', '"']).collect();
        let missing: Vec<_> = paths.iter().filter(|path| !words.contains(path)).collect();
        assert!(missing.is_empty(), "{command}: {missing:?}");
    }
}

/// NixOS installs each package in a folder of its own, and runs nothing outside of that store.
#[test]
fn the_units_start_the_programs_below_the_prefix() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let to = tempfile::tempdir().unwrap();
    let prefix = "/nix/store/abc-totp";
    let installed = Command::new("make")
        .args(["-s", "install", "BUILT=target/tested", &format!("PREFIX={prefix}")])
        .arg(format!("DESTDIR={}", to.path().display()))
        .current_dir(root)
        .output()
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let read = |path: &str| {
        let path = format!("{}{prefix}/{path}", to.path().display());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let unit = read("lib/systemd/system/totpd.service");
    for line in [
        "ExecStart=/nix/store/abc-totp/libexec/totpd",
        "ExecPaths=/nix/store/abc-totp/libexec/totpd -/usr/lib -/usr/lib64 -/lib -/lib64 -/nix/store",
    ] {
        assert!(unit.lines().any(|other| other == line), "{line}: {unit}");
    }
    let revert = read("lib/systemd/system/totpctl-try.service");
    assert!(revert.contains("ExecStart=/nix/store/abc-totp/bin/totpctl try --undo"), "{revert}");
    let activated = read("share/dbus-1/system-services/org.totpd.Totp1.service");
    assert!(activated.contains("Exec=/nix/store/abc-totp/libexec/totpd"), "{activated}");
}

/// The test fails if a cargo without downloads does not find all sources.
#[test]
fn the_sources_that_are_vendored_are_all_that_a_build_needs() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let vendored =
        Command::new("scripts/vendor.sh").arg("target/vendor").current_dir(root).output().unwrap();
    assert!(vendored.status.success(), "{}", String::from_utf8_lossy(&vendored.stderr));
}

#[test]
fn packages_of_the_same_files_are_the_same_bytes() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (kind, package) in [("deb", "libpam-totp.deb"), ("rpm", "pam-totp.rpm")] {
        let build = Command::new(root.join(format!("scripts/{kind}.sh")))
            .envs([("BUILT", "target/tested"), ("OUT", &format!("target/again/{kind}"))])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&build.stdout);
        assert!(build.status.success(), "{build:?}");
        let path = told.trim().rsplit(": ").next().and_then(|rest| rest.split(',').next());
        let again = std::fs::read(root.join(path.unwrap())).unwrap();
        let before = std::fs::read(root.join("target/tests").join(package)).unwrap();
        assert!(again == before, "{package}");
    }
}
