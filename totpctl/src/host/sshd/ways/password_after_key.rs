//! The users without a password who need one after a key.

use super::effect::needs_password_after_proof;
use super::stack::PamStack;
use super::way::Who;
use crate::host::shadow::Lacking;
use crate::host::sshd::config::effective::{Effective, Pam};
use crate::host::sshd::survey::Survey;

/// A user without a password who has no way in for want of one, from everywhere or in blocks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShutUser {
    pub(crate) name: String,
    /// Where that is so, as a phrase; none if it is so from everywhere.
    pub(crate) scope: Option<String>,
    /// The first block in which that is so, if it is not so outside of blocks.
    pub(crate) block: Option<(String, usize)>,
}

/// Returns those of these users without a password who have no way in for want of one. `facts`
/// returns the facts about the stack of a service, `ask` the configuration for a user outside of
/// blocks that name a place.
pub(crate) fn shut_out(
    survey: &Survey,
    facts: &dyn Fn(&str) -> PamStack,
    lacking: &[Lacking],
    ask: &dyn Fn(&str) -> Option<Effective>,
) -> Vec<ShutUser> {
    let mut known = survey.configs().into_iter().flatten();
    if known.all(|config| config.lists.is_none()) {
        return Vec::new();
    }
    let shut = |user: &Lacking| {
        let account = survey.accounts.iter().find(|account| account.name == user.name);
        let is_root = account.is_some_and(|account| account.uid == 0);
        let who = if is_root { Who::Root } else { Who::Anybody };
        let usual = match (&survey.root, is_root) {
            (Ok(case), true) => &case.config,
            _ => &survey.everybody.config,
        };
        // Without blocks all users have the same.
        let of_user = if survey.blocks.is_empty() { None } else { ask(&user.name) };
        let needs_one = |config: &Effective, refused_by: Option<&str>| {
            let Pam::Service(service) = &config.pam else { return false };
            !(user.is_empty && config.empty_passwords)
                && needs_password_after_proof(config, &facts(service), who, refused_by)
        };
        let config = of_user.as_ref().unwrap_or(usual);
        let refused_by =
            |config: &Effective| account.and_then(|account| config.access.refuses(account, None));
        let is_usual = needs_one(config, refused_by(config));
        // Those that differ from the usual one.
        let cases = survey.cases(is_root).into_iter().filter(|(_, case)| {
            let is_of_user = case.accounts.iter().any(|account| account.name == user.name);
            is_of_user
                && refused_by(&case.config).is_none()
                && needs_one(&case.config, None) != is_usual
        });
        let blocks: Vec<_> = cases.map(|(blocks, _)| blocks).collect();
        let criteria: Vec<_> =
            blocks.iter().map(|blocks| format!("Match {}", survey.criteria(blocks))).collect();
        let criteria = criteria.join(", ");
        let block = blocks.first().and_then(|blocks| survey.blocks.get(*blocks.last()?));
        let (scope, block) = match (is_usual, blocks.is_empty()) {
            (false, true) => return None,
            (true, true) => (None, None),
            (true, false) => (Some(format!("except in {criteria}")), None),
            (false, false) => {
                (Some(format!("in {criteria}")), block.map(|(block, _)| block.place.clone()))
            }
        };
        Some(ShutUser { name: user.name.clone(), scope, block })
    };
    lacking.iter().filter_map(shut).collect()
}
