//! A staged roll-out: sshd asks the users of a `Match` block, and not the rest. Pure.

use crate::host::door::CodeNeed;
use crate::host::sshd::case::{Case, Overlap};
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::config::method::Method;
use crate::host::sshd::survey::Survey;
use crate::host::sshd::ways::effect::Effect;
use crate::host::sshd::ways::stack::PamStack;
use crate::host::sshd::ways::way::{Way, Who, ways};

/// What is said of an effect on the users of no block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) text: String,
    /// True if it keeps nobody out who could log in without the code. It is no problem then.
    pub(super) is_harmless: bool,
}

/// Returns the remark on an effect on the users of no block, if it keeps none of them out who could
/// log in without the code, and others are asked.
pub(super) fn remark(
    effect: &Effect,
    survey: &Survey,
    stack_of: &dyn Fn(&Effective) -> PamStack,
) -> Option<Remark> {
    let config = &survey.everybody.config;
    let stack = stack_of(config);
    let usual_ways = ways(config, &stack, Who::Anybody, None);
    let fate = match effect {
        Effect::CannotAsk if !shuts_passwords_out(config, &stack, Who::Anybody) => {
            "all others log in without a code"
        }
        // A service that denies, or that libpam cannot read, lets nobody in.
        Effect::ServiceWithoutCode(_)
            if stack.code == CodeNeed::NotAsked && usual_ways.iter().any(Way::is_usable) =>
        {
            "all others log in without a code"
        }
        Effect::NobodyCanLogIn(_) if is_shut_without_code(config, &stack) => {
            "all others are kept out without the code too"
        }
        _ => return None,
    };
    let asked = criteria_where(survey, &|case, who| {
        let ways = ways(&case.config, &stack_of(&case.config), who, case.refused_by);
        ways.iter().any(|way| way.code == CodeNeed::Asked)
    });
    let shut_out = criteria_where(survey, &|case, who| {
        let stack = stack_of(&case.config);
        case.refused_by.is_none() && shuts_passwords_out(&case.config, &stack, who)
    });
    let is_harmless = shut_out.is_empty();
    let fate = match is_harmless {
        true => fate.to_owned(),
        false => format!("shut out, because they log in by a password: {}", shut_out.join(", ")),
    };
    let text = format!("asked for a code: {}; {fate}", asked.join(", "));
    (!asked.is_empty()).then_some(Remark { text, is_harmless })
}

/// Reports whether the code shuts out people who log in by a password, alone or after a key: the
/// method password has one answer. After a KDC refused it, sshd asks PAM about it.
fn shuts_passwords_out(config: &Effective, stack: &PamStack, who: Who) -> bool {
    if config.is_enabled(Method::KeyboardInteractive) {
        return false;
    }
    let open = PamStack { code: CodeNeed::NotAsked, ..stack.clone() };
    let now = ways(config, stack, who, None);
    let is_shut = |way: &Way| {
        let is_unanswerable = |other: &&Way| {
            other.methods == way.methods && matches!(other.code, CodeNeed::Unanswerable(_))
        };
        let is_of_kdc = config.kerberos && way.methods == Method::Password.name();
        is_of_kdc || now.iter().any(|other| is_unanswerable(&other))
    };
    stack.asks && ways(config, &open, who, None).iter().any(|way| way.is_usable() && is_shut(way))
}

/// Reports whether nobody could log in even if the stack asked for nothing. A list of
/// `AuthenticationMethods` that no method satisfies is a fault in any case.
fn is_shut_without_code(config: &Effective, stack: &PamStack) -> bool {
    let open = PamStack { code: CodeNeed::NotAsked, ..stack.clone() };
    config.lists.is_none() && ways(config, &open, Who::Anybody, None).iter().all(Way::is_shut)
}

/// Returns the users of which `is_so` is true, as phrases.
fn criteria_where(survey: &Survey, is_so: &dyn Fn(&Case, Who) -> bool) -> Vec<String> {
    let is_user = |case: &Option<Case>| case.as_ref().is_some_and(|case| is_so(case, Who::Anybody));
    let is_root = |case: &Option<Case>| case.as_ref().is_some_and(|case| is_so(case, Who::Root));
    let of_root = survey.root.iter().filter(|case| is_so(case, Who::Root));
    let mut found: Vec<_> = of_root.map(|_| "root".to_owned()).collect();
    for (block, cases) in &survey.blocks {
        let Ok(cases) = cases else { continue };
        let criteria = block.criteria();
        if is_user(&cases.user) {
            found.push(format!("Match {criteria}"));
        } else if is_root(&cases.root) {
            found.push(format!("root, Match {criteria}"));
        }
    }
    for Overlap { blocks, is_root, case } in &survey.overlaps {
        let who = if *is_root { Who::Root } else { Who::Anybody };
        let phrase = format!("Match {}", survey.criteria(blocks));
        // A block of which it is true by itself is named already.
        let is_named = found.iter().any(|name| phrase.starts_with(name.as_str()));
        if is_so(case, who) && !is_named {
            found.push(if *is_root { format!("root, {phrase}") } else { phrase });
        }
    }
    found
}
