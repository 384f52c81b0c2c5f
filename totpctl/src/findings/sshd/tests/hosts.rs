//! Whole files with `Match` blocks: what doctor tells, and what a small model of sshd does.

use std::collections::BTreeMap;

use super::model::{Host, accounts, parts};
use super::*;
use crate::host::door::CodeNeed;
use crate::host::sshd::ways::way::{Way, Who, ways};

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
    let doors = collect(&survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
    let configs = survey.configs();
    let is_unknown = configs.iter().any(Option::is_none);
    assert_eq!(
        is_unknown,
        doors.iter().any(|door| matches!(door.code, CodeNeed::Unknown(_)))
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
            let open =
                found.iter().find(|way| way.code == CodeNeed::NotAsked && !is_told(way, who));
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
    let _ = collect(&Host::parse(&text).survey(), &|_| of_text(PASSWORD_AND_CODE), &mut report);
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
