//! What sudo does with a line that visudo calls wrong.

use super::rules::Rule;

/// Returns what sudo takes of a line, of which visudo says `words`.
pub(super) fn rest(rule: Rule, words: &str) -> Option<Rule> {
    match rule {
        // Another line has the alias already.
        Rule::Aliases(..) => words.contains("already defined").then_some(rule),
        Rule::Settings { scope, mut settings } => {
            let is_wrong = |name: &str| words.contains(&format!("\"{name}\""));
            let is_of_setting = words.contains("unknown defaults entry")
                || settings.iter().any(|(name, ..)| is_wrong(name));
            // sudo ignores only that setting.
            settings.retain(|(name, ..)| is_of_setting && !is_wrong(name));
            (!settings.is_empty()).then_some(Rule::Settings { scope, settings })
        }
        Rule::Grants(users, mut grants, fault) => {
            // The last list is wrong. Or an earlier one is, and then sudo takes nothing. visudo
            // does not tell, so the others only count as exceptions.
            if fault.is_none() {
                grants.pop();
            }
            grants.iter_mut().for_each(|grant| grant.asked.clear());
            Some(Rule::Grants(users, grants, fault))
        }
    }
}
