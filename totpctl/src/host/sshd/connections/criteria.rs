//! The criteria of a `Match` block.

use crate::host::sshd::pattern::{address_matches, groups_match, name_matches};

/// The criteria of a block. Each value is a list of patterns; all lists have to match.
#[derive(Debug, Default)]
pub(crate) struct Criteria<'a> {
    pub(crate) users: Vec<&'a str>,
    pub(crate) groups: Vec<&'a str>,
    pub(crate) hosts: Vec<&'a str>,
    pub(crate) addresses: Vec<&'a str>,
    pub(crate) local_addresses: Vec<&'a str>,
    pub(crate) ports: Vec<&'a str>,
    pub(crate) domains: Vec<&'a str>,
    /// `invalid-user`: it is for names that do not exist, so nobody logs in by it.
    pub(crate) is_for_nobody: bool,
}

impl<'a> Criteria<'a> {
    /// Reads the words after `Match`.
    ///
    /// # Errors
    /// A list is missing, or a keyword is not known here.
    pub(crate) fn parse(words: &'a [String]) -> Result<Self, String> {
        let mut criteria = Self::default();
        let mut words = words.iter();
        while let Some(keyword) = words.next() {
            let keyword = keyword.to_ascii_lowercase();
            match keyword.as_str() {
                "all" => continue,
                "invalid-user" => {
                    criteria.is_for_nobody = true;
                    continue;
                }
                _ => {}
            }
            let patterns = words.next().ok_or("the line is incomplete")?;
            match keyword.as_str() {
                "user" => criteria.users.push(patterns),
                "group" => criteria.groups.push(patterns),
                "host" => criteria.hosts.push(patterns),
                "address" => criteria.addresses.push(patterns),
                "localaddress" => criteria.local_addresses.push(patterns),
                "localport" => criteria.ports.push(patterns),
                "rdomain" => criteria.domains.push(patterns),
                // sshd compares its own version.
                "version" => {}
                other => return Err(format!("{other} is not supported")),
            }
        }
        Ok(criteria)
    }

    /// Reports whether all users match.
    pub(crate) fn are_for_everybody(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Reports whether a user with these groups matches.
    pub(crate) fn fit_user(&self, name: &str, groups: &[String]) -> bool {
        !self.is_for_nobody
            && self.fit_name(name)
            && self.groups.iter().all(|patterns| groups_match(groups, patterns))
    }

    /// Reports whether a user of this name matches, apart from the groups.
    pub(crate) fn fit_name(&self, name: &str) -> bool {
        self.users.iter().all(|patterns| name_matches(name, patterns))
    }

    /// Reports whether every connection matches.
    pub(crate) fn are_for_all(&self) -> bool {
        let Self { hosts, addresses, local_addresses, ports, domains, .. } = self;
        let lists = [hosts, addresses, local_addresses, ports, domains];
        self.are_for_everybody() && !self.is_for_nobody && lists.into_iter().all(Vec::is_empty)
    }

    /// Reports whether a host of this name matches. sshd compares it with the patterns in lower
    /// case.
    pub(crate) fn fit_host(&self, host: &str) -> bool {
        self.hosts.iter().all(|patterns| name_matches(host, &patterns.to_ascii_lowercase()))
    }

    /// Reports whether a connection from this address matches.
    pub(crate) fn fit_address(&self, address: &str) -> bool {
        self.addresses.iter().all(|patterns| address_matches(address, patterns))
    }

    /// Reports whether a connection to this address matches.
    pub(crate) fn fit_local_address(&self, address: &str) -> bool {
        self.local_addresses.iter().all(|patterns| address_matches(address, patterns))
    }

    /// Reports whether a connection to this port matches.
    pub(crate) fn fit_port(&self, port: &str) -> bool {
        let number = |text: &str| text.parse::<u16>().ok();
        self.ports.iter().all(|wanted| {
            *wanted == port || number(wanted).is_some_and(|wanted| number(port) == Some(wanted))
        })
    }

    /// Reports whether a connection of this routing domain matches.
    pub(crate) fn fit_domain(&self, domain: Option<&str>) -> bool {
        let fits = |patterns: &&str| domain.is_some_and(|domain| name_matches(domain, patterns));
        self.domains.iter().all(fits)
    }

    /// Returns why no user matches.
    pub(crate) fn nobody(&self) -> String {
        match self.groups.as_slice() {
            [] => "it matches no user".into(),
            groups => format!("no member of group {} is known", groups.join(" and ")),
        }
    }
}
