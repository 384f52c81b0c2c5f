//! Classes of connections: sshd answers the same for all that match the same `Match` blocks.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::connection::{Connection, SOMEBODY};
use super::criteria::Criteria;
use super::places::{Listening, Place, Places, fault};
use super::user_class::{matching_blocks, user_classes};
use crate::host::accounts::Account;
use crate::host::sshd::config::access::Access;

/// The connections that match the same blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// One of them.
    pub(crate) connection: Connection,
    /// Whether the groups of its user are known. Only sshd knows those of a user of a directory.
    pub(crate) is_known: bool,
    /// The local users who may connect so.
    pub(crate) accounts: Vec<Account>,
    /// Whether users that no file lists may connect so.
    pub(crate) has_others: bool,
    pub(crate) is_root: bool,
    /// The indices of the blocks.
    pub(crate) blocks: Vec<usize>,
}

/// The classes of a configuration.
#[derive(Debug)]
pub(crate) struct Classes<'a> {
    /// Those that match a block, each once, those of the fewest blocks first.
    pub(crate) all: Vec<Class>,
    /// The class of root with the fewest blocks.
    pub(crate) root: Class,
    /// For each block, the reason why no connection that matches it is known.
    pub(crate) faults: Vec<Option<String>>,
    /// A connection for which no class stands, because there are too many.
    pub(crate) left_out: Option<Connection>,
    criteria: Vec<Result<Criteria<'a>, String>>,
    listening: Listening,
}

impl<'a> Classes<'a> {
    /// Returns the classes for these blocks, each given by its words. `members` returns the members
    /// of a group of a directory.
    pub(crate) fn new(
        blocks: &'a [Vec<String>],
        accounts: &[Account],
        members: &dyn Fn(&str) -> Vec<String>,
        listening: Listening,
    ) -> Self {
        let criteria: Vec<_> = blocks.iter().map(|words| Criteria::parse(words)).collect();
        let known: Vec<_> = criteria.iter().map(|criteria| criteria.as_ref().ok()).collect();
        let users = user_classes(&known, accounts, members);
        let places = Places::new(&known, &listening);
        // The users of a class, as indices, and the first connection that is of it.
        let mut found: BTreeMap<_, (&Place, BTreeSet<usize>)> = BTreeMap::new();
        for place in &places.all {
            for (index, user) in users.iter().enumerate() {
                let blocks: Vec<_> = (&place.blocks & &user.blocks).into_iter().collect();
                let key = (blocks.len(), blocks, user.is_root);
                found.entry(key).or_insert((place, BTreeSet::new())).1.insert(index);
            }
        }
        let class = |((_, blocks, is_root), (place, of_class)): (_, (&Place, BTreeSet<usize>))| {
            let mut users = of_class.iter().filter_map(|index| users.get(*index)).peekable();
            let first = users.peek();
            let name = first.map(|user| user.name.clone()).unwrap_or_default();
            let is_local = first
                .is_some_and(|user| user.accounts.iter().any(|account| account.name == user.name));
            Class {
                is_known: is_local || is_root || name == SOMEBODY,
                connection: Connection { user: name, ..place.connection.clone() },
                has_others: users.clone().any(|user| user.has_others),
                accounts: users
                    .flat_map(|user| &user.accounts)
                    .map(|user| (*user).clone())
                    .collect(),
                is_root,
                blocks,
            }
        };
        let mut all: Vec<Class> = found.into_iter().map(class).collect();
        let root = all.iter().find(|class| class.is_root).cloned();
        all.retain(|class| !class.blocks.is_empty());
        let has_class = |index: &usize| all.iter().any(|class| class.blocks.contains(index));
        let reason = |(index, criteria): (usize, &Result<Criteria<'_>, String>)| match criteria {
            Err(reason) => Some(reason.clone()),
            Ok(criteria) if criteria.is_for_nobody || has_class(&index) => None,
            Ok(criteria) if !users.iter().any(|user| user.blocks.contains(&index)) => {
                Some(criteria.nobody())
            }
            Ok(criteria) => Some(
                fault(criteria, &listening)
                    .unwrap_or_else(|| "no connection that matches it is known".into()),
            ),
        };
        let faults = criteria.iter().enumerate().map(reason).collect();
        let usual = Connection::usual("", listening.ports.first().map_or("22", String::as_str));
        let root = root.unwrap_or_else(|| Class {
            connection: Connection { user: "root".into(), ..usual },
            is_known: true,
            accounts: Vec::new(),
            has_others: true,
            is_root: true,
            blocks: Vec::new(),
        });
        Self { all, root, faults, left_out: places.left_out, criteria, listening }
    }

    /// Returns the class, and its index, that shows best what a block does: the fewest blocks come
    /// before it, then the fewest in all. The first block that sets a keyword wins.
    pub(crate) fn purest_class(&self, block: usize, is_root: bool) -> Option<(usize, &Class)> {
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

    /// Returns the blocks that every connection matches.
    pub(crate) fn always(&self) -> BTreeSet<usize> {
        let is_always = |criteria: &Result<Criteria<'_>, String>| {
            criteria.as_ref().is_ok_and(Criteria::are_for_all)
        };
        let all = self.criteria.iter().enumerate().filter(|(_, criteria)| is_always(criteria));
        all.map(|(index, _)| index).collect()
    }

    /// Returns the keyword that refuses all users of a class before any answer counts, wherever
    /// they connect from.
    pub(crate) fn refused_by(&self, class: &Class, access: &Access) -> Option<&'static str> {
        if class.has_others {
            return None;
        }
        let places = self.places(access);
        let mut refusals = class.accounts.iter().map(|account| {
            let blocks = matching_blocks(&self.known_criteria(), &account.name, &account.groups);
            let is_of_class =
                |place: &&Place| (&place.blocks & &blocks).iter().eq(class.blocks.iter());
            let mut refusals = places.iter().flatten().filter(is_of_class).map(|place| {
                let Connection { host, address, .. } = &place.connection;
                access.refuses(account, Some((host, address)))
            });
            let first = refusals.next().unwrap_or_else(|| access.refuses(account, None));
            first.filter(|_| refusals.all(|by| by.is_some()))
        });
        let first = refusals.next().flatten();
        first.filter(|_| refusals.all(|by| by.is_some()))
    }

    /// Returns the places that `AllowUsers` and `DenyUsers` tell apart, if they name any.
    fn places(&self, access: &Access) -> Option<Vec<Place>> {
        let patterns: Vec<_> = access.places().collect();
        if patterns.is_empty() {
            return None;
        }
        // sshd compares such a pattern with the host and with the address. A host without a name
        // has its address as the name.
        let names = patterns.iter().filter(|pattern| pattern.parse::<IpAddr>().is_err());
        let hosts = names.map(|pattern| Criteria { hosts: vec![pattern], ..Criteria::default() });
        let addresses = patterns
            .iter()
            .map(|pattern| Criteria { addresses: vec![pattern], ..Criteria::default() });
        let more: Vec<_> = hosts.chain(addresses).collect();
        let all: Vec<_> = self.known_criteria().into_iter().chain(more.iter().map(Some)).collect();
        let places = Places::new(&all, &self.listening);
        places.left_out.is_none().then_some(places.all)
    }

    fn known_criteria(&self) -> Vec<Option<&Criteria<'a>>> {
        self.criteria.iter().map(|criteria| criteria.as_ref().ok()).collect()
    }
}
