//! Which callers a list of users names.

use super::words::is_doubtful;
use crate::host::accounts::Account;

/// The accounts of this host, for the groups in lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Callers {
    /// The accounts that are known.
    pub(crate) accounts: Vec<Account>,
    /// True if they have no groups besides those that are known.
    pub(crate) has_all_groups: bool,
}

/// How many of the callers of a name are in a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    /// All of them may be.
    Unknown,
    /// These of them, if they are among them at all.
    These(Vec<String>),
}

impl Callers {
    /// Returns how many callers of `name` are in a list, of which the last name that fits decides.
    pub(super) fn share(&self, name: &str, list: &[String]) -> Share {
        let (mut found, mut parts) = (Some(false), Vec::new());
        for entry in list {
            let (entry, is_negated) = match entry.strip_prefix('!') {
                Some(entry) => (entry, true),
                None => (entry.as_str(), false),
            };
            match self.fits(name, entry) {
                Some(true) => {
                    found = Some(!is_negated);
                    parts.clear();
                }
                Some(false) => {}
                None if is_group(name) && !is_negated && found == Some(false) => {
                    parts.push(entry.to_owned());
                }
                None if found != Some(!is_negated) || !parts.is_empty() => found = None,
                None => {}
            }
        }
        match found {
            Some(true) => Share::All,
            Some(false) => Share::These(parts),
            None => Share::Unknown,
        }
    }

    /// Returns whether all callers of `name` are callers of `entry`; nothing if some may be.
    fn fits(&self, name: &str, entry: &str) -> Option<bool> {
        match (is_group(name), is_group(entry)) {
            _ if entry == "ALL" => Some(true),
            _ if is_doubtful(name) || is_doubtful(entry) => None,
            _ if entry == name => Some(true),
            // Versions and settings of sudo decide whether the case of letters counts.
            _ if entry.eq_ignore_ascii_case(name) => None,
            // Root is never asked.
            _ if ["root", "#0"].contains(&entry) => Some(false),
            (true, true) => None,
            (true, false) if name == "ALL" => None,
            (true, false) => self.is_member(entry, name).filter(|is_member| !is_member),
            (false, true) => self.is_member(name, entry),
            (false, false) if !name.starts_with('#') && !entry.starts_with('#') => Some(false),
            (false, false) => {
                let name = self.account(name).map(|account| account.uid);
                name.zip(self.account(entry)).map(|(uid, entry)| uid == entry.uid)
            }
        }
    }

    /// Reports whether a user is in a group, if that is known.
    fn is_member(&self, user: &str, group: &str) -> Option<bool> {
        let group = group.strip_prefix('%').filter(|group| !group.starts_with(['#', ':']))?;
        let groups = &self.account(user)?.groups;
        let is_listed = groups.iter().any(|name| name == group);
        let may_be_listed = groups.iter().any(|name| name.eq_ignore_ascii_case(group));
        (is_listed || (self.has_all_groups && !may_be_listed)).then_some(is_listed)
    }

    fn account(&self, user: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| match user.strip_prefix('#') {
            Some(uid) => uid.parse() == Ok(account.uid),
            None => account.name == user,
        })
    }
}

/// Reports whether a name is that of many callers: `ALL`, a group or a netgroup.
fn is_group(name: &str) -> bool {
    name == "ALL" || name.starts_with(['%', '+'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::accounts::parse;

    #[test]
    fn groups_have_their_members() {
        let passwd = "bob:x:1001:1001::/home/bob:/bin/sh\neve:x:1002:1002::/home/eve:/bin/sh\n";
        let accounts = parse(passwd, "bob:x:1001:\nsudo:x:27:bob\n");
        let callers = Callers { accounts, has_all_groups: true };
        let these = |names: &[&str]| Share::These(names.iter().map(ToString::to_string).collect());
        for (name, list, expected) in [
            ("bob", &["bob"][..], Share::All),
            ("bob", &["%sudo"], Share::All),
            ("bob", &["#1001"], Share::All),
            ("#1001", &["%bob"], Share::All),
            ("bob", &["%sudo", "!bob"], these(&[])),
            ("bob", &["!%sudo", "ALL"], Share::All),
            ("eve", &["%sudo", "#1001", "bob", "root"], these(&[])),
            ("eve", &["+ng"], Share::Unknown),
            ("eve", &["%#27"], Share::Unknown),
            ("eve", &["eve", "!+ng"], Share::Unknown),
            ("zoe", &["%sudo"], Share::Unknown),
            ("%sudo", &["bob", "eve", "root"], these(&["bob"])),
            ("%sudo", &["%adm", "ALL"], Share::All),
            ("%sudo", &["ALL", "!bob"], Share::Unknown),
            ("ALL", &["eve", "%sudo"], these(&["eve", "%sudo"])),
            ("ALL", &["!eve"], these(&[])),
            ("bob", &["ALL", "!BOB"], Share::Unknown),
            ("bob", &["ALL", "!%BOB"], Share::Unknown),
            ("bob", &["ALL", "!\"\\x62ob\""], Share::Unknown),
            ("bob", &["\"ALL\""], Share::Unknown),
            ("b\u{fffd}b", &["b\u{fffd}b"], Share::Unknown),
            ("%sudo", &["ALL", "!%SUDO"], Share::Unknown),
            ("+ng", &["+ng"], Share::All),
        ] {
            let list: Vec<_> = list.iter().map(ToString::to_string).collect();
            assert_eq!(callers.share(name, &list), expected, "{name} {list:?}");
        }
        let unknown = Callers { has_all_groups: false, ..callers };
        assert_eq!(unknown.share("eve", &["%sudo".into()]), Share::Unknown);
        assert_eq!(unknown.share("bob", &["%sudo".into()]), Share::All);
    }
}
