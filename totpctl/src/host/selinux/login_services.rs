//! The services of the programs that the module of SELinux lets ask totpd.

use crate::pam::families::family_of;

/// Reports whether the policy always lets the program of this service ask, as far as is known.
pub(crate) fn contains(service: &str) -> bool {
    DOMAINS.iter().any(|(_, services)| has(services, service))
}

/// Reports whether the program of this service runs in the domain of its user, so that one of a
/// confined user may not ask.
pub(crate) fn runs_in_domain_of_user(service: &str) -> bool {
    let own = DOMAINS.iter().filter(|(domain, _)| *domain == "unconfined_t");
    own.into_iter().any(|(_, services)| has(services, service))
}

/// Reports whether a list has a service, or another one of its program.
fn has(services: &[&str], service: &str) -> bool {
    let others = family_of(service).unwrap_or_default();
    services.iter().any(|name| *name == service || others.contains(name))
}

/// The domains that may ask without the boolean, as `packaging/selinux/totpd.te` names them, and
/// the services of their programs. One service stands for all of its program (`families.rs`).
const DOMAINS: &[(&str, &[&str])] = &[
    ("sudodomain", &["sudo"]),
    ("su_domain_type", &["su"]),
    ("consolehelper_type", &["config-util"]),
    ("sshd_t", &["sshd"]),
    ("sshd_session_t", &["sshd"]),
    ("sshd_auth_t", &["sshd"]),
    ("local_login_t", &["login"]),
    ("remote_login_t", &["remote"]),
    ("rlogind_t", &["rlogin"]),
    ("rshd_t", &["rsh"]),
    ("kmscon_t", &["login"]),
    (
        "xdm_t",
        &[
            "cosmic-greeter",
            "gdm",
            "gdm-autologin",
            "gdm-password",
            "greetd",
            "lightdm",
            "lightdm-autologin",
            "lxdm",
            "ly",
            "plasmalogin",
            "sddm",
            "sddm-autologin",
            "slim",
            "wdm",
            "xdm",
        ],
    ),
    ("vlock_t", &["vlock"]),
    ("policykit_auth_t", &["polkit-1"]),
    ("newrole_t", &["newrole"]),
    ("run_init_t", &["run_init"]),
    ("cockpit_session_t", &["cockpit"]),
    // Programs without a domain of their own run in that of their user. The boolean changes nothing
    // for them: those of a confined user never may ask.
    ("sysadm_t", &["runuser", "runuser-l"]),
    (
        "unconfined_t",
        &[
            "cinnamon-screensaver",
            "doas",
            "hyprlock",
            "i3lock",
            "kde",
            "mate-screensaver",
            "physlock",
            "swaylock",
            "xfce4-screensaver",
            "xscreensaver",
        ],
    ),
    // Timers, agents and jobs: none of them logs anybody in.
    ("initrc_t", &[]),
    ("unconfined_service_t", &[]),
    ("system_cronjob_t", &[]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const POLICY: &str = include_str!("../../../../packaging/selinux/totpd.te");
    /// The macros by which a domain may ask.
    const MACROS: [&str; 3] = ["totpd_login_program(", "totpd_ask(", "totpd_administer("];

    #[test]
    fn the_domains_are_those_of_the_policy() {
        let mut named = BTreeSet::new();
        let mut in_boolean = false;
        for line in POLICY.lines().map(str::trim) {
            in_boolean = (in_boolean || line.starts_with("tunable_policy(")) && line != "')";
            let domain = MACROS.iter().find_map(|name| line.strip_prefix(name)?.strip_suffix(')'));
            named.extend(domain.filter(|domain| !in_boolean && *domain != "$1"));
        }
        let listed: BTreeSet<_> = DOMAINS.iter().map(|(domain, _)| *domain).collect();
        assert_eq!(listed, named);
        assert!(!named.contains("login_pgm") && named.contains("sshd_t"));
    }

    #[test]
    fn a_lock_of_the_screen_runs_in_the_domain_of_its_user() {
        for (service, expected) in [
            ("swaylock", true),
            ("kde-fingerprint", true),
            ("doas", true),
            ("vlock", false),
            ("sudo", false),
            ("runuser", false),
            ("sshd", false),
        ] {
            assert_eq!(runs_in_domain_of_user(service), expected, "{service}");
        }
    }

    #[test]
    fn a_server_is_no_login_service() {
        for service in
            ["sshd", "gdm-password", "gdm-smartcard", "sudo-i", "kde-smartcard", "runuser-l"]
        {
            assert!(contains(service), "{service}");
        }
        for service in ["vsftpd", "vsftpd-virtual", "ldap", "xmpp", "crond", "chfn", "other", ""] {
            assert!(!contains(service), "{service}");
        }
    }
}
