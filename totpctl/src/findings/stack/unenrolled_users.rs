//! What a stack does with users without a factor (options `nullok` and `enroll`).

use pam_stack::Analysis;
use pam_stack::setcred_programs::DROPBEAR;

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::pam::files::{cannot_enroll, locate};
use crate::pam::unenrolled_users::{Outcome, UselessFor};
use crate::program;

/// Checks what `nullok` does for users without a factor. `requires_other_method`: whether the
/// program requires a key or the like before PAM, if that is known.
pub(super) fn check_nullok(
    requires_other_method: Option<bool>,
    outcome: &Outcome,
    analysis: &Analysis,
    report: &mut Report,
) {
    let Some(factor) = analysis.factor_lines.last() else { return };
    let is_proved = outcome.is_proved(requires_other_method);
    let mut problem = |id, message: &str, change: &str| {
        report.problems.push(Finding::new(id, message).fix(change).at(locate(factor)));
    };
    // Of two lines that both ask, the one without nullok denies the user.
    if let Some(useless_for) = outcome.nullok_is_useless
        && analysis.asks_twice.is_none()
    {
        // Without a proof, a line that accepts would let strangers in.
        let change = match is_proved == Some(true) {
            true => "add \"auth required pam_permit.so\" after this line",
            false => "remove nullok, or ask for the password before this line",
        };
        let message = match useless_for {
            UselessFor::Everybody => NULLOK_WITHOUT_EFFECT,
            UselessFor::Root => NULLOK_WITHOUT_EFFECT_FOR_ROOT,
        };
        problem(FindingId::NullokWithoutEffect, message, change);
    }
    // A password line elsewhere proves nothing on the path that skips it.
    if analysis.skips_strangers && requires_other_method == Some(false) {
        problem(
            FindingId::NullokWithoutPassword,
            "nullok lets in users without a factor although nothing else proves who they are",
            "remove nullok, or ask for the password before this line",
        );
    }
}

/// Checks whether factors can be created at this service, and only by users who gave a password.
/// `requires_other_method` is that of [`check_nullok`].
pub(super) fn check_enroll(
    service: &str,
    requires_other_method: Option<bool>,
    analysis: &Analysis,
    report: &mut Report,
) {
    if let Some(reason) = cannot_enroll(service) {
        report.problem(
            FindingId::EnrollWithoutSetcred,
            format!("no user can create a factor here: {reason}; remove the option enroll"),
        );
        return;
    }
    if let Some(place) = &analysis.without_password
        && analysis.after_wrong_password.is_empty()
        && requires_other_method == Some(false)
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
const NULLOK_WITHOUT_EFFECT_FOR_ROOT: &str = "nullok has no effect for root here: no other line accepts root, so root without a factor is denied";

#[cfg(test)]
mod tests {
    use pam_stack::parse::Kind;
    use pam_stack::{Stack, analyze};

    use super::*;

    #[test]
    fn only_a_known_configuration_of_sshd_makes_a_stranger() {
        let skips = "auth required pam_totp.so nullok\nauth required pam_permit.so\n";
        let enrolls = "auth required pam_totp.so enroll\n";
        let twice = "auth required pam_unix.so\nauth required pam_totp.so\n\
                     auth required pam_totp.so nullok\n";
        for (text, requires_other_method, expected) in [
            (skips, Some(false), Some(FindingId::NullokWithoutPassword)),
            (skips, Some(true), None),
            (twice, Some(false), None),
            (skips, None, None),
            (enrolls, Some(false), Some(FindingId::StrangerCanEnroll)),
            (enrolls, Some(true), None),
            (enrolls, None, None),
        ] {
            let read = |name: &str| (name == "sshd").then(|| text.to_owned());
            let Stack::Rules(rules) = Stack::parse("sshd", Kind::Auth, &read) else { panic!() };
            let analysis = analyze(&rules, &|_| true);
            let mut report = Report::default();
            match text == enrolls {
                true => check_enroll("sshd", requires_other_method, &analysis, &mut report),
                false => {
                    let outcome = Outcome::from_rules(&rules, &analysis);
                    check_nullok(requires_other_method, &outcome, &analysis, &mut report);
                }
            }
            let found: Vec<_> = report.problems.iter().map(Finding::id).collect();
            assert_eq!(found, expected.as_slice(), "{text} {requires_other_method:?}");
        }
    }
}
