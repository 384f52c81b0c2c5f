//! Stacks that have another module for codes: in shadow mode, or beside this one.

use pam_stack::{Rule, Shadow, is_other_code, shadow_lines};

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::pam::files::{display, locate};

/// Checks the lines of shadow mode, and whether two modules ask.
pub(super) fn check(rules: &[Rule], report: &mut Report) {
    match shadow_lines(rules) {
        Shadow::Absent => {}
        Shadow::Whole { module, place } => {
            report.summarize("is in shadow mode");
            let message = format!("{module} decides here, and totpd notes what it would have said");
            let finding = Finding::new(FindingId::ShadowMode, message).at(locate(&place));
            report.notes.push(finding.fix("look at totpctl shadow report, then switch"));
        }
        Shadow::Broken(place, reason) => {
            let message = format!("this line of shadow mode does not stand as it must: {reason}");
            let finding = Finding::new(FindingId::ShadowBroken, message).at(locate(&place));
            report.problems.push(finding.fix("run totpctl shadow SERVICE --off, and begin again"));
        }
    }
    let ours = rules.iter().find(|rule| rule.is_factor());
    let other = rules.iter().find(|rule| is_other_code(rule));
    if let (Some(ours), Some(other)) = (ours, other) {
        let message = format!(
            "{} asks for a code too, beside {}, so that a login needs two",
            other.module(),
            display(&ours.place)
        );
        let finding = Finding::new(FindingId::TwoCodeModules, message).at(locate(&other.place));
        report.notes.push(finding.fix("remove one of the two lines, unless that is intended"));
    }
}

#[cfg(test)]
mod tests {
    use pam_stack::Stack;
    use pam_stack::parse::Kind;

    use super::*;

    #[test]
    fn stacks_with_another_module_are_told() {
        let unix = "auth requisite pam_unix.so\n";
        let ga = "auth required pam_google_authenticator.so";
        let ask = "auth optional pam_totp.so shadow\n";
        let end = "auth optional pam_totp.so shadow_end\n";
        for (text, expected) in [
            (
                format!("{unix}{ask}{ga} use_first_pass\n{end}"),
                "note /etc/pam.d/x:3: pam_google_authenticator decides here, and totpd notes what it would have \
                 said; look at totpctl shadow report, then switch [shadow-mode]",
            ),
            (
                format!("{unix}{ask}{ga}\n{end}"),
                "problem /etc/pam.d/x:3: this line of shadow mode does not stand as it must: the module that \
                 decides needs use_first_pass, or it asks a second time; run totpctl shadow SERVICE --off, and begin \
                 again [shadow-broken]",
            ),
            (
                format!("{unix}{ga}\nauth required pam_totp.so\n"),
                "note /etc/pam.d/x:2: pam_google_authenticator asks for a code too, beside /etc/pam.d/x:3, so that \
                 a login needs two; remove one of the two lines, unless that is intended [two-code-modules]",
            ),
        ] {
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            let mut report = Report::default();
            check(&rules, &mut report);
            let problems = report.problems.iter().map(|found| format!("problem {}", found.line()));
            let notes = report.notes.iter().map(|found| format!("note {}", found.line()));
            assert_eq!(problems.chain(notes).collect::<Vec<_>>(), [expected]);
        }
    }
}
