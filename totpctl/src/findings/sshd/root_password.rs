//! A password alone that lets root in. Pure.

use crate::findings::finding::{Finding, FindingId};
use crate::host::door::CodeNeed;
use crate::host::sshd::case::Case;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::config::method::Method;
use crate::host::sshd::survey::Survey;
use crate::host::sshd::ways::stack::PamStack;
use crate::host::sshd::ways::way::{Way, Who, ways};

/// Returns the finding that root logs in by a password alone, if so: from everywhere, or else in
/// `Match` blocks. `stack_of` returns the facts about the stack of a configuration.
pub(super) fn finding(
    survey: &Survey,
    stack_of: &dyn Fn(&Effective) -> PamStack,
) -> Option<Finding> {
    let open = |case: &Case| {
        let stack = stack_of(&case.config);
        let found = ways(&case.config, &stack, Who::Root, case.refused_by);
        found.into_iter().find(|way| is_open(way, &stack)).map(|way| way.methods)
    };
    let told = |methods: &str, scope: &str| {
        let message = format!("root can log in by ssh with a password alone ({methods}){scope}");
        Finding::new(FindingId::SshdRootPasswordAlone, message).fix(format!(
            "write PermitRootLogin prohibit-password (a key) or no{scope} and reload sshd, or have sshd ask for a code: \
             totpctl enable sshd"
        ))
    };
    if let Some(methods) = survey.root.as_ref().ok().and_then(open) {
        let trace = &survey.everybody.trace;
        let finding = told(&methods, "");
        return Some(match (trace.place(&["PermitRootLogin"]), &trace.file) {
            (Some(place), _) => finding.at(place),
            (None, Some(file)) => finding.in_file(file.clone()),
            (None, None) => finding,
        });
    }
    let of_block = survey.blocks.iter().find_map(|(block, cases)| {
        let methods = open(cases.as_ref().ok()?.root.as_ref()?)?;
        Some((methods, block.criteria(), block))
    });
    let of_overlap = || {
        let overlaps = survey.overlaps.iter().filter(|overlap| overlap.is_root);
        overlaps.into_iter().find_map(|overlap| {
            let (block, _) = survey.blocks.get(*overlap.blocks.last()?)?;
            Some((open(&overlap.case)?, survey.criteria(&overlap.blocks), block))
        })
    };
    let (methods, criteria, block) = of_block.or_else(of_overlap)?;
    Some(told(&methods, &format!(" in Match {criteria}")).at(block.place.clone()))
}

/// Reports whether a password is all that a way asks for. A KDC has a finding of its own.
fn is_open(way: &Way, stack: &PamStack) -> bool {
    let is_password = |name: &str| {
        matches!(Method::parse(name), Some(Method::Password | Method::KeyboardInteractive))
    };
    way.code == CodeNeed::NotAsked
        && way.methods.split(',').all(is_password)
        && (!way.uses_pam || (stack.has_password && stack.code == CodeNeed::NotAsked))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BASE, CODE, PASSWORD_AND_CODE, case, survey, with, with_block};
    use super::*;
    use crate::host::sshd::case::Cases;
    use crate::host::sshd::ways::stack::of_text;

    const PASSWORD: &str = "auth requisite pam_unix.so\n";

    fn sentence(survey: &Survey, stack: &str) -> Option<String> {
        finding(survey, &|_| of_text(stack)).map(|found| found.sentence())
    }

    #[test]
    fn a_password_that_is_enough_for_root_is_found() {
        let yes = "permitrootlogin yes\n";
        let key = "authenticationmethods publickey,keyboard-interactive\n";
        for (lines, stack, expected) in [
            (yes.to_owned(), PASSWORD, Some("(keyboard-interactive)")),
            (format!("{yes}kbdinteractiveauthentication no\n"), PASSWORD, None),
            (
                format!("{yes}kbdinteractiveauthentication no\npasswordauthentication yes\n"),
                PASSWORD,
                Some("(password)"),
            ),
            (format!("{yes}usepam no\npasswordauthentication yes\n"), PASSWORD, Some("(password)")),
            (format!("{yes}{key}"), PASSWORD, None),
            (yes.into(), PASSWORD_AND_CODE, None),
            (yes.into(), CODE, None),
            (yes.into(), "auth required pam_permit.so\n", None),
            ("permitrootlogin no\npasswordauthentication yes\n".into(), PASSWORD, None),
            ("passwordauthentication yes\n".into(), PASSWORD, None),
        ] {
            let told = sentence(&survey(&with(&lines)), stack);
            let is_expected = match (&told, expected) {
                (Some(told), Some(part)) => {
                    told.contains(part) && told.contains("totpctl enable sshd")
                }
                (told, expected) => told.is_none() && expected.is_none(),
            };
            assert!(is_expected, "{lines} {stack}: {told:?}");
        }
    }

    #[test]
    fn a_block_that_lets_root_in_by_a_password_is_named() {
        let root = Some(case(&with("permitrootlogin yes\n"), None));
        let survey = with_block("Address 10.0.0.0/8", Ok(Cases { user: None, root }));
        let told = sentence(&survey, PASSWORD).unwrap();
        assert!(told.starts_with("/etc/ssh/sshd_config:9: root can log in by ssh"), "{told}");
        assert!(told.contains(" in Match Address 10.0.0.0/8"), "{told}");
        let root = Some(case(BASE, None));
        let survey = with_block("Address 10.0.0.0/8", Ok(Cases { user: None, root }));
        assert_eq!(sentence(&survey, PASSWORD), None);
    }
}
