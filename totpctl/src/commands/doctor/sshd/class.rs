//! Classes of connections: sshd answers the same for all that match the same `Match` blocks.

use std::collections::BTreeMap;

use super::connection::{Connection, SOMEBODY};
use super::criteria::Criteria;
use super::places::{candidates, places, wanted};
use crate::accounts::Account;

/// The connections that match the same blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// One of them.
    pub(super) connection: Connection,
    /// The local users who may connect so.
    pub(super) accounts: Vec<Account>,
    /// Whether users that no file lists may connect so.
    pub(super) has_others: bool,
    pub(super) is_root: bool,
    /// The indices of the blocks, at least one.
    pub(super) blocks: Vec<usize>,
}

/// The classes of a configuration.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Each class once, those of the fewest blocks first.
    pub(super) all: Vec<Class>,
    /// For each block, the reason why no connection that matches it is known.
    pub(super) faults: Vec<Option<String>>,
}

impl Classes {
    /// Returns the classes for these blocks, each given by its words. `members` returns the members
    /// of a group of a directory; `port` is the usual one.
    pub(super) fn new(
        blocks: &[&[String]],
        accounts: &[Account],
        members: &dyn Fn(&str) -> Vec<String>,
        port: &str,
    ) -> Self {
        let parsed: Vec<_> = blocks.iter().map(|words| Criteria::parse(words)).collect();
        let known: Vec<_> = parsed.iter().map(|criteria| criteria.as_ref().ok()).collect();
        let users = user_classes(&known, accounts, members);
        let mut found = BTreeMap::new();
        let mut faults = Vec::new();
        for (index, criteria) in parsed.iter().enumerate() {
            let fitting: Vec<_> = users.iter().filter(|user| user.fits(index)).collect();
            let places = match criteria {
                Err(reason) => Err(reason.clone()),
                Ok(criteria) if criteria.is_for_nobody => Ok(Vec::new()),
                Ok(criteria) if fitting.is_empty() => Err(criteria.nobody()),
                Ok(criteria) => places(criteria, port),
            };
            for place in places.iter().flatten() {
                let fits = |at: &usize| {
                    known.get(*at).copied().flatten().is_some_and(|other| other.fit_place(place))
                };
                for user in &fitting {
                    let matching: Vec<_> = user.blocks.iter().copied().filter(fits).collect();
                    let key = (matching.len(), matching, user.is_root);
                    found.entry(key).or_insert_with_key(|(_, blocks, _)| Class {
                        connection: Connection { user: user.name.clone(), ..place.clone() },
                        accounts: user.accounts.iter().map(|account| (*account).clone()).collect(),
                        has_others: user.has_others,
                        is_root: user.is_root,
                        blocks: blocks.clone(),
                    });
                }
            }
            faults.push(places.err());
        }
        Self { all: found.into_values().collect(), faults }
    }

    /// Returns the class, and its index, that shows best what a block does: the fewest blocks come
    /// before it, then the fewest in all. The first block that sets a keyword wins.
    pub(super) fn purest(&self, block: usize, is_root: bool) -> Option<(usize, &Class)> {
        let of_block = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, class)| class.is_root == is_root && class.blocks.contains(&block));
        let rank = |class: &Class| {
            (class.blocks.iter().filter(|other| **other < block).count(), class.blocks.len())
        };
        of_block.min_by_key(|(_, class)| rank(class))
    }
}

/// Users who match the same blocks, apart from where they connect from.
struct UserClass<'a> {
    /// One of them.
    name: String,
    accounts: Vec<&'a Account>,
    has_others: bool,
    is_root: bool,
    blocks: Vec<usize>,
}

impl UserClass<'_> {
    fn fits(&self, block: usize) -> bool {
        self.blocks.contains(&block)
    }
}

fn user_classes<'a>(
    blocks: &[Option<&Criteria<'_>>],
    accounts: &'a [Account],
    members: &dyn Fn(&str) -> Vec<String>,
) -> Vec<UserClass<'a>> {
    let matching = |name: &str, groups: &[String]| -> Vec<usize> {
        let fits = |criteria: &Option<&Criteria<'_>>| {
            criteria.is_some_and(|criteria| criteria.fit_user(name, groups))
        };
        let all = blocks.iter().enumerate().filter(|(_, criteria)| fits(criteria));
        all.map(|(index, _)| index).collect()
    };
    let mut people: Vec<_> = accounts.iter().filter(|account| account.uid != 0).collect();
    people.sort_by_key(|account| (account.uid < FIRST_PERSON, account.uid));
    let mut found: BTreeMap<Vec<usize>, UserClass<'a>> = BTreeMap::new();
    for account in people {
        let blocks = matching(&account.name, &account.groups);
        let class = found.entry(blocks).or_insert_with_key(|blocks| UserClass {
            name: account.name.clone(),
            accounts: Vec::new(),
            has_others: false,
            is_root: false,
            blocks: blocks.clone(),
        });
        class.accounts.push(account);
    }
    let is_local = |name: &str| accounts.iter().any(|account| account.name == name);
    let mut add = |name: &str, groups: &[String]| {
        let blocks = matching(name, groups);
        let class = found.entry(blocks).or_insert_with_key(|blocks| UserClass {
            name: name.to_owned(),
            accounts: Vec::new(),
            has_others: true,
            is_root: false,
            blocks: blocks.clone(),
        });
        class.has_others = true;
        class.blocks.clone()
    };
    let usual = add(SOMEBODY, &[]);
    for criteria in blocks.iter().flatten().filter(|criteria| criteria.groups.is_empty()) {
        let names = criteria.users.iter().flat_map(|patterns| candidates(patterns));
        let names = names.filter(|name| !name.is_empty() && criteria.fit_name(name));
        names.filter(|name| !is_local(name) && name != "root").for_each(|name| {
            add(&name, &[]);
        });
    }
    // A directory is asked only if each local member matches an earlier block too.
    for (index, criteria) in blocks.iter().enumerate() {
        let Some(criteria) = criteria.filter(|criteria| !criteria.groups.is_empty()) else {
            continue;
        };
        let names_users = |other: &usize| {
            let criteria = blocks.get(*other).copied().flatten();
            criteria.is_some_and(|criteria| !criteria.are_for_everybody())
        };
        let is_first =
            |class: &UserClass<'_>| class.blocks.iter().copied().find(names_users) == Some(index);
        if found.values().any(is_first) {
            continue;
        }
        let groups: Vec<_> = criteria
            .groups
            .iter()
            .flat_map(|patterns| wanted(patterns))
            .map(str::to_owned)
            .collect();
        let names = groups.iter().flat_map(|group| members(group));
        let names = names.filter(|name| !is_local(name) && criteria.fit_name(name));
        let names: Vec<_> = names.take(1).collect();
        for name in names {
            let blocks = matching(&name, &groups);
            found.entry(blocks).or_insert_with_key(|blocks| UserClass {
                name,
                accounts: Vec::new(),
                has_others: true,
                is_root: false,
                blocks: blocks.clone(),
            });
        }
    }
    // No block names this user.
    if blocks.iter().enumerate().all(|(index, criteria)| {
        !usual.contains(&index) || criteria.is_some_and(Criteria::are_for_everybody)
    }) && let Some(class) = found.get_mut(&usual)
    {
        class.name = SOMEBODY.to_owned();
    }
    let root = accounts.iter().find(|account| account.name == "root");
    let root = root.map(|root| UserClass {
        name: root.name.clone(),
        accounts: vec![root],
        has_others: false,
        is_root: true,
        blocks: matching(&root.name, &root.groups),
    });
    found.into_values().chain(root).collect()
}

/// The least uid of a person on most distributions.
const FIRST_PERSON: u32 = 1000;

#[cfg(test)]
mod tests;
