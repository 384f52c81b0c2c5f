//! The users without a password who need one after a key.

use super::effect::needs_password_after_proof;
use super::stack::PamStack;
use super::way::Who;
use crate::host::accounts::Lacking;
use crate::host::sshd::config::effective::{Effective, Pam};
use crate::host::sshd::survey::Survey;

/// Returns the names of these users without a password who have no way in for want of one. `facts`
/// returns the facts about the stack of a service, `ask` the configuration for a user.
pub(crate) fn shut_out(
    survey: &Survey,
    facts: &dyn Fn(&str) -> PamStack,
    lacking: &[Lacking],
    ask: &dyn Fn(&str) -> Option<Effective>,
) -> Vec<String> {
    let mut known = survey.configs().into_iter().flatten();
    if known.all(|config| config.lists.is_none()) {
        return Vec::new();
    }
    let needs_one = |user: &&Lacking| {
        let account = survey.accounts.iter().find(|account| account.name == user.name);
        let is_root = account.is_some_and(|account| account.uid == 0);
        let usual = match (&survey.root, is_root) {
            (Ok(case), true) => &case.config,
            _ => &survey.everybody.config,
        };
        // Without blocks all users have the same.
        let of_user = if survey.blocks.is_empty() { None } else { ask(&user.name) };
        let config = of_user.as_ref().unwrap_or(usual);
        let Pam::Service(service) = &config.pam else { return false };
        let refused_by = account.and_then(|account| config.access.refuses(account, None));
        let who = if is_root { Who::Root } else { Who::Anybody };
        !(user.is_empty && config.empty_passwords)
            && needs_password_after_proof(config, &facts(service), who, refused_by)
    };
    lacking.iter().filter(needs_one).map(|user| user.name.clone()).collect()
}
