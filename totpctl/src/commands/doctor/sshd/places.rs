//! Connections that match the criteria of a `Match` block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::connection::{Connection, USUAL_ADDRESS, USUAL_HOST, USUAL_LOCAL_ADDRESS};
use super::criteria::Criteria;
use super::pattern::{address_matches, name_matches};

/// Returns connections that match the criteria, apart from the user: the most usual one first, then
/// others that may match other blocks.
///
/// # Errors
/// No connection matches: which keyword is the reason.
pub(super) fn places(criteria: &Criteria<'_>, port: &str) -> Result<Vec<Connection>, String> {
    let mut usual = Connection::usual("", port);
    let none = |keyword, lists: &[&str]| format!("{keyword} {} matches nothing", lists.join(" "));
    let hosts = names(&criteria.hosts, USUAL_HOST);
    let addresses = addresses_of(&criteria.addresses, USUAL_ADDRESS);
    let local = addresses_of(&criteria.local_addresses, USUAL_LOCAL_ADDRESS);
    usual.host = hosts.first().ok_or_else(|| none("host", &criteria.hosts))?.clone();
    usual.address = addresses.first().ok_or_else(|| none("address", &criteria.addresses))?.clone();
    usual.local_address =
        local.first().ok_or_else(|| none("localaddress", &criteria.local_addresses))?.clone();
    if let Some(port) = criteria.ports.first() {
        usual.port = (*port).to_owned();
    }
    if !criteria.domains.is_empty() {
        let domain = names(&criteria.domains, "vrf0").into_iter().next();
        usual.domain = Some(domain.ok_or_else(|| none("rdomain", &criteria.domains))?);
    }
    let other = |change: &dyn Fn(&mut Connection)| {
        let mut other = usual.clone();
        change(&mut other);
        other
    };
    let mut places = vec![usual.clone()];
    places.extend(hosts.iter().skip(1).map(|host| other(&|place| place.host.clone_from(host))));
    places.extend(
        addresses.iter().skip(1).map(|address| other(&|place| place.address.clone_from(address))),
    );
    places.extend(
        local.iter().skip(1).map(|address| other(&|place| place.local_address.clone_from(address))),
    );
    Ok(places)
}

/// Returns the patterns of a list that are not negated.
pub(super) fn wanted(patterns: &str) -> impl Iterator<Item = &str> {
    patterns.split(',').filter(|pattern| !pattern.starts_with('!'))
}

/// Returns names that a list may match.
pub(super) fn candidates(patterns: &str) -> impl Iterator<Item = String> {
    wanted(patterns).flat_map(|pattern| {
        ["x", "", "y"].into_iter().map(|star| pattern.replace('*', star).replace('?', "x"))
    })
}

/// Returns names that all lists match: the usual one if possible. Without lists, only that one.
fn names(lists: &[&str], usual: &str) -> Vec<String> {
    let listed = lists.iter().flat_map(|patterns| candidates(patterns));
    let names = std::iter::once(usual.to_owned()).chain(listed);
    names.filter(|name| lists.iter().all(|patterns| name_matches(name, patterns))).collect()
}

/// Returns addresses that all lists match: the usual one if possible. Without lists, only that one.
fn addresses_of(lists: &[&str], usual: &str) -> Vec<String> {
    let listed = lists.iter().flat_map(|patterns| wanted(patterns)).flat_map(|pattern| {
        let (base, length) = pattern.split_once('/').unwrap_or((pattern, ""));
        let filled = ["1", ":1", "254"].into_iter().map(|star| base.replace(['*', '?'], star));
        filled.chain(inside(base, length))
    });
    let others = ["203.0.113.1", "10.255.255.254", "2001:db8::1"].map(str::to_owned);
    let others = others.into_iter().filter(|_| !lists.is_empty());
    let all = std::iter::once(usual.to_owned()).chain(listed).chain(others);
    let fits = |address: &String| {
        address.parse::<IpAddr>().is_ok()
            && lists.iter().all(|patterns| address_matches(address, patterns))
    };
    all.filter(fits).collect()
}

/// Returns addresses inside a network: one in the upper half, one in the upper quarter of the lower
/// half, and so on. At least one of them is outside of a smaller network that is excluded.
fn inside(base: &str, length: &str) -> Vec<String> {
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else {
        return Vec::new();
    };
    match base {
        IpAddr::V4(base) => (length..32)
            .map(|bit| Ipv4Addr::from_bits(base.to_bits() | 1_u32 << (31 - bit)).to_string())
            .collect(),
        IpAddr::V6(base) => (length..128)
            .map(|bit| Ipv6Addr::from_bits(base.to_bits() | 1_u128 << (127 - bit)).to_string())
            .collect(),
    }
}
