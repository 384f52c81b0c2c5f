//! The modules that never ask for an answer under `auth`.

use crate::stack::Rule;

/// Reports whether the module of a rule never asks a question under `auth`. Modules that are not
/// known may. One that only shows a message asks nothing.
pub(crate) fn is_silent(rule: &Rule) -> bool {
    SILENT.contains(&rule.module())
}

/// From the sources of the modules: none of them calls `pam_get_authtok` or has a prompt that
/// waits for text under `auth`. `tests/stacks/real_modules.rs` asks those of Linux-PAM. Some prove
/// who the user is all the same, as pam_fprintd does.
const SILENT: [&str; 41] = [
    "pam_access",
    "pam_cap",
    "pam_debug",
    "pam_deny",
    "pam_echo",
    "pam_env",
    "pam_faildelay",
    "pam_faillock",
    "pam_fprintd",
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
    "pam_rhosts",
    "pam_rootok",
    "pam_securetty",
    "pam_selinux",
    "pam_selinux_permit",
    "pam_sepermit",
    "pam_shells",
    "pam_ssh_agent_auth",
    "pam_succeed_if",
    "pam_systemd",
    "pam_tally",
    "pam_tally2",
    "pam_time",
    "pam_timestamp",
    "pam_umask",
    "pam_usertype",
    "pam_warn",
    "pam_wheel",
    "pam_xauth",
];
