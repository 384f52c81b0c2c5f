//! Representatives of all connections: on each side of every pattern of the `Match` blocks.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::connection::{Connection, USUAL_ADDRESS, USUAL_HOST, USUAL_LOCAL_ADDRESS};
use super::criteria::Criteria;

/// Where sshd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    /// At least one.
    pub(crate) ports: Vec<String>,
    /// None if it listens on all.
    pub(crate) addresses: Vec<String>,
}

/// A connection without its user.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) connection: Connection,
    /// The blocks that it matches, apart from the user.
    pub(crate) blocks: BTreeSet<usize>,
}

/// Places that differ in the blocks that they match.
#[derive(Debug)]
pub(crate) struct Places {
    /// The most usual ones first.
    pub(crate) all: Vec<Place>,
    /// The first one that is left out, because there are too many.
    pub(crate) left_out: Option<Connection>,
}

impl Places {
    /// Returns a place for each set of blocks that some connection matches. The criteria of a
    /// block are `None` if they are not known.
    pub(crate) fn new(blocks: &[Option<&Criteria<'_>>], listening: &Listening) -> Self {
        let values = Values::new(blocks, listening);
        let known = blocks.iter().enumerate().filter(|(_, criteria)| criteria.is_some());
        let usual = Place {
            connection: Connection::usual("", values.ports.first().map_or("22", String::as_str)),
            blocks: known.map(|(index, _)| index).collect(),
        };
        let mut places = Self { all: vec![usual], left_out: None };
        places.split(
            blocks,
            &values.hosts,
            |criteria, value| criteria.fit_host(value),
            |place, host| {
                place.host.clone_from(host);
            },
        );
        places.split(
            blocks,
            &values.addresses,
            |criteria, value| criteria.fit_address(value),
            |place, address| {
                place.address.clone_from(address);
            },
        );
        places.split(
            blocks,
            &values.local,
            |criteria, value| criteria.fit_local_address(value),
            |place, address| {
                place.local_address.clone_from(address);
            },
        );
        places.split(
            blocks,
            &values.ports,
            |criteria, value| criteria.fit_port(value),
            |place, port| {
                place.port.clone_from(port);
            },
        );
        places.split(
            blocks,
            &values.domains,
            |criteria, value| criteria.fit_domain(value.as_deref()),
            |place, domain| {
                place.domain.clone_from(domain);
            },
        );
        places
    }

    /// Tells the places apart by one more property.
    fn split<T>(
        &mut self,
        blocks: &[Option<&Criteria<'_>>],
        values: &[T],
        fit: impl Fn(&Criteria<'_>, &T) -> bool,
        set: impl Fn(&mut Connection, &T),
    ) {
        let mut sides: Vec<(&T, BTreeSet<usize>)> = Vec::new();
        for value in values {
            let fits = |criteria: &Option<&Criteria<'_>>| {
                criteria.is_some_and(|criteria| fit(criteria, value))
            };
            let fitting = blocks.iter().enumerate().filter(|(_, criteria)| fits(criteria));
            let fitting = fitting.map(|(index, _)| index).collect();
            if !sides.iter().any(|(_, other)| *other == fitting) {
                sides.push((value, fitting));
            }
        }
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for place in &self.all {
            for (value, fitting) in &sides {
                let blocks = &place.blocks & fitting;
                if seen.contains(&blocks) {
                    continue;
                }
                let mut connection = place.connection.clone();
                set(&mut connection, value);
                if all.len() == MAX_PLACES {
                    self.left_out.get_or_insert(connection);
                    break;
                }
                seen.insert(blocks.clone());
                all.push(Place { connection, blocks });
            }
        }
        self.all = all;
    }
}

/// Returns why no place matches a block: which keyword is the reason.
pub(crate) fn fault(criteria: &Criteria<'_>, listening: &Listening) -> Option<String> {
    let values = Values::new(&[Some(criteria)], listening);
    let fault = |keyword: &str, lists: &[&str], fits: bool| {
        (!fits).then(|| format!("{keyword} {} matches nothing", lists.join(" ")))
    };
    let has_host = values.hosts.iter().any(|host| criteria.fit_host(host));
    let has_address = values.addresses.iter().any(|address| criteria.fit_address(address));
    let has_local = values.local.iter().any(|address| criteria.fit_local_address(address));
    let has_port = values.ports.iter().any(|port| criteria.fit_port(port));
    let has_domain = values.domains.iter().any(|domain| criteria.fit_domain(domain.as_deref()));
    fault("host", &criteria.hosts, has_host)
        .or_else(|| fault("address", &criteria.addresses, has_address))
        .or_else(|| fault("localaddress", &criteria.local_addresses, has_local))
        .or_else(|| fault("localport", &criteria.ports, has_port))
        .or_else(|| fault("rdomain", &criteria.domains, has_domain))
}

/// Values of each property, the usual one first.
struct Values {
    hosts: Vec<String>,
    addresses: Vec<String>,
    local: Vec<String>,
    ports: Vec<String>,
    domains: Vec<Option<String>>,
}

impl Values {
    fn new(blocks: &[Option<&Criteria<'_>>], listening: &Listening) -> Self {
        let known = || blocks.iter().copied().flatten();
        let hosts = known().flat_map(|criteria| &criteria.hosts);
        let hosts: Vec<_> = hosts.map(|list| list.to_ascii_lowercase()).collect();
        let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
        let addresses: Vec<_> = known().flat_map(|criteria| &criteria.addresses).copied().collect();
        let own = listening.addresses.iter().map(String::as_str);
        let local = known().flat_map(|criteria| &criteria.local_addresses).copied();
        let local: Vec<_> = local.chain(own).collect();
        let ports = known().flat_map(|criteria| &criteria.ports).map(|port| (*port).to_owned());
        let domains: Vec<_> = known().flat_map(|criteria| &criteria.domains).copied().collect();
        let names = names(&domains).into_iter().chain((!domains.is_empty()).then(|| "vrf0".into()));
        Self {
            hosts: [USUAL_HOST.to_owned()].into_iter().chain(self::names(&hosts)).collect(),
            addresses: addresses_of(&addresses, USUAL_ADDRESS),
            local: addresses_of(&local, USUAL_LOCAL_ADDRESS),
            ports: listening.ports.iter().cloned().chain(ports).collect(),
            domains: [None].into_iter().chain(names.map(Some)).collect(),
        }
    }
}

/// Returns the patterns of a list that are not negated.
pub(crate) fn wanted_patterns(patterns: &str) -> impl Iterator<Item = &str> {
    patterns.split(',').filter(|pattern| !pattern.starts_with('!'))
}

/// Returns all patterns of these lists, those that are negated too.
fn all_patterns<'a>(lists: &[&'a str]) -> Vec<&'a str> {
    let patterns = lists.iter().flat_map(|list| list.split(','));
    patterns.map(|pattern| pattern.trim_start_matches('!')).collect()
}

/// Returns names inside each pattern of these lists, and inside each two that go together.
pub(crate) fn names(lists: &[&str]) -> Vec<String> {
    let patterns = all_patterns(lists);
    let fill = |pattern: &str, star: &str| pattern.replace('*', star).replace('?', "x");
    let mut found: Vec<_> = patterns
        .iter()
        .flat_map(|pattern| ["x", "", "y"].map(|star| fill(pattern, star)))
        .collect();
    let paired = patterns.get(..MAX_PAIRED).unwrap_or(&patterns);
    for pattern in paired.iter().filter(|pattern| pattern.contains('*')) {
        found.extend(paired.iter().map(|other| fill(pattern, &fill(other, "x"))));
    }
    found.retain(|name| !name.is_empty());
    found
}

/// Returns addresses inside and outside each pattern of these lists, the usual one first.
fn addresses_of(lists: &[&str], usual: &str) -> Vec<String> {
    let mut found = vec![usual.to_owned()];
    if lists.is_empty() {
        return found;
    }
    let patterns = all_patterns(lists);
    found.extend(patterns.iter().flat_map(|pattern| {
        let base = pattern.split('/').next().unwrap_or_default();
        ["1", ":1", "254"].map(|star| base.replace(['*', '?'], star))
    }));
    // Between two ends of networks nothing changes: the first address of each part is enough.
    let networks: Vec<_> = patterns.iter().filter_map(|pattern| network(pattern)).collect();
    found.extend(networks.iter().map(|(first, _)| first.to_string()));
    found.extend(networks.iter().filter_map(|(_, after)| after.map(|after| after.to_string())));
    let others = ["203.0.113.1", "10.255.255.254", "2001:db8::1", "0.0.0.0", "::"];
    found.extend(others.map(str::to_owned));
    found.retain(|address| address.parse::<IpAddr>().is_ok());
    found
}

/// Returns the first address of a network, and the first one after it. `10.*` is a network too.
fn network(pattern: &str) -> Option<(IpAddr, Option<IpAddr>)> {
    let bytes: Vec<_> =
        pattern.strip_suffix(".*").into_iter().flat_map(|base| base.split('.')).collect();
    let (base, length) = match (bytes.len(), pattern.split_once('/')) {
        (1..=3, _) => {
            let zeros = vec!["0"; 4 - bytes.len()];
            let base = [bytes.as_slice(), zeros.as_slice()].concat().join(".");
            (base, Some(8 * u32::try_from(bytes.len()).ok()?))
        }
        (_, Some((base, length))) => (base.to_owned(), Some(length.parse().ok()?)),
        (_, None) => (pattern.to_owned(), None),
    };
    Some(match base.parse().ok()? {
        IpAddr::V4(base) => {
            let host = u32::MAX.checked_shr(length.unwrap_or(32)).unwrap_or_default();
            let first = base.to_bits() & !host;
            let after =
                (first | host).checked_add(1).map(|after| Ipv4Addr::from_bits(after).into());
            (Ipv4Addr::from_bits(first).into(), after)
        }
        IpAddr::V6(base) => {
            let host = u128::MAX.checked_shr(length.unwrap_or(128)).unwrap_or_default();
            let first = base.to_bits() & !host;
            let after =
                (first | host).checked_add(1).map(|after| Ipv6Addr::from_bits(after).into());
            (Ipv6Addr::from_bits(first).into(), after)
        }
    })
}

/// How many places are told apart at most.
const MAX_PLACES: usize = 1000;
/// How many patterns are combined with each other at most.
const MAX_PAIRED: usize = 24;
