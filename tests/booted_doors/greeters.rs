//! Greeters, by the stacks of their packages.

use super::comparison::{Comparison, Use};
use super::doors_host::{DoorsHost, USERS};
use super::part;

/// The settings, each with the script that makes it.
const SETTINGS: [(&str, &str); 4] = [
    (
        "enabled",
        "for name in gdm-password lightdm sddm; do totpctl enable $name --option nodelay --even-so; done",
    ),
    (
        "everywhere",
        "sed -i '/pam_permit.so/i auth required pam_totp.so nodelay' /etc/pam.d/common-auth",
    ),
    (
        "nullok",
        "for name in gdm-password lightdm sddm; do totpctl enable $name --option nodelay --option nullok; done",
    ),
    ("nothing", "true"),
];

/// The greeters, each with its service.
const GREETERS: [(&str, &str); 3] =
    [("GDM, password", "gdm-password"), ("LightDM", "lightdm"), ("SDDM", "sddm")];

/// The services of automatic logins, and those of the greeters themselves.
const AUTOMATIC: [&str; 6] = [
    "gdm-autologin",
    "gdm-launch-environment",
    "lightdm-autologin",
    "lightdm-greeter",
    "sddm-autologin",
    "sddm-greeter",
];

/// The automatic logins of a user.
const LOGINS: &str = "mkdir -p /etc/lightdm /etc/gdm3
printf '[Seat:*]\nautologin-user=alice\n' > /etc/lightdm/lightdm.conf
printf '[daemon]\nAutomaticLoginEnable=true\nAutomaticLogin=alice\n' > /etc/gdm3/daemon.conf
printf '[Autologin]\nUser=alice\n' > /etc/sddm.conf";

/// Uses all of them with all settings.
pub(super) fn compare(host: &DoorsHost, comparison: &mut Comparison) {
    for (name, script) in part(&SETTINGS, 1) {
        comparison.setting(&format!("greeters, {name}"));
        host.set_up(&format!("{script}\n{LOGINS}"));
        let doctor = host.doctor("");
        for (door, service) in GREETERS {
            for user in USERS {
                comparison.add(
                    host,
                    &doctor,
                    &Use {
                        door,
                        user,
                        account: user,
                        is_refused: user == "root" && refuses_root(host, service),
                        enter: &|code| enters(host, service, user, code),
                        ..Use::BY_EVERYBODY
                    },
                );
            }
        }
        for (door, service) in
            [("GDM", "gdm-autologin"), ("LightDM", "lightdm-autologin"), ("SDDM", "sddm-autologin")]
        {
            comparison.add(
                host,
                &doctor,
                &Use {
                    door: &format!("{door}, automatic login"),
                    who: &["alice"],
                    user: "alice",
                    account: "alice",
                    enter: &|code| enters(host, service, "alice", code),
                    ..Use::BY_EVERYBODY
                },
            );
        }
        // They are no ways in by themselves.
        let doctor = host.doctor(&AUTOMATIC.join(" "));
        for service in AUTOMATIC {
            let asks = doctor["services"][service]["asks"].as_bool().unwrap();
            let is_in = enters(host, service, "alice", "000000");
            comparison.add_service(service, asks, is_in);
        }
    }
}

/// Reports whether the stack of a service has a line that is for users other than root.
fn refuses_root(host: &DoorsHost, service: &str) -> bool {
    let stack = host.host.run(&format!("cat /etc/pam.d/{service} /usr/lib/pam.d/{service}")).stdout;
    stack.lines().any(|line| line.contains("user != root") && !line.starts_with('#'))
}

fn enters(host: &DoorsHost, service: &str, user: &str, code: &str) -> bool {
    let typed = format!("{user}pw\n{code}\n");
    host.host.run_with_input(&format!("pamtester {service} {user} authenticate"), &typed).status
        == 0
}
