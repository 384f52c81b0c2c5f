//! su, sudo and sudo-rs.

use tests::Output;

use super::comparison::{Comparison, Use};
use super::doors_host::{DoorsHost, USERS, says};
use super::part;

/// A configuration.
struct Setting {
    name: &'static str,
    /// The script that makes it.
    script: &'static str,
    /// Whose code sudo asks alice and bob for, if not their own.
    account: Option<&'static str>,
    /// Who becomes the user of sudo.
    target: &'static str,
}

const fn setting(name: &'static str, script: &'static str) -> Setting {
    Setting { name, script, account: None, target: "root" }
}

const SETTINGS: [Setting; 12] = [
    setting("enabled", "totpctl enable su --option nodelay --even-so && totpctl enable sudo --option nodelay --even-so"),
    setting(
        "NOPASSWD",
        "totpctl enable sudo --option nodelay --even-so
         echo '%ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/50",
    ),
    Setting {
        account: Some("root"),
        ..setting(
            "targetpw",
            "totpctl enable sudo --option nodelay --even-so; echo 'Defaults targetpw' > /etc/sudoers.d/50",
        )
    },
    setting(
        "forward_pass",
        "for name in su su-l sudo sudo-i; do
           sed -i 's/^@include common-auth/auth required pam_totp.so nodelay forward_pass\\nauth required pam_unix.so use_first_pass/' /etc/pam.d/$name
         done",
    ),
    setting("nothing", "true"),
    setting(
        "nullok",
        "totpctl enable su --option nodelay --option nullok && totpctl enable sudo --option nodelay --option nullok",
    ),
    setting("sudo-rs, nothing", "install -m 4755 /opt/tests/sudo-rs /usr/bin/sudo"),
    setting(
        "sudo-rs, enabled",
        "install -m 4755 /opt/tests/sudo-rs /usr/bin/sudo; totpctl enable sudo --option nodelay --even-so",
    ),
    setting(
        "!authenticate for bob",
        "totpctl enable sudo --option nodelay --even-so; echo 'Defaults:bob !authenticate' > /etc/sudoers.d/50",
    ),
    Setting {
        account: Some("bob"),
        target: "bob",
        ..setting(
            "runaspw with another user",
            "totpctl enable sudo --option nodelay --even-so
             echo 'Defaults runaspw, runas_default=bob' > /etc/sudoers.d/50",
        )
    },
    Setting {
        account: Some("root"),
        ..setting(
            "rootpw, nullok",
            "totpctl enable sudo --option nodelay --option nullok; echo 'Defaults rootpw' > /etc/sudoers.d/50",
        )
    },
    setting(
        "wheel and a line of its own",
        "sed -i 's/^@include common-auth/auth [success=1 default=ignore] pam_succeed_if.so quiet user = bob\\n\
           auth required pam_totp.so nodelay\\n&/' /etc/pam.d/su /etc/pam.d/su-l /etc/pam.d/sudo /etc/pam.d/sudo-i",
    ),
];

const RULES: &str =
    "printf 'alice ALL=(ALL:ALL) ALL\\nbob ALL=(ALL:ALL) ALL\\n' > /etc/sudoers.d/10";

/// Uses all of them with all settings.
pub(super) fn compare(host: &DoorsHost, comparison: &mut Comparison) {
    for setting in part(&SETTINGS, 3) {
        comparison.setting(setting.name);
        host.set_up(&format!("{RULES}\n{}", setting.script));
        let doctor = host.doctor("sudo sudo-i su su-l");
        let is_rust = setting.name.starts_with("sudo-rs");
        // sudo asks nobody who becomes the own account.
        for user in ["alice", "bob"].into_iter().filter(|user| *user != setting.target) {
            let account = setting.account.unwrap_or(user);
            for door in ["sudo", "sudo -i"] {
                comparison.add(
                    host,
                    &doctor,
                    &Use {
                        // As its authors publish it, sudo-rs has one service.
                        door: if is_rust { "sudo" } else { door },
                        user,
                        account,
                        names: match user {
                            "bob" => &["bob", "members of ops", "pam_succeed_if"],
                            _ => &[],
                        },
                        enter: &|code| {
                            let command = format!("{door} -k id -un");
                            says(
                                &type_at(host, setting.name, user, account, code, &command),
                                setting.target,
                            )
                        },
                        ..Use::BY_EVERYBODY
                    },
                );
            }
        }
        for (door, command) in [("su", "su"), ("su -", "su -")] {
            // Root becomes anybody.
            for (caller, name) in [("carol", "pam_succeed_if"), ("root", "root (")] {
                for user in USERS {
                    let named = [name];
                    let is_named = caller == "root" || user == "bob";
                    comparison.add(
                        host,
                        &doctor,
                        &Use {
                            door,
                            user: &format!("{caller}, who becomes {user}"),
                            account: user,
                            names: if is_named { &named } else { &[] },
                            enter: &|code| {
                                let command = format!("{command} {user} -c 'id -un'");
                                says(
                                    &type_at(host, setting.name, caller, user, code, &command),
                                    user,
                                )
                            },
                            ..Use::BY_EVERYBODY
                        },
                    );
                }
            }
        }
    }
}

/// Has a user run a command at a terminal, with the password of an account and a code.
fn type_at(
    host: &DoorsHost,
    setting: &str,
    user: &str,
    account: &str,
    code: &str,
    command: &str,
) -> Output {
    let password = format!("{account}pw");
    match setting {
        "forward_pass" => {
            let both = format!("{password}{code}");
            host.type_at(user, &both, &both, command)
        }
        _ => host.type_at(user, &password, code, command),
    }
}
