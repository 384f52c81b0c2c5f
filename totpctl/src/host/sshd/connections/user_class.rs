//! Classes of users: those who match the same `Match` blocks, wherever they connect from.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::SOMEBODY;
use super::criteria::Criteria;
use super::places::{names, wanted_patterns};
use crate::host::accounts::Account;

/// Users who match the same blocks, apart from where they connect from.
pub(super) struct UserClass<'a> {
    /// One of them.
    pub(super) name: String,
    pub(super) accounts: Vec<&'a Account>,
    /// Whether it has users that no file lists.
    pub(super) has_others: bool,
    pub(super) is_root: bool,
    pub(super) blocks: BTreeSet<usize>,
}

/// Returns the blocks that a user matches, apart from the place.
pub(super) fn matching_blocks(
    blocks: &[Option<&Criteria<'_>>],
    name: &str,
    groups: &[String],
) -> BTreeSet<usize> {
    let fits = |criteria: &Option<&Criteria<'_>>| {
        criteria.is_some_and(|criteria| criteria.fit_user(name, groups))
    };
    let all = blocks.iter().enumerate().filter(|(_, criteria)| fits(criteria));
    all.map(|(index, _)| index).collect()
}

/// Returns all classes; root is one of its own. `members` returns the members of a group of a
/// directory.
pub(super) fn user_classes<'a>(
    blocks: &[Option<&Criteria<'_>>],
    accounts: &'a [Account],
    members: &dyn Fn(&str) -> Vec<String>,
) -> Vec<UserClass<'a>> {
    let mut found = Found { blocks, classes: BTreeMap::new() };
    let mut people: Vec<_> = accounts.iter().filter(|account| account.uid != 0).collect();
    people.sort_by_key(|account| (account.uid < FIRST_PERSON, account.uid));
    for account in people {
        found.class(&account.name, &account.groups).accounts.push(account);
    }
    let is_local = |name: &str| name == "root" || accounts.iter().any(|other| other.name == name);
    let usual = found.add(SOMEBODY, &[]);
    // Who is inside a negated pattern matches other blocks than the rest.
    let lists: Vec<_> =
        blocks.iter().flatten().flat_map(|criteria| &criteria.users).copied().collect();
    for name in names(&lists).iter().filter(|name| !is_local(name)) {
        found.add(name, &[]);
    }
    for (name, groups) in found.members(accounts, members, &is_local) {
        found.add(&name, &groups);
    }
    // No block names this user. sshd knows that there is none of this name.
    let has_invalid = blocks.iter().flatten().any(|criteria| criteria.is_for_nobody);
    let is_named = usual.iter().any(|index| {
        !blocks.get(*index).copied().flatten().is_some_and(Criteria::are_for_everybody)
    });
    if !has_invalid
        && !is_named
        && let Some(class) = found.classes.get_mut(&usual)
    {
        class.name = SOMEBODY.to_owned();
    }
    let root = accounts.iter().find(|account| account.name == "root");
    let root = UserClass {
        name: "root".to_owned(),
        accounts: root.into_iter().collect(),
        has_others: root.is_none(),
        is_root: true,
        blocks: matching_blocks(
            blocks,
            "root",
            root.map(|root| root.groups.as_slice()).unwrap_or_default(),
        ),
    };
    found.classes.into_values().chain([root]).collect()
}

struct Found<'a, 'b> {
    blocks: &'b [Option<&'b Criteria<'b>>],
    classes: BTreeMap<BTreeSet<usize>, UserClass<'a>>,
}

impl<'a> Found<'a, '_> {
    fn class(&mut self, name: &str, groups: &[String]) -> &mut UserClass<'a> {
        let blocks = matching_blocks(self.blocks, name, groups);
        self.classes.entry(blocks).or_insert_with_key(|blocks| UserClass {
            name: name.to_owned(),
            accounts: Vec::new(),
            has_others: false,
            is_root: false,
            blocks: blocks.clone(),
        })
    }

    /// Adds a user that no file lists, and returns the blocks.
    fn add(&mut self, name: &str, groups: &[String]) -> BTreeSet<usize> {
        let class = self.class(name, groups);
        class.has_others = true;
        class.blocks.clone()
    }

    /// Returns members of groups of a directory, each with these groups. A directory is asked only
    /// about a block that each local member matches after an earlier one, and about a negated
    /// group without local members.
    fn members(
        &self,
        accounts: &[Account],
        members: &dyn Fn(&str) -> Vec<String>,
        is_local: &dyn Fn(&str) -> bool,
    ) -> Vec<(String, Vec<String>)> {
        let names_users = |other: &usize| {
            let criteria = self.blocks.get(*other).copied().flatten();
            criteria.is_some_and(|criteria| !criteria.are_for_everybody())
        };
        let has_local = |group: &str| {
            accounts.iter().any(|account| account.groups.iter().any(|other| other == group))
        };
        let mut found = Vec::new();
        for (index, criteria) in self.blocks.iter().enumerate() {
            let Some(criteria) = criteria.filter(|criteria| !criteria.groups.is_empty()) else {
                continue;
            };
            let is_first = |class: &UserClass<'_>| {
                class.blocks.iter().copied().find(names_users) == Some(index)
            };
            let groups = criteria.groups.iter().flat_map(|patterns| wanted_patterns(patterns));
            let groups: Vec<_> = groups.map(str::to_owned).collect();
            if !self.classes.values().any(is_first) {
                let names = groups.iter().flat_map(|group| members(group));
                let mut names = names.filter(|name| !is_local(name) && criteria.fit_name(name));
                found.extend(names.next().map(|name| (name, groups.clone())));
            }
            let negated = criteria.groups.iter().flat_map(|patterns| patterns.split(','));
            let negated = negated.filter_map(|pattern| pattern.strip_prefix('!'));
            let is_far = |group: &&str| !group.contains(['*', '?']) && !has_local(group);
            for group in negated.filter(is_far) {
                let name = members(group).into_iter().find(|name| !is_local(name));
                found.extend(name.map(|name| (name, vec![group.to_owned()])));
            }
        }
        found
    }
}

/// The least uid of a person on most distributions.
const FIRST_PERSON: u32 = 1000;
