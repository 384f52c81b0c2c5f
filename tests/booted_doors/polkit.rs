//! pkexec, run0 and machinectl, which ask polkit.

use super::comparison::{Comparison, Use};
use super::doors_host::{DoorsHost, says};
use super::part;

/// The settings, each with the script that makes it.
const SETTINGS: [(&str, &str); 4] = [
    ("enabled", "totpctl enable polkit-1 --option nodelay --even-so"),
    (
        "enabled, with a rule for bob",
        "totpctl enable polkit-1 --option nodelay --even-so
         printf 'polkit.addRule(function(action, subject) {\n\
           if (subject.user == \"bob\")\n return polkit.Result.YES;\n});\n' > /etc/polkit-1/rules.d/20.rules",
    ),
    ("nothing", "true"),
    ("nullok", "totpctl enable polkit-1 --option nodelay --option nullok"),
];

/// Users authenticate as themselves, and carol as root.
const ADMINISTRATORS: &str = "cat > /etc/polkit-1/rules.d/10.rules <<'END'
polkit.addAdminRule(function(action, subject) {
  return [\"unix-user:\" + (subject.user == \"carol\" ? \"root\" : subject.user)];
});
END
chmod 644 /etc/polkit-1/rules.d/*";

/// Uses all of them with all settings.
pub(super) fn compare(host: &DoorsHost, comparison: &mut Comparison) {
    for (name, script) in part(&SETTINGS, 2) {
        comparison.setting(&format!("polkit, {name}"));
        host.set_up(&format!(
            "{script}\nmkdir -p /etc/polkit-1/rules.d\n{ADMINISTRATORS}\nsystemctl restart polkit"
        ));
        let doctor = host.doctor("polkit-1");
        // systemd has run0 since version 256.
        let has_run0 = host.is_trixie();
        let programs = if has_run0 { "pkexec and run0" } else { "pkexec and systemd-run" };
        let commands = [
            (programs, "/opt/tests/pkexec-at-a-terminal id -un"),
            (programs, "run0 id -un"),
            ("machinectl shell", "machinectl -q shell root@.host /usr/bin/id -un"),
        ];
        let commands =
            commands.into_iter().filter(|(_, command)| has_run0 || !command.starts_with("run0"));
        for (door, command) in commands {
            for (user, account) in [("alice", "alice"), ("bob", "bob"), ("carol", "root")] {
                comparison.add(
                    host,
                    &doctor,
                    &Use {
                        door,
                        user: &format!("{user} ({command})"),
                        account,
                        // The rule is for bob.
                        names: if user == "bob" { &["actions that a rule allows"] } else { &[] },
                        enter: &|code| {
                            says(
                                &host.type_in_session(user, &format!("{account}pw"), code, command),
                                "root",
                            )
                        },
                        ..Use::BY_EVERYBODY
                    },
                );
            }
        }
    }
}
