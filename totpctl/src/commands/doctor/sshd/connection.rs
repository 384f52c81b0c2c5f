//! Connections that match the criteria of a `Match` block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::pattern::{address_matches, groups_match, name_matches};
use crate::accounts::Account;

/// A connection, as `sshd -T -C` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) user: String,
    host: String,
    address: String,
    local_address: String,
    port: String,
    domain: Option<String>,
}

impl Connection {
    /// Returns a connection from an address of documentation, which blocks rarely name.
    pub(super) fn usual(user: &str, port: &str) -> Self {
        Self {
            user: user.to_owned(),
            host: USUAL_HOST.to_owned(),
            address: USUAL_ADDRESS.to_owned(),
            local_address: "192.0.2.2".to_owned(),
            port: port.to_owned(),
            domain: None,
        }
    }

    /// Returns the host and the address, if the block asks for them.
    pub(super) fn from(&self) -> Option<(&str, &str)> {
        (self.host != USUAL_HOST || self.address != USUAL_ADDRESS)
            .then_some((&self.host, &self.address))
    }

    /// Returns the argument of `-C`.
    pub(super) fn argument(&self) -> String {
        let Self { user, host, address, local_address, port, domain } = self;
        let domain = domain.as_ref().map(|domain| format!(",rdomain={domain}")).unwrap_or_default();
        format!("user={user},host={host},addr={address},laddr={local_address},lport={port}{domain}")
    }
}

/// The connections of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Connections {
    /// One of a user other than root, and the account of that user if it is local.
    pub(super) user: Option<(Connection, Option<Account>)>,
    /// One of root.
    pub(super) root: Option<Connection>,
}

/// Returns connections that match all criteria, or why there are none. A block for names that do
/// not exist (`invalid-user`) has no connections, because nobody logs in by it. `member` returns a
/// member of a group that no file lists.
pub(super) fn connections(
    words: &[String],
    accounts: &[Account],
    member: &dyn Fn(&str) -> Option<String>,
    port: &str,
) -> Result<Connections, String> {
    let mut connection = Connection::usual(SOMEBODY, port);
    let users = Users::parse(words)?;
    let mut words = words.iter();
    while let Some(keyword) = words.next() {
        let keyword = keyword.to_ascii_lowercase();
        match keyword.as_str() {
            "all" => continue,
            "invalid-user" => return Ok(Connections::default()),
            _ => {}
        }
        let patterns = words.next().ok_or(INCOMPLETE)?;
        let none = || format!("{keyword} {patterns} matches nothing");
        match keyword.as_str() {
            "user" | "group" => {}
            "host" => connection.host = name(patterns, USUAL_HOST).ok_or_else(none)?,
            "address" => connection.address = address(patterns).ok_or_else(none)?,
            "localaddress" => connection.local_address = address(patterns).ok_or_else(none)?,
            "localport" => connection.port.clone_from(patterns),
            "rdomain" => connection.domain = Some(name(patterns, "vrf0").ok_or_else(none)?),
            // sshd compares its own version.
            "version" => {}
            other => return Err(format!("{other} is not supported")),
        }
    }
    let with = |user: &str| Connection { user: user.to_owned(), ..connection.clone() };
    let found = users.somebody(accounts, member);
    let root = accounts.iter().find(|account| account.name == "root");
    let root = root.filter(|root| users.fit(root)).map(|root| with(&root.name));
    if found.is_none() && root.is_none() {
        return Err(users.nobody());
    }
    Ok(Connections { user: found.map(|(name, account)| (with(&name), account)), root })
}

/// The criteria on the user of a block.
#[derive(Debug, Default)]
pub(super) struct Users<'a> {
    users: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Users<'a> {
    /// Reads the criteria of a block.
    pub(super) fn parse(words: &'a [String]) -> Result<Self, String> {
        let mut users = Self::default();
        let mut words = words.iter();
        while let Some(keyword) = words.next() {
            match keyword.to_ascii_lowercase().as_str() {
                "all" | "invalid-user" => {}
                "user" => users.users.push(words.next().ok_or(INCOMPLETE)?),
                "group" => users.groups.push(words.next().ok_or(INCOMPLETE)?),
                _ => drop(words.next().ok_or(INCOMPLETE)?),
            }
        }
        Ok(users)
    }

    /// Reports whether all users match.
    pub(super) fn are_everybody(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Reports whether an account matches.
    pub(super) fn fit(&self, account: &Account) -> bool {
        self.users.iter().all(|patterns| name_matches(&account.name, patterns))
            && self.groups.iter().all(|patterns| groups_match(&account.groups, patterns))
    }

    /// Returns a user other than root who matches.
    fn somebody(
        &self,
        accounts: &[Account],
        member: &dyn Fn(&str) -> Option<String>,
    ) -> Option<(String, Option<Account>)> {
        if self.are_everybody() {
            return Some((SOMEBODY.to_owned(), None));
        }
        let mut fitting: Vec<_> =
            accounts.iter().filter(|account| account.uid != 0 && self.fit(account)).collect();
        fitting.sort_by_key(|account| (account.uid < FIRST_PERSON, account.uid));
        if let Some(account) = fitting.first() {
            return Some((account.name.clone(), Some((*account).clone())));
        }
        let fits = |name: &String| {
            name != "root" && self.users.iter().all(|patterns| name_matches(name, patterns))
        };
        let name = match self.groups.as_slice() {
            [] => self.users.iter().find_map(|patterns| candidates(patterns).find(fits)),
            groups => {
                groups.iter().flat_map(|patterns| wanted(patterns)).filter_map(member).find(fits)
            }
        };
        name.map(|name| (name, None))
    }

    /// Returns why no user matches.
    fn nobody(&self) -> String {
        match self.groups.as_slice() {
            [] => "it matches no user".into(),
            groups => format!("no member of group {} is known", groups.join(" and ")),
        }
    }
}

/// Returns the patterns of a list that are not negated.
fn wanted(patterns: &str) -> impl Iterator<Item = &str> {
    patterns.split(',').filter(|pattern| !pattern.starts_with('!'))
}

/// Returns names that a list may match.
fn candidates(patterns: &str) -> impl Iterator<Item = String> {
    wanted(patterns).flat_map(|pattern| {
        ["x", "", "y"].into_iter().map(|star| pattern.replace('*', star).replace('?', "x"))
    })
}

/// Returns a name that a list matches: the usual one if possible.
fn name(patterns: &str, usual: &str) -> Option<String> {
    let names = std::iter::once(usual.to_owned()).chain(candidates(patterns));
    names.into_iter().find(|name| name_matches(name, patterns))
}

/// Returns an address that a list matches: the usual one if possible.
fn address(patterns: &str) -> Option<String> {
    let listed = wanted(patterns).flat_map(|pattern| {
        let (base, length) = pattern.split_once('/').unwrap_or((pattern, ""));
        let filled = ["1", ":1", "254"].into_iter().map(|star| base.replace(['*', '?'], star));
        filled.chain(inside(base, length))
    });
    let others = ["203.0.113.1", "10.255.255.254", "2001:db8::1"].map(str::to_owned);
    let all = std::iter::once(USUAL_ADDRESS.to_owned()).chain(listed).chain(others);
    all.into_iter()
        .find(|address| address.parse::<IpAddr>().is_ok() && address_matches(address, patterns))
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

const INCOMPLETE: &str = "the line is incomplete";
/// A user that no block names.
const SOMEBODY: &str = "somebody-else";
const USUAL_HOST: &str = "remote.invalid";
const USUAL_ADDRESS: &str = "192.0.2.1";
/// The least uid of a person on most distributions.
const FIRST_PERSON: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::super::blocks;
    use super::*;

    fn accounts() -> Vec<Account> {
        crate::accounts::parse(
            "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
             carol:x:1002:1002::/:/usr/sbin/nologin\nadmin:x:1003:1003::/:/bin/sh\n",
            "root:x:0:\ncarol:x:1002:\nsftp:x:50:daemon,carol\nadmin:x:1003:\nwheel:x:10:root\n",
        )
    }

    fn find(line: &str) -> Result<(Option<String>, bool), String> {
        let member = |group: &str| (group == "far").then(|| "dora".to_owned());
        let words = blocks::words(line);
        let found = connections(&words[1..], &accounts(), &member, "22")?;
        Ok((found.user.map(|(connection, _)| connection.argument()), found.root.is_some()))
    }

    #[test]
    fn a_connection_matches_its_block() {
        let usual = |user: &str| {
            format!("user={user},host=remote.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22")
        };
        let somebody = usual(SOMEBODY);
        for (line, user, root) in [
            ("Match User git", Some(usual("git")), false),
            ("match user !root,adm?*,bob", Some(usual("admin")), false),
            ("match user !admin,adm?*,bob", Some(usual("admxx")), false),
            ("Match User root", None, true),
            ("Match User *", Some(usual("carol")), true),
            ("Match Group sftp", Some(usual("carol")), false),
            ("Match Group *,!carol", Some(usual("admin")), true),
            ("Match Group wheel", None, true),
            ("Match Group far", Some(usual("dora")), false),
            ("Match Group sftp User d*", Some(usual("daemon")), false),
            (
                "Match Address 192.168.0.0/24,10.* Host *.example.org # in here",
                Some(
                    somebody
                        .replace("remote.invalid", "x.example.org")
                        .replace("192.0.2.1", "192.168.0.0"),
                ),
                true,
            ),
            (
                "Match Address 10.0.0.0/8,!10.0.0.0/9",
                Some(somebody.replace("192.0.2.1", "10.128.0.0")),
                true,
            ),
            ("Match Address *,!192.168.0.0/16", Some(somebody.clone()), true),
            (
                "Match Address 2001:db8:7::/48",
                Some(somebody.replace("192.0.2.1", "2001:db8:7::")),
                true,
            ),
            (
                "Match LocalPort=2222 LocalAddress \"10.0.0.*\"",
                Some(somebody.replace("192.0.2.2", "10.0.0.1").replace("=22", "=2222")),
                true,
            ),
            ("Match all", Some(somebody.clone()), true),
            ("Match RDomain vrf1,vrf2", Some(format!("{somebody},rdomain=vrf1")), true),
            ("Match version OpenSSH_1*", Some(somebody.clone()), true),
            ("Match invalid-user", None, false),
        ] {
            assert_eq!(find(line), Ok((user, root)), "{line}");
        }
        for (line, expected) in [
            ("Match Group none", "no member of group none is known"),
            ("Match Group admin User carol", "no member of group admin is known"),
            ("Match Phase moon", "phase is not supported"),
            ("Match User !root", "it matches no user"),
            ("Match Address !10.0.0.0/8", "address !10.0.0.0/8 matches nothing"),
            ("Match User", "the line is incomplete"),
        ] {
            assert_eq!(find(line), Err(expected.to_owned()), "{line}");
        }
    }
}
