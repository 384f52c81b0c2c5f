//! The users that sshd refuses before it looks at an answer: `AllowUsers` and its like.

use crate::host::accounts::Account;
use crate::host::sshd::pattern::{address_matches, matches, name_matches};

/// The four lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) allow_users: Vec<String>,
    pub(crate) deny_users: Vec<String>,
    pub(crate) allow_groups: Vec<String>,
    pub(crate) deny_groups: Vec<String>,
}

impl Access {
    /// Returns the keywords that are set.
    pub(crate) fn keywords(&self) -> Vec<&'static str> {
        let lists = [
            ("AllowUsers", &self.allow_users),
            ("DenyUsers", &self.deny_users),
            ("AllowGroups", &self.allow_groups),
            ("DenyGroups", &self.deny_groups),
        ];
        lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, _)| name).collect()
    }

    /// Returns the patterns of the places from which users are allowed or denied.
    pub(crate) fn places(&self) -> impl Iterator<Item = &str> {
        let lists = self.allow_users.iter().chain(&self.deny_users);
        lists.filter_map(|pattern| Some(pattern.rsplit_once('@')?.1))
    }

    /// Returns the keyword that refuses a user, if one does. `from` is the host and the address.
    /// Without it, a keyword counts only if it refuses the user from everywhere.
    pub(crate) fn refuses(
        &self,
        account: &Account,
        from: Option<(&str, &str)>,
    ) -> Option<&'static str> {
        let is_user = |pattern: &str, if_unknown: bool| match pattern.rsplit_once('@') {
            None => matches(&account.name, pattern),
            Some((user, place)) => {
                let is_from = from.map_or(if_unknown, |(host, address)| {
                    name_matches(host, &place.to_ascii_lowercase())
                        || address_matches(address, place)
                });
                matches(&account.name, user) && is_from
            }
        };
        let is_allowed = self.allow_users.iter().any(|pattern| is_user(pattern, true));
        let is_denied = self.deny_users.iter().any(|pattern| is_user(pattern, false));
        let in_group =
            |pattern: &String| account.groups.iter().any(|group| matches(group, pattern));
        if is_denied {
            Some("DenyUsers")
        } else if !self.allow_users.is_empty() && !is_allowed {
            Some("AllowUsers")
        } else if self.deny_groups.iter().any(in_group) {
            Some("DenyGroups")
        } else if !self.allow_groups.is_empty() && !self.allow_groups.iter().any(in_group) {
            Some("AllowGroups")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_refused_as_by_sshd() {
        let alice = Account {
            name: "alice".into(),
            uid: 1000,
            home: "/home/alice".into(),
            shell: "/bin/sh".into(),
            groups: vec!["users".into(), "wheel".into()],
        };
        let list = |words: &str| words.split_whitespace().map(Into::into).collect::<Vec<String>>();
        for (allow_users, deny_users, allow_groups, deny_groups, expected) in [
            ("", "", "", "", None),
            ("bob a*", "", "", "", None),
            ("bob", "", "", "", Some("AllowUsers")),
            ("alice", "al*", "", "", Some("DenyUsers")),
            ("alice@10.0.0.0/8", "", "", "", None),
            ("alice@10.9.0.0/16", "", "", "", Some("AllowUsers")),
            ("alice@*.example.org", "", "", "", None),
            ("", "", "wheel", "", None),
            ("", "", "admin", "", Some("AllowGroups")),
            ("alice", "", "wheel", "users", Some("DenyGroups")),
        ] {
            let access = Access {
                allow_users: list(allow_users),
                deny_users: list(deny_users),
                allow_groups: list(allow_groups),
                deny_groups: list(deny_groups),
            };
            let refused = access.refuses(&alice, Some(("x.example.org", "10.1.1.1")));
            assert_eq!(refused, expected, "{access:?}");
            // From elsewhere alice may be let in.
            let anywhere = if allow_users.contains('@') { None } else { expected };
            assert_eq!(access.refuses(&alice, None), anywhere, "{access:?}");
        }
    }
}
