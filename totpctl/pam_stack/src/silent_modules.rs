//! The modules that never ask for an answer under `auth`.

use crate::inert_modules::is_inert;
use crate::stack::Rule;

/// Reports whether the module of a rule never asks a question under `auth`. Modules that are not
/// known may. One that only shows a message asks nothing.
pub(crate) fn is_silent(rule: &Rule) -> bool {
    is_inert(rule) || PROVE_IN_SILENCE.contains(&rule.module())
}

/// Modules that ask nothing, and prove something all the same: a finger, a key, an earlier login,
/// or who the caller is.
const PROVE_IN_SILENCE: [&str; 5] =
    ["pam_fprintd", "pam_rhosts", "pam_rootok", "pam_ssh_agent_auth", "pam_timestamp"];
