//! The groups of a user, by their numbers: two databases may have groups of one name.

use std::ffi::CString;

use nix::unistd::{Gid, Group, User, getgrouplist};
use totpd_core::policy::{Fit, GroupName};
use totpd_core::user_name::UserName;

use crate::host::nss::nscd;
use crate::host::nss::order::INITGROUPS;

/// The memberships of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Memberships {
    /// Those in the groups of the question, in their order. A group that NSS does not know has no
    /// members. A group that NSS cannot look up is unknown.
    pub(crate) fits: Vec<Fit>,
    /// The flag that all of NSS answered.
    pub(crate) is_whole: bool,
}

/// Returns the memberships of `user` in `groups`. Returns `None` if NSS does not say who the user
/// is.
///
/// getgrouplist(3) leaves out a service of NSS that is down, and says nothing. getgrnam(3) says so
/// if that service is the last one of its line. So a group that nobody has is asked for, before and
/// after. "Not a member" is knowledge only if NSS knows both times that there is no such group.
/// What nscd says is no knowledge of a directory.
pub(super) fn look_up(user: &UserName, groups: &[GroupName]) -> Option<Memberships> {
    let name = CString::new(user.as_str()).ok()?;
    let account = User::from_name(user.as_str()).ok()??;
    let answers_before = answers();
    let own = getgrouplist(&name, account.gid).ok()?;
    let find = |group: &GroupName| Group::from_name(group.as_str());
    let fits = groups.iter().map(|group| fit(find(group), &own)).collect();
    Some(settle(fits, answers_before && answers()))
}

/// Reports whether NSS knows that nobody has a group. The name is new each time, so that no cache
/// answers for a directory.
fn answers() -> bool {
    let mut bytes = [0; 8];
    let may_ask =
        getrandom::fill(&mut bytes).is_ok() && !nscd::may_hide_outages(&["group", INITGROUPS]);
    let name = format!("totpd-{:016x}", u64::from_ne_bytes(bytes));
    may_ask && matches!(Group::from_name(&name), Ok(None))
}

/// Returns the membership in a group, for a user with the groups `own`. No error is knowledge:
/// glibc reports `ENOENT` for a service that is down.
fn fit(group: nix::Result<Option<Group>>, own: &[Gid]) -> Fit {
    match group {
        Ok(Some(group)) => own.contains(&group.gid).into(),
        Ok(None) => Fit::No,
        Err(_) => Fit::Unknown,
    }
}

/// Takes back what is no knowledge if a service of NSS did not answer.
fn settle(mut fits: Vec<Fit>, has_answered: bool) -> Memberships {
    for fit in &mut fits {
        if *fit == Fit::No && !has_answered {
            *fit = Fit::Unknown;
        }
    }
    let is_whole = has_answered && !fits.contains(&Fit::Unknown);
    Memberships { fits, is_whole }
}

/// The databases that a question asks.
pub(super) const DATABASES: [&str; 3] = ["passwd", "group", INITGROUPS];

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn root_is_in_its_group_and_in_no_unknown_one() {
        let groups = ["root", "daemon", "no-such-group-here"];
        let groups: Vec<_> = groups.iter().map(|name| GroupName::parse(name).unwrap()).collect();
        let root = UserName::parse("root").unwrap();
        let found = look_up(&root, &groups).unwrap();
        assert_eq!(found.fits, [Fit::Yes, Fit::No, Fit::No]);
        assert!(found.is_whole);
        let nobody = UserName::parse("no-such-user-here").unwrap();
        assert_eq!(look_up(&nobody, &groups), None, "its groups are unknown");
    }

    #[test]
    fn no_error_is_knowledge_of_a_group() {
        let group = |gid| Group {
            name: "staff".into(),
            passwd: c"".into(),
            gid: Gid::from_raw(gid),
            mem: Vec::new(),
        };
        let own = [Gid::from_raw(7), Gid::from_raw(8)];
        assert_eq!(fit(Ok(Some(group(8))), &own), Fit::Yes);
        assert_eq!(fit(Ok(Some(group(9))), &own), Fit::No);
        assert_eq!(fit(Ok(None), &own), Fit::No);
        for error in [Errno::ENOENT, Errno::ESRCH, Errno::EIO, Errno::ERANGE, Errno::ECONNREFUSED] {
            assert_eq!(fit(Err(error), &own), Fit::Unknown, "{error}");
        }
    }

    #[test]
    fn a_service_that_did_not_answer_leaves_only_what_was_found() {
        use Fit::{No, Unknown, Yes};
        for (fits, has_answered, expected, is_whole) in [
            ([Yes, No, No], true, [Yes, No, No], true),
            ([Yes, No, Unknown], true, [Yes, No, Unknown], false),
            ([Yes, No, Unknown], false, [Yes, Unknown, Unknown], false),
            ([Yes, Yes, Yes], false, [Yes, Yes, Yes], false),
        ] {
            let expected = Memberships { fits: expected.into(), is_whole };
            assert_eq!(settle(fits.into(), has_answered), expected, "{fits:?} {has_answered}");
        }
    }
}
