//! The modules that neither ask for an answer under `auth` nor prove who somebody is.

use crate::stack::Rule;

/// Reports whether the module of a rule neither asks nor proves anything. Modules that are not
/// known may do both.
pub(crate) fn is_inert(rule: &Rule) -> bool {
    INERT.contains(&rule.module())
}

/// From the sources of the modules: none of them calls `pam_get_authtok` or has a prompt that
/// waits for text under `auth`. They look at the name, the place, the time or the host, or at
/// nothing. `tests/stacks/real_modules.rs` asks those of Linux-PAM.
const INERT: [&str; 36] = [
    "pam_access",
    "pam_cap",
    "pam_debug",
    "pam_deny",
    "pam_echo",
    "pam_env",
    "pam_faildelay",
    "pam_faillock",
    "pam_group",
    "pam_issue",
    "pam_keyinit",
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
