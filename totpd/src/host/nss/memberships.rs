//! The groups of a user, by their numbers: two databases may have groups of one name.

use std::ffi::CString;

use nix::errno::Errno;
use nix::unistd::{Group, User, getgrouplist};
use totpd_core::policy::{Fit, GroupName};
use totpd_core::user_name::UserName;

/// Returns the memberships of `user` in `groups`, in their order. Returns `None` if NSS does not
/// say who the user is.
pub(super) fn look_up(user: &UserName, groups: &[GroupName]) -> Option<Vec<Fit>> {
    let name = CString::new(user.as_str()).ok()?;
    let account = User::from_name(user.as_str()).ok()??;
    let own = getgrouplist(&name, account.gid).ok()?;
    let fit = |group: &GroupName| match Group::from_name(group.as_str()) {
        Ok(Some(group)) => own.contains(&group.gid).into(),
        // In some releases, getgrnam(3) returns these errors for a name that was not found.
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => Fit::No,
        Err(_) => Fit::Unknown,
    };
    Some(groups.iter().map(fit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_in_its_group_and_in_no_unknown_one() {
        let groups = ["root", "daemon", "no-such-group-here"];
        let groups: Vec<_> = groups.iter().map(|name| GroupName::parse(name).unwrap()).collect();
        let root = UserName::parse("root").unwrap();
        assert_eq!(look_up(&root, &groups), Some(vec![Fit::Yes, Fit::No, Fit::No]));
        let nobody = UserName::parse("no-such-user-here").unwrap();
        assert_eq!(look_up(&nobody, &groups), None, "its groups are unknown");
    }
}
