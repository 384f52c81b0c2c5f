//! The modules whose success proves something about a person.

use crate::inert_modules::is_inert;
use crate::return_code::ReturnCode;
use crate::stack::{Rule, RuleKind};

/// Reports whether the success of a module proves something about the person who logs in. Modules
/// that are not known may.
pub(crate) fn proves_identity(rule: &Rule) -> bool {
    let is_program = rule.module() == "pam_exec" && !has(rule, "expose_authtok");
    !is_inert(rule) && !is_program && !ASK_AND_PROVE_NOTHING.contains(&rule.module())
}

/// Reports whether a result proves something about the person: the module accepts, or leaves the
/// user to another module that knows the user.
pub(crate) fn is_proof(rule: &Rule, result: ReturnCode) -> bool {
    let spares = |table: &[(&str, &[&str])]| {
        let mut own = table.iter().filter(|(module, _)| *module == rule.module());
        own.any(|(_, options)| options.iter().any(|option| has(rule, option)))
    };
    let is_empty = match result {
        ReturnCode::SUCCESS | ReturnCode::NEW_AUTHTOK_REQD => spares(&SPARE_USERS_WITHOUT_TOKEN),
        ReturnCode::IGNORE => spares(&SPARE_USERS_WITHOUT_TOKEN) || spares(&LEAVE_USERS),
        _ => true,
    };
    !is_empty && proves_identity(rule)
}

/// Reports whether a rule has an option, with a value or without.
fn has(rule: &Rule, option: &str) -> bool {
    let RuleKind::Module { args, .. } = &rule.kind else { return false };
    args.iter().any(|arg| arg.split('=').next() == Some(option))
}

/// Modules that may ask, and prove nothing: they unlock a key ring, or filter the terminal.
/// `pam_exec` is one too, if its program is not given a password.
const ASK_AND_PROVE_NOTHING: [&str; 3] = ["pam_filter", "pam_gnome_keyring", "pam_kwallet5"];
/// Other second factors, with the option by which they let users pass who have none. Old versions
/// return success then, and new ones `PAM_IGNORE`.
const SPARE_USERS_WITHOUT_TOKEN: [(&str, &[&str]); 3] = [
    ("pam_google_authenticator", &["nullok"]),
    ("pam_u2f", &["nouserok"]),
    ("pam_yubico", &["nullok"]),
];
/// Modules with the options by which they return `PAM_IGNORE` for users that they do not know.
const LEAVE_USERS: [(&str, &[&str]); 6] = [
    ("pam_krb5", &["ignore_root", "minimum_uid"]),
    ("pam_ldap", &["ignore_authinfo_unavail", "ignore_unknown_user"]),
    ("pam_radius", &["localifdown"]),
    ("pam_radius_auth", &["localifdown"]),
    ("pam_sss", &["ignore_authinfo_unavail", "ignore_unknown_user"]),
    ("pam_winbind", &["unknown_ok"]),
];
