//! The services that ask for a code, by their stacks.

use std::collections::BTreeSet;
use std::fs;

use pam_stack::parse::Kind;
use pam_stack::{Rule, RuleKind, Stack, analyze};

use super::files::{FOLDERS, is_installed, read};

/// A service that asks for a code.
pub(crate) struct AskingService {
    pub(crate) name: String,
    /// True if a user without a factor cannot log in.
    pub(crate) denies_unenrolled: bool,
}

/// Returns the services that ask for a code, in the order of their names.
pub(crate) fn asking_services() -> Vec<AskingService> {
    service_names().into_iter().filter_map(asking_service).collect()
}

/// Returns the names of all services, without the files that others include.
pub(crate) fn service_names() -> BTreeSet<String> {
    let files = FOLDERS.into_iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    files
        .flatten()
        .filter_map(|file| file.file_name().into_string().ok())
        .filter(|name| !name.starts_with("common-"))
        .collect()
}

fn asking_service(name: String) -> Option<AskingService> {
    let Stack::Rules(rules) = Stack::parse(&name, Kind::Auth, &read) else { return None };
    if !rules.iter().any(is_factor) {
        return None;
    }
    let enrolls = rules.iter().filter(|rule| is_factor(rule)).any(|rule| match &rule.kind {
        RuleKind::Module { args, .. } => args.iter().any(|arg| arg == "enroll"),
        _ => false,
    });
    let denies_unenrolled = !enrolls && !analyze(&rules, &is_installed).skips_unenrolled;
    Some(AskingService { name, denies_unenrolled })
}

fn is_factor(rule: &Rule) -> bool {
    rule.module() == "pam_totp"
}
