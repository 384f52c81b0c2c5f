//! Real hosts, with systemd as PID 1. They test the life of the package, the limits of the unit on
//! the daemon, and the role of Ansible. `scripts/roots.sh` makes their root file systems.

use std::sync::atomic::{AtomicU32, Ordering};

use tests::sandbox_probe::{self, Tried};
use tests::{Host, Seed, eventually};

mod container;
mod marks;
mod polkit_helper;
mod reload;
mod tpm;
mod trial;

const PACKAGE: &str = "/opt/tests/libpam-totp.deb";
const SUITES: [&str; 2] = ["bookworm", "trixie"];

/// Returns a host with the package, on which `alice` has a factor.
fn with_alice(suite: &str) -> (Host, Seed) {
    let host = Host::boot(suite);
    host.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
    let seed = enrolled(&host, "alice", 1);
    (host, seed)
}

pub(crate) fn enrolled(host: &Host, user: &str, number: u32) -> Seed {
    let seed = Seed::numbered(number);
    let enroll = format!("totpctl enroll {user} --secret-stdin --qr none");
    host.run_with_input(&enroll, &seed.first_codes()).stdout_ok();
    seed
}

/// Returns an unused code of a new seed. So the test skips the wait of a person for the next code.
pub(crate) fn fresh(host: &Host, user: &str) -> String {
    try_fresh(host, user).expect("a new factor")
}

/// Returns an unused code of a new seed, or nothing if the factor is not taken.
fn try_fresh(host: &Host, user: &str) -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(1000);
    let seed = Seed::numbered(NUMBER.fetch_add(1, Ordering::Relaxed));
    let enroll = format!("totpctl enroll {user} --secret-stdin --qr none");
    let enrolled = host.run_with_input(&enroll, &seed.first_codes()).status == 0;
    enrolled.then(|| seed.code())
}

/// Returns the boot time as systemd prints it.
fn boot_time(host: &Host) -> String {
    let answer = host
        .run("systemctl is-system-running --wait; systemd-analyze time | head -n 1")
        .stdout_ok();
    answer.lines().last().unwrap_or_default().to_owned()
}

fn asks(host: &Host) -> bool {
    host.run("grep -q pam_totp /etc/pam.d/common-auth").status == 0
}

#[test]
fn booted_host_lives_from_installation_to_purge() {
    for suite in SUITES {
        let start = std::time::Instant::now();
        let (mut host, seed) = with_alice(suite);
        assert!(!asks(&host) && host.ssh("alice", ""), "nothing asks before it is told to");
        host.run("pam-auth-update --enable totp").stdout_ok();
        assert!(asks(&host));
        assert!(!host.ssh("alice", "000000"), "{suite}: a wrong code");
        let used = seed.code();
        assert!(host.ssh("alice", &used), "{suite}: a right code");
        println!("{suite}: boot, installation and first login: {:.1?}", start.elapsed());
        assert!(!host.ssh("alice", &used), "{suite}: a used code");
        assert!(host.ssh("bob", ""), "{suite}: a user without a factor is not asked");

        let output = host.run("systemd-analyze security --no-pager totpd.service").stdout_ok();
        let exposure = output.rsplit("totpd.service: ").next().unwrap().split(' ').next().unwrap();
        println!("{suite}: systemd-analyze security {exposure}");
        assert!(exposure.parse::<f32>().unwrap() <= 1.0, "{output}");

        // The socket starts the daemon, and not before a user logs in.
        host.reboot();
        println!("{suite}: with it {}", boot_time(&host));
        assert_eq!(host.run("systemctl is-active totpd.service").stdout, "inactive\n");
        assert_eq!(host.run("systemctl is-active totpd.socket").stdout, "active\n");
        assert!(!host.ssh("alice", &used), "{suite}: used before the reboot");
        let code = fresh(&host, "alice");
        assert!(host.ssh("alice", &code), "{suite}: after a reboot");

        // A newer package, then the older one again.
        let version = host.run(&format!("dpkg-deb -f {PACKAGE} Version")).stdout_ok();
        host.run(&format!(
            "cd /root && dpkg-deb -R {PACKAGE} new && sed -i 's/^Version: .*/&+1/' new/DEBIAN/control && \
             dpkg-deb -b new new.deb && apt-get install -y ./new.deb"
        ))
        .stdout_ok();
        let installed = "dpkg-query -W -f '${Version}' libpam-totp";
        assert_eq!(host.run(installed).stdout_ok(), format!("{}+1", version.trim()));
        let code = fresh(&host, "alice");
        assert!(asks(&host) && host.ssh("alice", &code), "{suite}: after an upgrade");
        host.run(&format!("apt-get install -y --allow-downgrades {PACKAGE}")).stdout_ok();
        let code = fresh(&host, "alice");
        assert!(asks(&host) && host.ssh("alice", &code), "{suite}: after a downgrade");

        host.power_cut();
        // When the next code is good: systemd/marks.rs.
        assert!(!host.ssh("alice", &code), "{suite}: a code stays used over a power cut");

        host.run("echo 'auth required pam_totp.so' >> /etc/pam.d/sudo").stdout_ok();
        let refusal = host.run("apt-get remove -y libpam-totp");
        assert!(refusal.status != 0 && refusal.text().contains("/etc/pam.d/sudo"), "{refusal:#?}");
        assert!(asks(&host), "{suite}: a removal that is refused changes nothing");
        host.run("sed -i '$d' /etc/pam.d/sudo").stdout_ok();
        host.run("apt-get remove -y libpam-totp").stdout_ok();
        assert!(!asks(&host) && host.ssh("alice", ""), "{suite}: by the password alone again");
        assert_eq!(host.run("systemctl is-active totpd.socket").stdout, "inactive\n");
        host.run("test -s /var/lib/totpd/store.db").stdout_ok();
        host.run("echo libpam-totp libpam-totp/purge_store boolean true | debconf-set-selections")
            .stdout_ok();
        host.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
        assert!(
            host.run("totpctl show alice").stdout_ok().contains("verified"),
            "{suite}: it was kept"
        );
        host.run("echo libpam-totp libpam-totp/purge_store boolean true | debconf-set-selections")
            .stdout_ok();
        host.run("apt-get purge -y libpam-totp").stdout_ok();
        let left = host.run("find / -xdev \\( -name '*totpd*' -o -name '*totpctl*' -o -name '*pam*totp*' \\) -not -path '/opt/*' -not -path '/root/*'");
        // dpkg and debconf own the data that they remember.
        let left: Vec<_> =
            left.stdout.lines().filter(|path| !path.starts_with("/var/lib/dpkg")).collect();
        assert!(left.is_empty(), "{suite}: {left:?}");
        assert!(host.ssh("alice", ""), "{suite}: purged");
        host.reboot();
        println!("{suite}: without it {}", boot_time(&host));
    }
}

#[test]
fn systemd_restarts_a_daemon_when_its_trouble_ends() {
    let (host, seed) = with_alice("bookworm");
    host.run("pam-auth-update --enable totp").stdout_ok();
    let broken = "/etc/totpd/totpd.toml.d/broken.toml";
    host.write(broken, "this is no configuration\n");
    host.run("systemctl stop totpd.service").stdout_ok();
    // systemd would give the daemon and its socket up after as many starts.
    for _ in 0..6 {
        assert!(!host.ssh("alice", &seed.code()), "nobody gets in");
    }
    let restart = host.run("systemctl restart totpd.service");
    assert!(restart.status != 0, "who starts it is told that it cannot: {restart:#?}");
    assert_eq!(host.run("systemctl is-active totpd.socket").stdout, "active\n");
    // Repaired, and nothing else done; without the bus too.
    host.run(&format!("systemctl stop dbus.socket dbus.service; rm {broken}")).stdout_ok();
    eventually("alice is in again", || host.ssh("alice", &seed.code()));
}

/// The unit alone limits the daemon here, without AppArmor and SELinux.
#[test]
fn the_unit_keeps_everything_but_the_bus_from_the_daemon() {
    for suite in SUITES {
        let (host, seed) = with_alice(suite);
        host.run("pam-auth-update --enable totp").stdout_ok();
        assert!(host.ssh("alice", &seed.code()), "{suite}: with it the daemon does its work");
        let doctor = host.run("totpctl doctor").text();
        assert!(doctor.contains("nothing confines totpd on the bus"), "{suite}: {doctor}");
        // The threat model and doctor say that AppArmor and SELinux prevent these.
        let over_the_bus = [sandbox_probe::OWN, sandbox_probe::UNITS[1], sandbox_probe::UNITS[2]];
        assert_eq!(Tried::on(|script| host.run(script)).could(), over_the_bus, "{suite}");
    }
}

#[test]
fn the_ansible_role_changes_a_booted_host_once() {
    let host = Host::boot("bookworm");
    host.run("mkdir -p /root/play && cp -r /opt/tests/ansible/roles /root/play/").stdout_ok();
    let play = "- hosts: localhost\n  connection: local\n  roles:\n    - role: totp\n      totp_package: /opt/tests/libpam-totp.deb\n      \
                totp_options: [nullok]\n      totp_users: [alice, carol]\n";
    host.write("/root/play/site.yml", play);
    let run = |more: &str| {
        let ran =
            host.run(&format!("cd /root/play && ansible-playbook -i localhost, {more} site.yml"));
        assert_eq!(ran.status, 0, "{ran:#?}");
        ran.stdout
    };
    let first = run("");
    assert!(!first.contains("changed=0 "), "{first}");
    let second = run("");
    assert!(second.contains("changed=0 ") && second.contains("failed=0 "), "{second}");
    let check = run("--check");
    assert!(check.contains("changed=0 "), "{check}");
    let enrollment =
        host.run("cat /root/totp-enrolled.jsonl; stat -c %a /root/totp-enrolled.jsonl").stdout_ok();
    let secret =
        enrollment.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(
        enrollment.ends_with("600\n") && enrollment.contains("\"user\":\"carol\""),
        "{enrollment}"
    );
    assert!(!host.ssh("alice", "000000") && host.ssh("alice", &Seed(secret).code()));
    assert!(host.ssh("bob", ""), "a user without a factor is not asked");
    // This play has no nullok. The role names bob and root, who would be shut out.
    let strict = play.replace("      totp_options: [nullok]\n", "");
    host.write("/root/play/site.yml", &strict);
    let refused = host.run("cd /root/play && ansible-playbook -i localhost, site.yml");
    assert!(refused.status != 0 && refused.text().contains("--even-so"), "{refused:#?}");
    assert!(host.ssh("bob", ""), "a refused change changes nothing");
    // The check sees a host that has changed.
    host.write("/root/play/site.yml", &format!("{strict}      totp_even_so: true\n"));
    let dry = run("--check");
    assert!(!dry.contains("changed=0 "), "{dry}");
    assert!(host.ssh("bob", ""), "a check changes nothing");
    run("");
    assert!(!host.ssh("bob", "") && run("").contains("changed=0 "));
}
