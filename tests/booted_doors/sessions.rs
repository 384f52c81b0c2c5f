//! login, also by machinectl, Cockpit, cron and at.

use tests::eventually;

use super::comparison::{Comparison, Use};
use super::doors_host::{DoorsHost, USERS, says};
use super::part;

/// The settings, each with the script that makes it.
const SETTINGS: [(&str, &str); 3] = [
    (
        "everywhere",
        "sed -i '/pam_permit.so/i auth required pam_totp.so nodelay' /etc/pam.d/common-auth",
    ),
    (
        "everywhere, nullok",
        "sed -i '/pam_permit.so/i auth required pam_totp.so nodelay nullok' /etc/pam.d/common-auth",
    ),
    ("nothing", "true"),
];

const COCKPIT: &str = "printf '[WebService]\nAllowUnencrypted=true\n' > /etc/cockpit/cockpit.conf
systemctl restart cockpit.socket";

/// Uses all of them with all settings.
pub(super) fn compare(host: &DoorsHost, comparison: &mut Comparison) {
    for (name, script) in part(&SETTINGS, 1) {
        comparison.setting(&format!("sessions, {name}"));
        host.set_up(&format!("{script}\n{COCKPIT}"));
        let doctor = host.doctor("");
        for user in USERS {
            let mut add = |door, is_refused, enter: &dyn Fn(&str) -> bool| {
                let own = Use { door, user, account: user, is_refused, enter, ..Use::BY_EVERYBODY };
                comparison.add(host, &doctor, &own);
            };
            let in_as = format!("in as {user}");
            add("login", false, &|code| {
                let command = format!("/opt/tests/login-at-a-terminal {user}");
                let ran = host.type_at("root", &format!("{user}pw"), code, &command);
                ran.stdout.lines().any(|line| line.trim_end().ends_with(&in_as))
            });
            add("machinectl login", false, &|code| {
                // systemd starts the getty again while its terminal is gone, until it counts too
                // many starts, and then the next login finds none.
                let enter = format!(
                    "/opt/tests/machinectl-login {user} {user}pw '{code}'
                     systemctl stop 'container-getty@*.service'
                     systemctl reset-failed 'container-getty@*.service'"
                );
                let ran = host.host.run(&enter);
                ran.stdout.lines().any(|line| line.trim_end().ends_with(&in_as))
            });
            // Debian has Cockpit refuse root (/etc/cockpit/disallowed-users).
            add("Cockpit", user == "root", &|code| {
                let enter = format!("/opt/tests/cockpit-login {user} {user}pw '{code}'");
                says(&host.host.run(&enter), &in_as)
            });
            add("at", false, &|_| {
                let file = format!("/tmp/at-{user}");
                host.host.run(&format!(
                    "rm -f {file}; cd /tmp; echo 'id -un > {file}' | runuser -u {user} -- at now"
                ))
                .stdout_ok();
                is_written(host, &file, user)
            });
            add("cron", false, &|_| {
                let file = format!("/tmp/cron-{user}");
                // cron runs this job when it starts for the first time after a boot. systemd counts
                // the starts.
                host.host.run(&format!(
                    "rm -f {file} /run/crond.reboot; echo '@reboot id -un > {file}' | crontab -u {user} - && \
                     systemctl reset-failed cron && systemctl restart cron"
                ))
                .stdout_ok();
                is_written(host, &file, user)
            });
        }
    }
}

/// Waits for a file that a job of a user writes, and reports whether it names this user.
fn is_written(host: &DoorsHost, file: &str, user: &str) -> bool {
    let mut text = String::new();
    eventually(&format!("a job of {user} writes {file}"), || {
        text = host.host.run(&format!("cat {file} 2>/dev/null")).stdout;
        text.ends_with('\n')
    });
    text.trim() == user
}
