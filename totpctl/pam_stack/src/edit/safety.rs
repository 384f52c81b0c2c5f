//! The rules of a service, and whether a change of them is safe.

use super::refusal::Refusal;
use crate::control::Action;
use crate::dispatch::Progress;
use crate::explore::Analysis;
use crate::parse::Kind;
use crate::place::Place;
use crate::return_code::ReturnCode;
use crate::stack::{Rule, Stack};

/// Returns the rules of a service under `auth`.
pub(super) fn rules(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Rule>, Refusal> {
    match Stack::parse(service, Kind::Auth, read) {
        Stack::Rules(rules) if !rules.is_empty() => Ok(rules),
        Stack::Ambiguous(place, reason) => Err(Refusal::Ambiguous(place, reason)),
        Stack::Unreadable(reason) => Err(Refusal::Unreadable(reason)),
        _ => Err(Refusal::NoStack),
    }
}

/// Reports whether each login needs a code, and one with a code succeeds.
pub(super) fn is_safe(found: &Analysis) -> bool {
    !found.factor_lines.is_empty()
        && found.can_succeed
        && found.bypasses.is_empty()
        && !found.too_long
}

/// Returns a line before the one with this index that jumps past it.
pub(super) fn jump_over(rules: &[Rule], factor: usize) -> Option<Place> {
    rules.iter().take(factor).enumerate().find_map(|(at, rule)| {
        let jumps = |code: &ReturnCode| matches!(rule.control.action(*code), Action::Jump(_));
        let jumps_past = ReturnCode::all().filter(jumps).any(|code| {
            let mut progress = Progress::new();
            progress.at = at;
            progress.advance(rules, code);
            progress.at > factor
        });
        jumps_past.then(|| rule.place.clone())
    })
}
