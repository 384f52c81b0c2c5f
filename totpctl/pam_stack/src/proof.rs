//! The modules whose success proves something about a person.

use crate::stack::Rule;

/// Reports whether the success of a module proves something about the person who logs in. Modules
/// that are not known may.
pub(crate) fn proves_identity(rule: &Rule) -> bool {
    !PROVE_NOTHING.contains(&rule.module())
}

/// Modules that look at the name, the place, the time or the host, or at nothing.
const PROVE_NOTHING: [&str; 39] = [
    "pam_access",
    "pam_cap",
    "pam_debug",
    "pam_deny",
    "pam_echo",
    "pam_env",
    "pam_faildelay",
    "pam_faillock",
    "pam_filter",
    "pam_gnome_keyring",
    "pam_group",
    "pam_issue",
    "pam_keyinit",
    "pam_kwallet5",
    "pam_lastlog",
    "pam_limits",
    "pam_listfile",
    "pam_localuser",
    "pam_loginuid",
    "pam_mail",
    "pam_mkhomedir",
    "pam_motd",
    "pam_nologin",
    "pam_permit",
    "pam_securetty",
    "pam_selinux",
    "pam_selinux_permit",
    "pam_sepermit",
    "pam_shells",
    "pam_succeed_if",
    "pam_systemd",
    "pam_tally",
    "pam_tally2",
    "pam_time",
    "pam_umask",
    "pam_usertype",
    "pam_warn",
    "pam_wheel",
    "pam_xauth",
];
