//! A staged roll-out: sshd asks the users of a `Match` block, and not the rest. Pure.

use super::super::door::Code;
use super::effect::Effect;
use super::effective::Effective;
use super::method::Method;
use super::stack::PamStack;
use super::survey::{Case, Overlap, Survey};
use super::way::{Way, Who, ways};

/// Returns the remark on an effect on the users of no block, if it keeps nobody out who could log
/// in without the code, and others are asked. Such an effect is no problem.
pub(super) fn remark(
    effect: &Effect,
    survey: &Survey,
    stack_of: &dyn Fn(&Effective) -> PamStack,
) -> Option<String> {
    let config = &survey.everybody.config;
    let stack = stack_of(config);
    let usual_ways = ways(config, &stack, Who::Anybody, None);
    let fate = match effect {
        Effect::CannotAsk if !shuts_passwords_out(config, &usual_ways) => {
            "all others log in without a code"
        }
        // A service that denies, or that libpam cannot read, lets nobody in.
        Effect::ServiceWithoutCode(_)
            if stack.code == Code::NotAsked && usual_ways.iter().any(Way::is_usable) =>
        {
            "all others log in without a code"
        }
        Effect::NobodyCanLogIn(_) if is_shut_without_code(config, &stack) => {
            "all others are kept out without the code too"
        }
        _ => return None,
    };
    let asked = asked(survey, stack_of);
    (!asked.is_empty()).then(|| format!("asked for a code: {}; {fate}", asked.join(", ")))
}

/// Reports whether the code shuts out people who log in by a password, alone or after a key: the
/// method password has one answer. After a KDC refused it, sshd asks PAM about it.
fn shuts_passwords_out(config: &Effective, usual_ways: &[Way]) -> bool {
    (config.kerberos && config.is_enabled(Method::Password))
        || usual_ways.iter().any(|way| matches!(way.code, Code::Unanswerable(_)))
}

/// Reports whether nobody could log in even if the stack asked for nothing. A list of
/// `AuthenticationMethods` that no method satisfies is a fault in any case.
fn is_shut_without_code(config: &Effective, stack: &PamStack) -> bool {
    let open = PamStack { code: Code::NotAsked, ..stack.clone() };
    config.lists.is_none() && ways(config, &open, Who::Anybody, None).iter().all(Way::is_shut)
}

/// Returns the users who are asked for a code, as phrases.
fn asked(survey: &Survey, stack_of: &dyn Fn(&Effective) -> PamStack) -> Vec<String> {
    let is_asked = |case: &Case, who| {
        let ways = ways(&case.config, &stack_of(&case.config), who, case.refused_by);
        ways.iter().any(|way| way.code == Code::Asked)
    };
    let is_user_asked =
        |case: &Option<Case>| case.as_ref().is_some_and(|case| is_asked(case, Who::Anybody));
    let is_root_asked =
        |case: &Option<Case>| case.as_ref().is_some_and(|case| is_asked(case, Who::Root));
    let of_root = survey.root.iter().filter(|case| is_asked(case, Who::Root));
    let mut found: Vec<_> = of_root.map(|_| "root".to_owned()).collect();
    for (block, cases) in &survey.blocks {
        let Ok(cases) = cases else { continue };
        let criteria = block.criteria();
        if is_user_asked(&cases.user) {
            found.push(format!("Match {criteria}"));
        } else if is_root_asked(&cases.root) {
            found.push(format!("root, Match {criteria}"));
        }
    }
    for Overlap { blocks, is_root, case } in &survey.overlaps {
        let who = if *is_root { Who::Root } else { Who::Anybody };
        let phrase = format!("Match {}", survey.criteria(blocks));
        // A block that asks by itself is named already.
        let is_named = found.iter().any(|name| phrase.starts_with(name.as_str()));
        if is_asked(case, who) && !is_named {
            found.push(if *is_root { format!("root, {phrase}") } else { phrase });
        }
    }
    found
}
