//! Whether sudo tells PAM that somebody is in (`pam_setcred`). Pure.

use super::finding::{Finding, FindingId};
use super::sudo_phrases::scope;
use super::sudoers::{Setting, Sudoers};

/// Returns a problem for each setting by which sudo never calls `pam_setcred`, for a stack with the
/// option `enroll`: each new factor lets its user in, and none stays.
pub(super) fn problems(sudoers: &Sudoers) -> Vec<Finding> {
    let problem = |setting: &Setting| {
        let who = scope(&sudoers.scope(setting));
        let message = format!(
            "with the option enroll, sudo has {who} create a factor each time, lets them in, and keeps none \
             (!pam_setcred)"
        );
        Finding::new(FindingId::EnrollWithoutSetcred, message)
            .fix("remove !pam_setcred, or the option enroll")
            .at(setting.place.clone())
    };
    let off = sudoers.in_force("pam_setcred", true).into_iter();
    off.map(|(_, setting)| problem(setting)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_keeps_no_factor_is_named() {
        for (rules, expected) in [
            ("Defaults !pam_setcred\n", 1),
            ("Defaults:bob !pam_setcred\n", 1),
            ("Defaults !pam_setcred\nDefaults pam_setcred\n", 0),
            ("Defaults@db !pam_setcred\n", 0),
            ("Defaults !pam_session\n", 0),
        ] {
            let found = problems(&Sudoers::of_text(rules, "web"));
            assert_eq!(found.len(), expected, "{rules}");
        }
    }
}
