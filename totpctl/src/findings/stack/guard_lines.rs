//! The guard: a line of pam_totp.so under `account` that refuses a login without a code.

use pam_stack::{GUARD, Guard, Place, Rule, guard, is_guard};

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::pam::files::{is_shared, locate};
use crate::pam::guard::holds;
use crate::pam::snapshot::Snapshot;
use crate::program;

/// Checks the guard of a service, by its rules under `account` and `auth`.
pub(super) fn check(service: &str, account: &[Rule], auth: &[Rule], report: &mut Report) {
    let guards = account.iter().filter(|rule| is_guard(rule));
    let misplaced: Vec<_> = guards.filter_map(|rule| misplaced(service, &rule.place)).collect();
    if !misplaced.is_empty() {
        report.problems.extend(misplaced);
        return;
    }
    let (place, finding) = match guard(account) {
        Guard::Absent => return,
        Guard::PassedBy(place) => {
            let message = "a login can pass the lines under account although this guard refuses it";
            let fix = "write required, and put the line before all others under account";
            (place, Some(Finding::new(FindingId::GuardPassedBy, message).fix(fix)))
        }
        Guard::Alone(place) => {
            let message =
                "nobody gets in: a guard only refuses, and no other line under account accepts";
            let fix = "add the usual lines under account, for example those of pam_unix.so";
            (place, Some(Finding::new(FindingId::GuardShutsOut, message).fix(fix)))
        }
        Guard::Holds(place) if !auth.iter().any(Rule::is_factor) => {
            let message = "nobody gets in unless a rule or nullok lets it: no line under auth asks for a code";
            let fix = format!("run totpctl enable {service}, or remove this line");
            (place, Some(Finding::new(FindingId::GuardShutsOut, message).fix(fix)))
        }
        Guard::Holds(place) => {
            report.summarize("refuses logins without a code (guard)");
            (place, None)
        }
    };
    report.problems.extend(finding.map(|finding| finding.at(locate(&place))));
    if service == "sshd" && program::path("dropbear").is_some() {
        let message = "Dropbear asks PAM for nothing after a key, so no guard refuses one there";
        let finding = Finding::new(FindingId::DropbearNotGuarded, message);
        report
            .notes
            .push(finding.fix("have Dropbear take no keys (-s takes no passwords), or remove it"));
    }
}

/// Reports whether a guard refuses everybody who gave no code, in a service that totpctl writes one
/// for. Others have users who need none, such as root's su.
pub(super) fn is_guarded(service: &str, files: &Snapshot) -> bool {
    holds(service, &|name| files.read(name))
}

/// Returns the finding for a guard under `auth`.
pub(super) fn under_auth(rule: &Rule) -> Finding {
    let message = "guard has no function under auth, and this line denies every login";
    Finding::new(FindingId::GuardMisplaced, message)
        .fix("write the line under account")
        .at(locate(&rule.place))
}

/// Returns the finding for a guard in a place where it refuses right logins.
fn misplaced(service: &str, place: &Place) -> Option<Finding> {
    let (message, fix) = if is_shared(&place.file) {
        let message = format!(
            "this file is for many services, and some ask for account without auth, so {GUARD} refuses them"
        );
        (message, "move the line to the files of sshd, login and cockpit")
    } else if ["sudo", "sudo-i"].contains(&service) {
        let message =
            "while its ticket is valid, sudo asks for account without auth, and the guard refuses";
        (message.to_owned(), "remove the line; totpctl enable sudo asks for a code")
    } else {
        return None;
    };
    Some(Finding::new(FindingId::GuardMisplaced, message).fix(fix).at(locate(place)))
}

#[cfg(test)]
mod tests {
    use pam_stack::Stack;
    use pam_stack::parse::Kind;

    use super::*;

    fn found(service: &str, text: &str) -> Vec<String> {
        let read = |name: &str| match name {
            "common-account" => Some(
                "account required pam_totp.so guard\naccount required pam_unix.so\n".to_owned(),
            ),
            name => (name == service).then(|| text.to_owned()),
        };
        let rules = |kind| match Stack::parse(service, kind, &read) {
            Stack::Rules(rules) => rules,
            _ => panic!("{text}"),
        };
        let mut report = Report::default();
        check(service, &rules(Kind::Account), &rules(Kind::Auth), &mut report);
        report.problems.iter().map(Finding::line).collect()
    }

    #[test]
    fn a_guard_that_shuts_out_or_does_not_hold_is_a_problem() {
        let auth = "auth required pam_unix.so\nauth required pam_totp.so\n";
        let account = "account required pam_unix.so\n";
        let guard = "account required pam_totp.so guard\n";
        for (service, text, expected) in [
            ("x", format!("{auth}{guard}{account}"), None),
            ("x", format!("{auth}{account}"), None),
            ("x", format!("{auth}{guard}"), Some("[guard-shuts-out]")),
            (
                "x",
                format!("auth required pam_unix.so\n{guard}{account}"),
                Some("[guard-shuts-out]"),
            ),
            (
                "x",
                format!("{auth}account sufficient pam_unix.so\n{guard}"),
                Some("[guard-passed-by]"),
            ),
            ("sudo", format!("{auth}{guard}{account}"), Some("[guard-misplaced]")),
            ("sudo-i", format!("{auth}{guard}{account}"), Some("[guard-misplaced]")),
            ("x", format!("{auth}@include common-account\n"), Some("[guard-misplaced]")),
        ] {
            let found = found(service, &text);
            assert_eq!(found.len(), usize::from(expected.is_some()), "{text}: {found:?}");
            assert!(found.concat().ends_with(expected.unwrap_or_default()), "{text}: {found:?}");
        }
    }
}
