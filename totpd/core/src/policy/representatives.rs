//! Logins that stand for all others: those that two lists of rules could tell apart.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use crate::policy::fit::Fit;
use crate::policy::groups::GroupName;
use crate::policy::place::{Place, PlacePattern};
use crate::policy::rule_list::Policy;

/// A user that stands for others, or a real one.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What people call it.
    pub label: String,
    /// The name that rules see.
    pub name: String,
    /// The groups of the user, as far as they are known.
    pub groups: BTreeMap<GroupName, Fit>,
    /// What holds for all other groups.
    pub otherwise: Fit,
    /// The flag that the user has no factor.
    pub is_unenrolled: bool,
}

/// The names of users that rules have, without `*`.
#[must_use]
pub fn named_users(policies: [&Policy; 2]) -> BTreeSet<String> {
    let users = patterns(policies, |rule| rule.users.as_ref().map(|list| texts(list.iter())));
    users.into_iter().filter(|user| !user.ends_with('*')).collect()
}

/// Returns users of these names as if they were in no group, with and without a factor.
#[must_use]
pub fn place_holders(names: BTreeSet<String>) -> Vec<Subject> {
    let both = |name: String| {
        [false, true].map(|is_unenrolled| Subject {
            label: name.clone(),
            name: name.clone(),
            groups: BTreeMap::new(),
            otherwise: Fit::No,
            is_unenrolled,
        })
    };
    names.into_iter().flat_map(both).collect()
}

/// Returns users that stand for all that no rule names: the members of each group, those of each
/// prefix, and anybody else, with and without a factor.
#[must_use]
pub fn unnamed_users(policies: [&Policy; 2]) -> Vec<Subject> {
    let users = patterns(policies, |rule| rule.users.as_ref().map(|list| texts(list.iter())));
    let mut found = Vec::new();
    let mut add = |label: &str, name: &str, group: Option<&GroupName>| {
        for is_unenrolled in [false, true] {
            let without = if is_unenrolled { " without a factor" } else { "" };
            found.push(Subject {
                label: format!("{label}{without}"),
                name: name.to_owned(),
                groups: group.map(|group| (group.clone(), Fit::Yes)).into_iter().collect(),
                otherwise: Fit::No,
                is_unenrolled,
            });
        }
    };
    for prefix in users.iter().filter(|user| user.len() > 1 && user.ends_with('*')) {
        add(prefix, prefix, None);
    }
    let groups: BTreeSet<_> = policies.iter().flat_map(|policy| policy.groups()).collect();
    for group in groups {
        add(&format!("members of {group}"), ANY, Some(group));
    }
    add("anybody else", ANY, None);
    found
}

/// Returns services with what people call them: those that rules name, and any other.
#[must_use]
pub fn services(policies: [&Policy; 2]) -> Vec<(String, String)> {
    let named = patterns(policies, |rule| rule.services.as_ref().map(|list| texts(list.iter())));
    let mut services: Vec<_> =
        named.into_iter().filter(|name| name != ANY).map(|name| (name.clone(), name)).collect();
    services.push(("any other".to_owned(), ANY.to_owned()));
    services
}

/// Returns places with what people call them: both ends of each network that rules name, elsewhere,
/// this machine, and a host name, which may be anywhere.
#[must_use]
pub fn places(policies: [&Policy; 2]) -> Vec<(String, Place)> {
    let mut networks = Vec::new();
    let all = policies.iter().flat_map(|policy| policy.rules());
    for pattern in all.flat_map(|rule| rule.from.iter().flat_map(|list| list.iter())) {
        if let PlacePattern::Network(network) = pattern
            && !networks.contains(network)
        {
            networks.push(*network);
        }
    }
    let is_named = |address: IpAddr| networks.iter().any(|network| network.contains(address));
    let mut places: Vec<(String, Place)> = Vec::new();
    for network in &networks {
        let ends = network.ends();
        let last = (ends[0] != ends[1]).then_some(ends[1]);
        for end in [Some(ends[0]), last].into_iter().flatten() {
            places.push((format!("{end}"), Place::Address(end)));
        }
    }
    // One address of each block, until one is in no network.
    let elsewhere = (1..=223).map(|block| IpAddr::V4(Ipv4Addr::new(block, 113, 0, 1)));
    let mut elsewhere =
        elsewhere.rev().filter(|address| !is_named(*address) && !address.is_loopback());
    places
        .extend(elsewhere.next().map(|address| ("elsewhere".to_owned(), Place::Address(address))));
    places.push(("local".to_owned(), Place::Local { at_seat: Fit::No }));
    places.push(("a host name".to_owned(), Place::Nowhere));
    places
}

fn patterns(
    policies: [&Policy; 2],
    of: impl Fn(&crate::policy::rule::Rule) -> Option<Vec<String>>,
) -> BTreeSet<String> {
    let rules = policies.into_iter().flat_map(Policy::rules);
    rules.filter_map(of).flatten().collect()
}

fn texts<'a, T: ToString + 'a>(list: impl Iterator<Item = &'a T>) -> Vec<String> {
    list.map(ToString::to_string).collect()
}

/// The name of a user or service that only the pattern `*` fits.
const ANY: &str = "*";
