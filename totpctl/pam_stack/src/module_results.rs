//! What the module of a rule may return.

use std::collections::HashSet;

use crate::return_code::Code;
use crate::stack::{Rule, What};

/// What a rule may return.
pub(crate) fn results(rule: &Rule, exists: &dyn Fn(&str) -> bool, root: bool) -> Vec<Code> {
    let (path, args) = match &rule.what {
        What::MustFail(_) => return vec![Code::PERM_DENIED],
        What::Substack => return Vec::new(),
        What::Module { path, args } => (path, args),
    };
    if !exists(path) {
        return vec![Code::MODULE_UNKNOWN];
    }
    match rule.module() {
        "pam_deny" => vec![Code::AUTH_ERR],
        "pam_permit" => vec![Code::SUCCESS],
        "pam_rootok" if root => vec![Code::SUCCESS],
        "pam_rootok" => vec![Code::AUTH_ERR],
        OURS => {
            let mut results = vec![
                Code::SUCCESS,
                Code::AUTH_ERR,
                Code::AUTHINFO_UNAVAIL,
                Code::CONV_ERR,
                Code::MAXTRIES,
                Code::SERVICE_ERR,
                Code::ABORT,
            ];
            results.extend(args.iter().any(|arg| arg == "nullok").then_some(Code::IGNORE));
            results
        }
        _ => kinds(rule),
    }
}

/// One result for each thing that can come of a rule: apart from success, and what is never returned, all
/// results that do the same lead the same way.
fn kinds(rule: &Rule) -> Vec<Code> {
    let mut seen = HashSet::new();
    let special = |code| code == Code::SUCCESS || code == Code::IGNORE;
    Code::all().filter(|code| special(*code) || seen.insert(rule.control.action(*code))).collect()
}

/// The module that is looked for.
pub(crate) const OURS: &str = "pam_totp";
