//! What a stack does with users without a factor (options `nullok` and `enroll`).

use pam_stack::password::is_password;
use pam_stack::setcred::DROPBEAR;
use pam_stack::{Analysis, Rule};

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::sshd;
use crate::pam::files::{cannot_enroll, locate};
use crate::pam::unenrolled::nullok_is_useless;
use crate::program;

/// Checks what `nullok` does for users without a factor.
pub(super) fn check_nullok(
    service: &str,
    rules: &[Rule],
    analysis: &Analysis,
    enrolls: bool,
    report: &mut Report,
) {
    let Some(factor) = analysis.factor_lines.last() else { return };
    let has_proof =
        rules.iter().any(is_password) || (service == "sshd" && sshd::requires_other_method());
    let mut problem = |id, message: &str, change: &str| {
        report.problems.push(Finding::new(id, message).fix(change).at(locate(factor)));
    };
    if nullok_is_useless(rules, analysis) && !enrolls {
        let change = match has_proof {
            true => "add \"auth required pam_permit.so\" after this line",
            false => "remove nullok, or ask for the password before this line",
        };
        problem(FindingId::NullokWithoutEffect, NULLOK_WITHOUT_EFFECT, change);
    }
    if analysis.skips_strangers && !has_proof {
        problem(
            FindingId::NullokWithoutPassword,
            "nullok lets in users without a factor although nothing else proves who they are",
            "remove nullok, or ask for the password before this line",
        );
    }
}

/// Checks whether factors can be created at this service, and only by users who gave a password.
pub(super) fn check_enroll(service: &str, analysis: &Analysis, report: &mut Report) {
    if let Some(reason) = cannot_enroll(service) {
        report.problem(
            FindingId::EnrollWithoutSetcred,
            format!("no user can create a factor here: {reason}; remove the option enroll"),
        );
        return;
    }
    if let Some(place) = &analysis.without_password
        && analysis.after_wrong_password.is_empty()
        && !(service == "sshd" && sshd::requires_other_method())
    {
        let message = "a stranger can create a factor here (option enroll): no known password module accepts \
                       before this line; move it after the password, or remove the option";
        let finding = Finding::new(FindingId::StrangerCanEnroll, message);
        report.problems.push(finding.at(locate(place)));
    } else if service == "sshd" && program::path("dropbear").is_some() {
        report.note(
            FindingId::DropbearCannotEnroll,
            format!("no user can create a factor through Dropbear: {DROPBEAR}"),
        );
    }
}

const NULLOK_WITHOUT_EFFECT: &str =
    "nullok has no effect here: no other line accepts, so a user without a factor is denied";
