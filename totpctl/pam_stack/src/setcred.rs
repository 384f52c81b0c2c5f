//! Programs that never ask libpam for credentials (`pam_setcred`).
//!
//! A factor that is made at a login becomes good there, once the whole stack has let its maker in. Where
//! nobody asks, a first login can never succeed: the option `enroll` is of no use.

/// Why a program that asks PAM as `service` asks for no credentials; nothing where it does, or where that is
/// not known.
#[must_use]
pub fn asks_for_no_credentials(service: &str) -> Option<&'static str> {
    let (_, why) = SERVICES.iter().find(|(names, _)| names.contains(&service))?;
    Some(why)
}

/// Why Dropbear asks for none. It has no name of its own: it asks PAM as `sshd`.
pub const DROPBEAR: &str = "Dropbear asks for a password alone, and for no credentials";

/// The names that these programs have for PAM by default, and what they do instead.
const SERVICES: [(&[&str], &str); 14] = [
    (&["polkit-1"], "polkit's helper asks whether somebody is who they say, and logs nobody in"),
    (&["openvpn"], "OpenVPN's auth-pam asks for a password, and logs nobody in"),
    (&["postgresql"], "PostgreSQL asks for a password, and logs nobody in"),
    (&["mysql", "mariadb"], "MariaDB's auth_pam asks for a password, and logs nobody in"),
    (
        &["cyrus", "imap", "ldap", "mupdate", "nntp", "pop", "sieve", "smtp", "xmpp"],
        "saslauthd answers yes or no to another program, and logs nobody in",
    ),
    (&["dovecot"], "Dovecot asks for none, unless its passdb has setcred=yes"),
    (&["radiusd", "freeradius"], "FreeRADIUS answers yes or no to another host"),
    (&["httpd", "apache2", "pwauth"], "Apache's modules ask at each request, and log nobody in"),
    (&["nginx"], "nginx asks at each request, and logs nobody in"),
    (&["squid"], "Squid's helper answers yes or no, and logs nobody in"),
    (&["ejabberd"], "ejabberd's helper answers yes or no, and logs nobody in"),
    (&["strongswan", "ipsec"], "strongSwan asks for a password, and logs nobody in"),
    (&["vlock"], "vlock opens a terminal again, and logs nobody in"),
    (&["hyprlock"], "hyprlock opens a screen again, and logs nobody in"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_told_from_mere_questions() {
        for service in ["polkit-1", "openvpn", "vlock", "smtp"] {
            assert!(asks_for_no_credentials(service).is_some(), "{service}");
        }
        for service in ["sshd", "sudo", "su", "login", "gdm-password", "i3lock", "cockpit", ""] {
            assert_eq!(asks_for_no_credentials(service), None, "{service}");
        }
    }
}
