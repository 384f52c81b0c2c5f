//! A small model of sshd's rules for `Match` blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::*;
use crate::host::accounts::{self, Account};
use crate::host::sshd::question::Failure;

/// A file, in the words of sshd_config.
pub(crate) struct Host {
    lines: Lines,
    /// The criteria and the lines of each block.
    blocks: Vec<(Vec<String>, Lines)>,
}

/// Keywords and values.
type Lines = Vec<(String, String)>;

/// A connection, as `-C` names it.
pub(crate) type Parts<'a> = BTreeMap<&'a str, &'a str>;

impl Host {
    pub(crate) fn parse(text: &str) -> Self {
        let mut host = Self { lines: Vec::new(), blocks: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (key, value) = line.split_once(' ').unwrap();
            let setting = (key.to_ascii_lowercase(), value.to_owned());
            match host.blocks.last_mut() {
                _ if key == "Match" => host.blocks.push((words(value), Vec::new())),
                Some((_, lines)) => lines.push(setting),
                None => host.lines.push(setting),
            }
        }
        host
    }

    /// Returns whether each block matches, and the configuration.
    pub(crate) fn answer(&self, parts: &Parts<'_>) -> (Vec<bool>, String) {
        let matched: Vec<_> =
            self.blocks.iter().map(|(criteria, _)| fits(criteria, parts)).collect();
        let of_blocks = self.blocks.iter().zip(&matched).filter(|(_, matches)| **matches);
        let lines = of_blocks.flat_map(|((_, lines), _)| lines).chain(&self.lines);
        let mut seen = BTreeSet::new();
        let is_first = |key: &str| key == "port" || seen.insert(key.to_owned());
        let mut is_first = is_first;
        let lines = lines.filter(|(key, _)| is_first(key));
        let text: String = lines.map(|(key, value)| format!("{key} {value}\n")).collect();
        (matched, with(&text))
    }

    pub(crate) fn survey(&self) -> Survey {
        let ask = |argument: &str| -> Result<Answer, Failure> {
            let (matched, text) = self.answer(&parts(argument));
            let mut trace = Trace::default();
            trace.matched = matched;
            Ok(Answer { config: Effective::parse(&text), trace })
        };
        let block = |(index, (criteria, _)): (usize, &(Vec<String>, _))| Block {
            place: ("/etc/ssh/sshd_config".into(), index + 1),
            words: criteria.clone(),
            outer: Vec::new(),
        };
        let blocks = self.blocks.iter().enumerate().map(block).collect();
        Survey::new(ask("").unwrap(), accounts(), blocks, &ask, &|_| Vec::new())
    }

    pub(crate) fn ports(&self) -> Vec<&str> {
        let ports = self.lines.iter().filter(|(key, _)| key == "port");
        let ports: Vec<_> = ports.map(|(_, port)| port.as_str()).collect();
        if ports.is_empty() { vec!["22"] } else { ports }
    }
}

pub(crate) fn parts(argument: &str) -> Parts<'_> {
    argument.split(',').filter_map(|part| part.split_once('=')).collect()
}

pub(crate) fn accounts() -> Vec<Account> {
    accounts::parse(
        "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\nalice:x:1001:1001::/:/bin/sh\n\
         bob:x:1002:1002::/:/bin/sh\ncarol:x:1003:1003::/:/bin/sh\n",
        "root:x:0:\ndaemon:x:1:\nalice:x:1001:\nbob:x:1002:\ncarol:x:1003:\nstaff:x:50:alice,bob\n",
    )
}

fn fits(criteria: &[String], parts: &Parts<'_>) -> bool {
    if criteria[0] == "all" {
        return true;
    }
    let groups = || {
        let account = accounts().into_iter().find(|account| account.name == parts["user"]);
        account.map(|account| account.groups).unwrap_or_default()
    };
    criteria.chunks(2).all(|pair| {
        let value = |key| parts.get(key).copied();
        let one = |key, fits: fn(&str, &str) -> bool| {
            value(key).is_some_and(|value| list(&pair[1], |pattern| fits(value, pattern)))
        };
        match pair[0].as_str() {
            "User" => one("user", glob),
            "Group" => {
                value("user").is_some()
                    && list(&pair[1], |pattern| groups().iter().any(|group| glob(group, pattern)))
            }
            "Host" => one("host", glob),
            "Address" => one("addr", inside),
            "LocalAddress" => one("laddr", inside),
            "LocalPort" => value("lport") == Some(&pair[1]),
            other => panic!("{other}"),
        }
    })
}

fn list(patterns: &str, fits: impl Fn(&str) -> bool) -> bool {
    let has = |is_negated: bool| {
        let of_kind = patterns.split(',').filter(|pattern| pattern.starts_with('!') == is_negated);
        of_kind.map(|pattern| pattern.trim_start_matches('!')).any(&fits)
    };
    has(false) && !has(true)
}

fn glob(text: &str, pattern: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, letter) => letter.is_none(),
        (Some('*'), letter) => {
            glob(text, &pattern[1..]) || (letter.is_some() && glob(&text[1..], pattern))
        }
        (Some(wanted), Some(letter)) => {
            (wanted == '?' || wanted == letter) && glob(&text[1..], &pattern[1..])
        }
        (Some(_), None) => false,
    }
}

fn inside(address: &str, network: &str) -> bool {
    let Some((base, length)) = network.split_once('/') else { return glob(address, network) };
    match (address.parse().unwrap(), base.parse().unwrap()) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            let bits = 32 - length.parse::<u32>().unwrap();
            u64::from(address.to_bits()) >> bits == u64::from(base.to_bits()) >> bits
        }
        _ => false,
    }
}
