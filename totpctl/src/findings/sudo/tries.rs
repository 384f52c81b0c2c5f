//! How often sudo lets a user try a password (`passwd_tries`). Pure.

use crate::findings::finding::{Finding, FindingId};
use crate::host::sudo::sudoers::{Setting, Sudoers};

/// Returns the setting by which sudo asks nobody, and refuses everybody who is to be asked.
pub(super) fn setting(sudoers: &Sudoers) -> Option<&Setting> {
    let setting = sudoers.global("passwd_tries")?;
    (setting.value.as_ref()?.parse() == Ok(0)).then_some(setting)
}

/// Returns the problem that it is.
pub(super) fn problem(sudoers: &Sudoers) -> Option<Finding> {
    let message = "sudo lets nobody answer (passwd_tries=0), so nobody becomes root who is asked";
    let finding = Finding::new(FindingId::SudoNobodyBecomesRoot, message);
    Some(finding.fix("write passwd_tries=3").at(setting(sudoers)?.place.clone()))
}

/// Why nobody enters.
pub(super) const CLOSED: &str = "passwd_tries=0: sudo lets nobody answer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sudo_without_tries_lets_nobody_in() {
        for (rules, expected) in [
            ("Defaults passwd_tries=0\n", true),
            ("Defaults passwd_tries = 0\nDefaults passwd_tries=1\n", false),
            ("Defaults@db passwd_tries=0\n", false),
            ("", false),
        ] {
            let found = problem(&Sudoers::of_text(rules, "web"));
            assert_eq!(found.is_some(), expected, "{rules}");
        }
    }
}
