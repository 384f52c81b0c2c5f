//! A plan that no longer fits the files, because something changed one after it was made.

use super::change::Change;
use crate::error::Error;

/// Refuses a change if its plan is another one now. An empty plan counts too: it says that the
/// stacks are as wanted. `shown`: the plan that was made without the lock. `now`: the one that was
/// made with it.
pub(crate) fn check_current(shown: &[Change], now: &[Change]) -> Result<(), Error> {
    let lacks = |plan: &[Change], change: &Change| !plan.contains(change);
    let gone = shown.iter().filter(|change| lacks(now, change));
    let new = now.iter().filter(|change| lacks(shown, change));
    let mut services: Vec<_> = gone.chain(new).map(|change| change.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    let (of_services, them) = match services.as_slice() {
        [] => return Ok(()),
        [service] => (format!("the stack of {service} was"), "it"),
        services => (format!("the stacks of {} were", services.join(" and ")), "them"),
    };
    Err(Error::refused(format!(
        "not changed: {of_services} changed while this command ran, by another program or the end of a trial; check \
         {them}, and run this again"
    )))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Plans as `enable` does: each of these files is to have the text "asks".
    fn plan(folder: &Path) -> Vec<Change> {
        let wanted = ["sudo", "sudo-i"].into_iter().map(|service| {
            let path = folder.join(service);
            let before = fs::read_to_string(&path).unwrap();
            Change::example(service, path, &before, "asks")
        });
        wanted.filter(|change| change.before != change.after).collect()
    }

    #[test]
    fn a_plan_that_changed_before_the_lock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |sudo: &str, sudo_i: &str| {
            fs::write(folder.path().join("sudo"), sudo).unwrap();
            fs::write(folder.path().join("sudo-i"), sudo_i).unwrap();
            plan(folder.path())
        };
        for (before, then, named) in [
            // A trial ends.
            (
                ("asks", "asks"),
                ("", ""),
                "the stacks of sudo and sudo-i were changed while this command ran, ",
            ),
            // The plan falls between two files of another command.
            (("", "asks"), ("", ""), "the stack of sudo-i was changed while this command ran, "),
            // Another command does the same.
            (("", ""), ("asks", "asks"), "the stacks of sudo and sudo-i were "),
            (("", "asks"), ("edited", "asks"), "the stack of sudo was "),
        ] {
            let shown = write(before.0, before.1);
            assert!(check_current(&shown, &plan(folder.path())).is_ok(), "{before:?}");
            let now = write(then.0, then.1);
            let refused = check_current(&shown, &now).unwrap_err().to_string();
            let expected = format!("not changed: {named}");
            assert!(refused.starts_with(&expected), "{before:?} {then:?}: {refused}");
            assert!(refused.ends_with(", and run this again"), "{refused}");
        }
    }
}
