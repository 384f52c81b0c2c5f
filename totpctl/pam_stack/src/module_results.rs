//! The results that the module of a rule can have.

use std::collections::HashSet;

use crate::factor::FACTOR_MODULE;
use crate::never_accepting_modules::never_accepts;
use crate::return_code::ReturnCode;
use crate::stack::{Rule, RuleKind};

/// Returns the possible results of a rule. Of results with the same effect it returns one.
pub(crate) fn results(rule: &Rule, exists: &dyn Fn(&str) -> bool, root: bool) -> Vec<ReturnCode> {
    let (path, args) = match &rule.kind {
        RuleKind::MustFail(_) | RuleKind::FailedInclude(_) => return vec![ReturnCode::PERM_DENIED],
        RuleKind::Substack => return Vec::new(),
        RuleKind::Module { path, args } => (path, args),
    };
    if !exists(path) {
        return vec![ReturnCode::MODULE_UNKNOWN];
    }
    match rule.module() {
        "pam_deny" => vec![ReturnCode::AUTH_ERR],
        "pam_permit" => vec![ReturnCode::SUCCESS],
        "pam_rootok" if root || rule.runs_as_root => vec![ReturnCode::SUCCESS],
        "pam_rootok" => vec![ReturnCode::AUTH_ERR],
        // Root is a local system user. Another user may be of either kind.
        "pam_localuser" if root => vec![ReturnCode::SUCCESS],
        "pam_usertype" if root && args == &["isregular"] => vec![ReturnCode::AUTH_ERR],
        "pam_usertype" if root && args == &["issystem"] => vec![ReturnCode::SUCCESS],
        FACTOR_MODULE => {
            let mut results = vec![
                ReturnCode::SUCCESS,
                ReturnCode::AUTH_ERR,
                ReturnCode::AUTHINFO_UNAVAIL,
                ReturnCode::CONV_ERR,
                ReturnCode::MAXTRIES,
                ReturnCode::SERVICE_ERR,
                ReturnCode::ABORT,
            ];
            results.extend(args.iter().any(|arg| arg == "nullok").then_some(ReturnCode::IGNORE));
            results
        }
        _ => representative_results(rule),
    }
}

/// Returns success if the module can succeed, `ignore`, and one result for each other effect that
/// the control word has.
fn representative_results(rule: &Rule) -> Vec<ReturnCode> {
    let mut seen = HashSet::new();
    let special = |code| code == ReturnCode::SUCCESS || code == ReturnCode::IGNORE;
    let accepts = |code| code == ReturnCode::SUCCESS || code == ReturnCode::NEW_AUTHTOK_REQD;
    let never_accepts = never_accepts(rule);
    ReturnCode::all()
        .filter(|code| !(never_accepts && accepts(*code)))
        .filter(|code| special(*code) || seen.insert(rule.control.action(*code)))
        .collect()
}
