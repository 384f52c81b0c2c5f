//! The services of the programs that the module of SELinux lets ask totpd.

/// Reports whether the policy always lets the program of this service ask, as far as is known.
pub(super) fn contains(service: &str) -> bool {
    DOMAINS.iter().any(|(_, services)| services.contains(&service))
}

/// The domains that may ask without the boolean, as `packaging/selinux/totpd.te` names them, and
/// the services of their programs.
const DOMAINS: &[(&str, &[&str])] = &[
    ("sudodomain", &["sudo", "sudo-i"]),
    ("su_domain_type", &["su", "su-l"]),
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
            "gdm-fingerprint",
            "gdm-password",
            "gdm-pin",
            "gdm-smartcard",
            "gdm-smartcard-pkcs11-exclusive",
            "gdm-smartcard-sssd-exclusive",
            "gdm-smartcard-sssd-or-password",
            "gdm-switchable-auth",
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
    // Programs without a domain of their own run in that of who starts them. The boolean changes
    // nothing for them: those of a confined user never may ask.
    ("sysadm_t", &[]),
    (
        "unconfined_t",
        &[
            "cinnamon-screensaver",
            "doas",
            "hyprlock",
            "i3lock",
            "kde",
            "kde-fingerprint",
            "kde-smartcard",
            "mate-screensaver",
            "physlock",
            "runuser",
            "runuser-l",
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

    const POLICY: &str = include_str!("../../../../../packaging/selinux/totpd.te");
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
    fn a_server_is_no_login_service() {
        assert!(contains("sshd") && contains("gdm-password"));
        for service in ["vsftpd", "vsftpd-virtual", "ldap", "xmpp", "crond", "chfn", "other", ""] {
            assert!(!contains(service), "{service}");
        }
    }
}
