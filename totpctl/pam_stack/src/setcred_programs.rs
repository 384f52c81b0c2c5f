//! Programs that never call `pam_setcred`.
//!
//! A factor that is created at a login becomes verified in `pam_setcred`, after the whole stack has
//! accepted. In a program that never calls it, a first login cannot succeed, and the option
//! `enroll` is useless.

/// Returns why the program behind `service` never calls `pam_setcred`, or nothing if it does or is
/// unknown.
#[must_use]
pub fn never_sets_credentials(service: &str) -> Option<&'static str> {
    let (_, reason) = SERVICES.iter().find(|(names, _)| names.contains(&service))?;
    Some(reason)
}

/// The reason why Dropbear never calls it. Dropbear uses the service name `sshd`.
pub const DROPBEAR: &str = "Dropbear checks only the password and never calls pam_setcred";

/// The default service names of these programs, and what they do.
const SERVICES: [(&[&str], &str); 14] = [
    (&["polkit-1"], "polkit's helper only authenticates and starts no session"),
    (&["openvpn"], "OpenVPN's auth-pam only checks a password"),
    (&["postgresql"], "PostgreSQL only checks a password"),
    (&["mysql", "mariadb"], "MariaDB's auth_pam only checks a password"),
    (
        &["cyrus", "imap", "ldap", "mupdate", "nntp", "pop", "sieve", "smtp", "xmpp"],
        "saslauthd only answers yes or no to another program",
    ),
    (&["dovecot"], "Dovecot never calls pam_setcred unless its passdb has setcred=yes"),
    (&["radiusd", "freeradius"], "FreeRADIUS only answers yes or no to another host"),
    (&["httpd", "apache2", "pwauth"], "Apache's modules check each request and start no session"),
    (&["nginx"], "nginx checks each request and starts no session"),
    (&["squid"], "Squid's helper only answers yes or no"),
    (&["ejabberd"], "ejabberd's helper only answers yes or no"),
    (&["strongswan", "ipsec"], "strongSwan only checks a password"),
    (&["vlock"], "vlock only unlocks a terminal"),
    (&["hyprlock"], "hyprlock only unlocks a screen"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_without_setcred_are_known() {
        for service in ["polkit-1", "openvpn", "vlock", "smtp"] {
            assert!(never_sets_credentials(service).is_some(), "{service}");
        }
        for service in ["sshd", "sudo", "su", "login", "gdm-password", "i3lock", "cockpit", ""] {
            assert_eq!(never_sets_credentials(service), None, "{service}");
        }
    }
}
