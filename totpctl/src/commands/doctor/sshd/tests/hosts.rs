//! Whole files with `Match` blocks: what doctor tells, and what a small model of sshd does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::super::door::Code;
use super::super::question::Failure;
use super::super::way::{Way, Who, ways};
use super::*;
use crate::accounts::{self, Account};

/// A file, in the words of sshd_config.
struct Host {
    lines: Vec<(String, String)>,
    /// The criteria and the lines of each block.
    blocks: Vec<(Vec<String>, Vec<(String, String)>)>,
}

/// A connection, as `-C` names it.
type Parts<'a> = BTreeMap<&'a str, &'a str>;

impl Host {
    fn parse(text: &str) -> Self {
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
    fn answer(&self, parts: &Parts<'_>) -> (Vec<bool>, String) {
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

    fn survey(&self) -> Survey {
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
        Survey::of(ask("").unwrap(), accounts(), blocks, &ask, &|_| Vec::new())
    }

    fn ports(&self) -> Vec<&str> {
        let ports = self.lines.iter().filter(|(key, _)| key == "port");
        let ports: Vec<_> = ports.map(|(_, port)| port.as_str()).collect();
        if ports.is_empty() { vec!["22"] } else { ports }
    }
}

fn parts(argument: &str) -> Parts<'_> {
    argument.split(',').filter_map(|part| part.split_once('=')).collect()
}

fn accounts() -> Vec<Account> {
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

const USERS: [&str; 6] = ["root", "daemon", "alice", "bob", "carol", "ghost"];
const ADDRESSES: [&str; 9] = [
    "203.0.113.9",
    "192.0.2.1",
    "10.0.0.5",
    "10.1.0.6",
    "10.7.7.7",
    "192.168.1.4",
    "127.0.0.5",
    "127.0.0.6",
    "2001:db8::9",
];

/// Returns what doctor does not tell of a file, each with one such connection. Nothing is hidden if
/// it says that it does not know.
fn hidden(text: &str) -> (Vec<String>, bool) {
    let host = Host::parse(text);
    let survey = host.survey();
    let stack = of_text(PASSWORD_AND_CODE);
    let mut report = Report::default();
    let doors = assess(&survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
    let configs = survey.configs();
    let is_unknown = configs.iter().any(Option::is_none);
    assert_eq!(
        is_unknown,
        doors.iter().any(|door| matches!(door.code, Code::Unknown(_)))
            || !survey.unasked.is_empty()
    );
    let is_told = |way: &Way, who: Who| {
        doors.iter().any(|door| {
            let is_of_root = door.who.as_ref().is_some_and(|who| who.starts_with("root"));
            let is_for = match who {
                Who::Anybody => !is_of_root,
                Who::Root => is_of_root || door.who.is_none(),
            };
            door.name == format!("ssh, {}", way.methods) && door.code == way.code && is_for
        })
    };
    let mut hidden = Vec::new();
    let accounts = accounts();
    let mut known = BTreeMap::new();
    for port in host.ports() {
        let places = ADDRESSES
            .iter()
            .flat_map(|address| ["h.example", "127.0.0.6"].map(|host| (*address, host)));
        let places = places.flat_map(|(address, host)| {
            ["127.0.0.1", "10.9.9.9"].map(|local| (address, host, local))
        });
        for ((address, name, local), user) in
            places.flat_map(|place| USERS.map(|user| (place, user)))
        {
            let argument =
                format!("user={user},host={name},addr={address},laddr={local},lport={port}");
            // A name of digits is that of the address.
            if name == "127.0.0.6" && address != name {
                continue;
            }
            let (matched, text) = host.answer(&parts(&argument));
            let config = known.entry(matched).or_insert_with(|| Effective::parse(&text)).clone();
            let who = if user == "root" { Who::Root } else { Who::Anybody };
            let account = accounts.iter().find(|account| account.name == user);
            let refused_by =
                account.and_then(|account| config.access.refuses(account, Some((name, address))));
            let found = ways(&config, &stack, who, refused_by);
            let open = found.iter().find(|way| way.code == Code::NotAsked && !is_told(way, who));
            if let Some(way) = open {
                hidden.push(format!("{} {argument}", way.methods));
            }
            if !configs.contains(&Some(&config)) {
                hidden.push(format!("configuration {argument}"));
            }
            if pam_is_nowhere_first(&survey) == Some(true) && !pam_is_never_first(&config) {
                hidden.push(format!("PAM first {argument}"));
            }
        }
    }
    (hidden, is_unknown)
}

const CODE_FOR_ALL: &str =
    "PermitRootLogin yes\nAuthenticationMethods publickey,keyboard-interactive\n";
const ASKED: &str = "AuthenticationMethods publickey,keyboard-interactive\n";
const BY_KEY: &str = "AuthenticationMethods publickey\n";

#[test]
fn a_block_behind_one_that_excludes_places_is_asked_about_there() {
    for (first, second) in [
        ("Address *,!127.0.0.6", "Group staff"),
        ("Address *,!127.0.0.6", "User root"),
        ("Address *,!127.0.0.6", "all"),
        ("Host *,!127.0.0.6", "User bob"),
        ("LocalAddress *,!127.0.0.1", "User bob"),
        ("LocalPort 22", "User bob"),
        ("Address 192.0.2.0/24", "User bob"),
        ("Address 0.0.0.0/0", "User bob"),
        ("User *,!ghost", "all"),
        ("User *,!root", "Address 127.0.0.5"),
        ("Group staff,daemon,carol,ghost", "Address 127.0.0.5"),
    ] {
        let blocks = format!("Match {first}\n{ASKED}Match {second}\n{BY_KEY}");
        let text = format!("Port 22\nPort 2222\n{CODE_FOR_ALL}{blocks}");
        assert_eq!(hidden(&text), (Vec::new(), false), "{text}");
        let survey = Host::parse(&text).survey();
        let (_, _, doors) = told(&survey, PASSWORD_AND_CODE);
        let is_open =
            |door: &String| door.starts_with("ssh, publickey") && door.ends_with(": not-asked");
        assert!(doors.iter().any(is_open), "{text}: {doors:#?}");
        // A stranger would come to PAM first there.
        let alone = text.replace(BY_KEY, "AuthenticationMethods keyboard-interactive\n");
        assert_eq!(pam_is_nowhere_first(&Host::parse(&alone).survey()), Some(false), "{alone}");
    }
}

#[test]
fn a_block_lets_somebody_in_by_another_port() {
    let text = format!(
        "Port 22\nPort 2222\n{CODE_FOR_ALL}Match User *,!root\n{BY_KEY}Match LocalPort 22\nPubkeyAuthentication no\n"
    );
    assert_eq!(hidden(&text), (Vec::new(), false));
    let mut report = Report::default();
    let _ = assess(&Host::parse(&text).survey(), &|_| of_text(PASSWORD_AND_CODE), &mut report);
    let problems: Vec<_> = report.problems.iter().map(Finding::sentence).collect();
    assert!(
        problems.iter().all(|problem| problem.contains(":2: Match LocalPort 22 ")),
        "{problems:?}"
    );
}

#[test]
fn a_door_is_closed_only_if_it_is_closed_from_everywhere() {
    for (lists, block, is_closed) in [
        ("AllowUsers alice@127.0.0.6 bob root", "User alice Address 127.0.0.5,127.0.0.6", false),
        ("DenyUsers alice@127.0.0.5", "User alice Address 127.0.0.5,127.0.0.6", false),
        ("AllowUsers root@127.0.0.6", "User root Address 127.0.0.5,127.0.0.6", false),
        ("AllowUsers alice@127.0.0.6 bob root", "User alice Address 127.0.0.5", true),
        ("DenyUsers alice@127.0.0.0/8", "User alice Address 127.0.0.5,127.0.0.6", true),
        ("AllowUsers alice@10.0.0.0/8", "Group staff Address 10.0.0.0/16", false),
        ("AllowUsers bob", "User alice", true),
    ] {
        let text = format!("{lists}\n{CODE_FOR_ALL}Match {block}\n{BY_KEY}");
        assert_eq!(hidden(&text), (Vec::new(), false), "{text}");
        let (_, _, doors) = told(&Host::parse(&text).survey(), PASSWORD_AND_CODE);
        let is_open = |door: &String| door.contains("Match") && door.ends_with(": not-asked");
        assert_eq!(!doors.iter().any(is_open), is_closed, "{text}: {doors:#?}");
    }
}

/// Numbers that look drawn, and are the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn host(&mut self) -> String {
        let mut text = self.one(&["", "Port 22\nPort 2222\n"]).to_owned();
        text += self.one(&["PermitRootLogin yes\n", "PermitRootLogin without-password\n"]);
        text += self.one(&[ASKED, ASKED, ASKED, ""]);
        text += self.one(&[
            "",
            "",
            "",
            "AllowUsers bob@10.0.0.0/8 root alice\n",
            "DenyUsers bob@10.0.0.5\n",
        ]);
        for _ in 0..1 + self.below(3) {
            text += "Match";
            for _ in 0..1 + self.below(2) {
                text += " ";
                text += self.one(&CRITERIA);
            }
            text += "\n";
            text += self.one(&SETTINGS);
            text += "\n";
        }
        text
    }
}

const CRITERIA: [&str; 25] = [
    "User bob",
    "User root",
    "User *,!root",
    "User *,!bob",
    "User b*",
    "User a*,!alice",
    "User ?ob",
    "User ghost",
    "Group staff",
    "Group root",
    "Group *,!root",
    "Group *,!staff",
    "Address 10.0.0.0/8",
    "Address *,!10.0.0.0/8",
    "Address 10.0.0.0/8,!10.1.0.0/16",
    "Address 10.0.0.5,10.1.0.6",
    "Address 192.168.1.*",
    "Address *,!127.0.0.6",
    "Address 192.0.2.0/24",
    "Address 0.0.0.0/0",
    "Host *,!127.0.0.6",
    "Host *.example",
    "LocalAddress 127.0.0.1",
    "LocalPort 22",
    "LocalPort 2222",
];
const SETTINGS: [&str; 12] = [
    "AuthenticationMethods publickey",
    "AuthenticationMethods publickey",
    "AuthenticationMethods publickey,keyboard-interactive",
    "AuthenticationMethods keyboard-interactive",
    "PubkeyAuthentication no",
    "KbdInteractiveAuthentication no",
    "PasswordAuthentication yes",
    "X11Forwarding no",
    "PermitRootLogin no",
    "PermitRootLogin yes",
    "AllowUsers bob@10.0.0.0/8 root alice",
    "DenyUsers root@10.1.*",
];

#[test]
fn nothing_is_hidden_in_drawn_files() {
    let mut draw = Draw(20);
    let mut unknown = 0;
    for _ in 0..300 {
        let text = draw.host();
        let (hidden, is_unknown) = hidden(&text);
        assert!(is_unknown || hidden.is_empty(), "{text}\n{hidden:#?}");
        unknown += usize::from(is_unknown);
    }
    // A criterion that is given twice may match nobody.
    assert!(unknown < 100, "{unknown}");
}
