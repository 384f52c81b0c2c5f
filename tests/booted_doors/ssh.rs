//! ssh, by all methods.

use serde_json::Value;
use tests::claim::{doors, text};

use super::comparison::{Comparison, Use};
use super::doors_host::{DoorsHost, USERS};
use super::part;
use super::ssh_client::{enters, make_realm, trust_this_host};

/// A configuration.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    /// The script that changes the stack.
    stack: &'static str,
    config: &'static str,
    /// The criteria of the one Match block, and the users that it matches.
    block: Option<(&'static str, &'static [&'static str])>,
    /// The users that AllowUsers or its like excludes.
    excluded: &'static [&'static str],
    /// What is typed at the prompt of a password.
    is_one_word: bool,
}

const PLAIN: Setting = Setting {
    name: "nothing",
    stack: "true",
    config: "PermitRootLogin yes\n",
    block: None,
    excluded: &[],
    is_one_word: false,
};

const ENABLED: Setting =
    Setting { name: "enabled", stack: "totpctl enable sshd --option nodelay --even-so", ..PLAIN };

const SETTINGS: [Setting; 15] = [
    ENABLED,
    Setting {
        name: "lists with a code",
        config: "PermitRootLogin yes\n\
                 AuthenticationMethods publickey,keyboard-interactive gssapi-with-mic,keyboard-interactive \
                 hostbased,keyboard-interactive gssapi-keyex,keyboard-interactive:pam\n",
        ..ENABLED
    },
    Setting {
        name: "forward_pass",
        stack: "sed -i 's/^@include common-auth/auth required pam_totp.so nodelay forward_pass\\n\
                auth required pam_unix.so use_first_pass nullok/' /etc/pam.d/sshd",
        is_one_word: true,
        ..PLAIN
    },
    Setting {
        name: "a block for bob, and root by a key",
        config: "PermitRootLogin prohibit-password\nAuthenticationMethods publickey,keyboard-interactive\n\
                 Match User bob\nAuthenticationMethods publickey hostbased\n",
        block: Some(("User bob", &["bob"])),
        ..ENABLED
    },
    PLAIN,
    Setting {
        name: "nullok",
        stack: "totpctl enable sshd --option nodelay --option nullok",
        ..PLAIN
    },
    Setting {
        name: "passwords by the KDC",
        config: "PermitRootLogin yes\nKerberosAuthentication yes\n",
        ..ENABLED
    },
    Setting {
        name: "root by a key, and a ticket or a host for the local network",
        config: "PermitRootLogin without-password\nAuthenticationMethods keyboard-interactive\n\
                 Match Address 127.0.0.0/8,::1\nAuthenticationMethods gssapi-with-mic hostbased,password publickey\n",
        block: Some(("Address 127.0.0.0/8,::1", &["alice", "bob", "root", "carol"])),
        ..ENABLED
    },
    Setting {
        name: "a group",
        config: "PermitRootLogin yes\nAllowGroups root ops\n",
        excluded: &["alice", "carol"],
        ..ENABLED
    },
    Setting {
        name: "no root",
        config: "PermitRootLogin no\nDenyUsers bob\nGSSAPIAuthentication no\nHostbasedAuthentication no\n",
        excluded: &["bob"],
        ..ENABLED
    },
    Setting {
        name: "empty passwords, nothing",
        config: "PermitRootLogin yes\nPermitEmptyPasswords yes\n",
        ..PLAIN
    },
    Setting {
        name: "empty passwords, nullok",
        config: "PermitRootLogin yes\nPermitEmptyPasswords yes\n",
        stack: "totpctl enable sshd --option nodelay --option nullok",
        ..PLAIN
    },
    Setting { name: "without PAM", config: "PermitRootLogin yes\nUsePAM no\n", ..ENABLED },
    Setting {
        name: "the code before the key",
        config: "PermitRootLogin yes\nAuthenticationMethods keyboard-interactive,publickey password,gssapi-with-mic\n",
        ..ENABLED
    },
    Setting {
        name: "forced commands of root",
        config: "PermitRootLogin forced-commands-only\nKbdInteractiveAuthentication no\n",
        ..ENABLED
    },
];

/// What a setting leaves open, all methods among it. The first value counts.
const ALL_METHODS: &str = "ListenAddress 127.0.0.1\nUsePAM yes\nUseDNS no\nMaxStartups 1000\nMaxAuthTries 20\n\
    PasswordAuthentication yes\nPubkeyAuthentication yes\nIgnoreRhosts no\n\
    HostbasedUsesNameFromPacketOnly yes\nGSSAPIStrictAcceptorCheck no\nGSSAPIKeyExchange yes\n\
    KbdInteractiveAuthentication yes\nGSSAPIAuthentication yes\nHostbasedAuthentication yes\n";

/// Uses all methods with all settings.
pub(super) fn compare(host: &DoorsHost, comparison: &mut Comparison) {
    make_realm(host);
    trust_this_host(host);
    for setting in part(&SETTINGS, 3) {
        comparison.setting(setting.name);
        // Since version 9.8 sshd refuses an address for a while after failures.
        let all = if host.is_trixie() { "PerSourcePenalties no\n" } else { "" };
        let (global, block) = match setting.config.split_once("Match ") {
            Some((global, block)) => (global, format!("Match {block}")),
            None => (setting.config, String::new()),
        };
        host.set_up(&format!(
            "{}\nrm -f /etc/ssh/sshd_config.d/*\nprintf 'EnableSSHKeysign yes\\n' > /etc/ssh/ssh_config
             cat > /etc/ssh/sshd_config <<'END'\n{global}{all}{ALL_METHODS}{block}END
             systemctl reset-failed ssh; systemctl restart ssh",
            setting.stack
        ));
        let doctor = host.doctor("sshd");
        for user in USERS {
            for door in doors_of(&doctor, setting, user) {
                add(host, comparison, &doctor, setting, user, &door);
            }
        }
        // carol has an empty password.
        if doors_of(&doctor, setting, "carol").iter().any(|door| door == "ssh, none") {
            add(host, comparison, &doctor, setting, "carol", "ssh, none");
        }
    }
}

/// Returns the phrases of doctor for a user, the most special last.
fn who(setting: &Setting, user: &str) -> Vec<String> {
    let mut who = vec![String::new()];
    who.extend((user == "root").then(|| "root".to_owned()));
    if let Some((criteria, _)) = setting.block.filter(|(_, matched)| matched.contains(&user)) {
        who.push(match user {
            "root" => format!("root, Match {criteria}"),
            _ => format!("Match {criteria}"),
        });
    }
    who
}

/// Returns the ways in that doctor names for a user.
fn doors_of(doctor: &Value, setting: &Setting, user: &str) -> Vec<String> {
    let who = who(setting, user);
    let all = doors(doctor).into_iter();
    let own = all
        .filter(|door| text(door, "door").starts_with("ssh, ") && who.contains(&text(door, "who")));
    let mut names: Vec<_> = own.map(|door| text(door, "door")).collect();
    names.sort();
    names.dedup();
    // With an empty password they come in by "none", or by what carol would type.
    names.retain(|name| name != "ssh, none" || user == "carol");
    names
}

fn add(
    host: &DoorsHost,
    comparison: &mut Comparison,
    doctor: &Value,
    setting: &Setting,
    user: &str,
    door: &str,
) {
    let who = who(setting, user);
    let who: Vec<_> = who.iter().map(String::as_str).collect();
    let methods = door.trim_start_matches("ssh, ").replace(":pam", "");
    comparison.add(
        host,
        doctor,
        &Use {
            door,
            who: &who,
            user,
            account: user,
            is_refused: setting.excluded.contains(&user),
            enter: &|code| {
                let password = match setting.is_one_word {
                    true => format!("{user}pw{code}"),
                    false => format!("{user}pw"),
                };
                enters(host, user, &methods, &password, code)
            },
            ..Use::BY_EVERYBODY
        },
    );
}
