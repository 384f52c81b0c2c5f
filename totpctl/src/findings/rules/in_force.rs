//! The rules in force, and what they come to at the services of this host, as the daemon judges.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::client::{Client, details};
use crate::host::local_time;

/// A rule in force, or a doubt about rules.
pub(crate) type Entry = Map<String, Value>;

/// The rules in force.
#[derive(Default)]
pub(crate) struct RulesInForce {
    pub(crate) rules: Vec<Entry>,
    /// What may be wrong with them.
    pub(crate) doubts: Vec<Entry>,
    at: BTreeMap<String, Reach>,
}

/// What the rules come to at a service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reach {
    /// The names of the rules that let somebody in without a code.
    pub(crate) lets_by: Vec<String>,
    /// The names of the rules that refuse somebody.
    pub(crate) refuses: Vec<String>,
    pub(crate) everybody: Option<Everybody>,
    /// True if users without a factor need none there now.
    pub(crate) lets_unenrolled_by: bool,
}

/// What holds for every login at a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Everybody {
    LetBy,
    Refused,
}

impl RulesInForce {
    /// Asks the daemon for the rules, and for what they come to at these services. Returns `None`
    /// if it does not say: only managers may know.
    pub(crate) fn read(client: &Client, services: &[&str]) -> Option<Self> {
        let (rules, doubts) = client.manager(async |totpd| totpd.list_rules().await).ok()?;
        let objects = |list: &[_]| list.iter().map(details::object).collect::<Vec<Entry>>();
        let (rules, doubts) = (objects(&rules), objects(&doubts));
        let reaches = match rules.is_empty() {
            true => Vec::new(),
            false => client.manager(async |totpd| totpd.rules_at(services).await).ok()?,
        };
        Some(Self::new(rules, doubts, &objects(&reaches)))
    }

    pub(crate) fn new(rules: Vec<Entry>, doubts: Vec<Entry>, reaches: &[Entry]) -> Self {
        let reach = |entry: &Entry| {
            let everybody = match details::text(entry, "everybody").as_str() {
                "skipped" => Some(Everybody::LetBy),
                "refused" => Some(Everybody::Refused),
                _ => None,
            };
            let [lets_by, refuses] = ["lets_by", "refuses"].map(|key| details::texts(entry, key));
            let lets_unenrolled_by = details::flag(entry, "unenrolled_let_by");
            let reach = Reach { lets_by, refuses, everybody, lets_unenrolled_by };
            (details::text(entry, "service"), reach)
        };
        Self { rules, doubts, at: reaches.iter().map(reach).collect() }
    }

    /// Returns what the rules come to at a service.
    pub(crate) fn at(&self, service: &str) -> Reach {
        self.at.get(service).cloned().unwrap_or_default()
    }

    /// Returns the rule of that name.
    pub(crate) fn rule(&self, name: &str) -> Option<&Entry> {
        self.rules.iter().find(|rule| details::text(rule, "name") == name)
    }

    /// Returns who needs no code by a rule, as a phrase: `members of staff, from 10.0.0.0/8 (rule
    /// "office", /etc/totpd/totpd.toml:7)`.
    pub(crate) fn phrase(&self, name: &str) -> String {
        let Some(rule) = self.rule(name) else { return format!("those of the rule {name:?}") };
        let until = match details::number(rule, "deadline") {
            Some(end) => format!(", without a factor, before {}", local_time::display_local(end)),
            None => String::new(),
        };
        let who = scope(rule, &[("from", "from")]);
        format!("{who}{until} ({})", reference(rule))
    }
}

/// Returns a rule with its place, as a phrase.
pub(crate) fn reference(rule: &Entry) -> String {
    let name = details::text(rule, "name");
    match details::text(rule, "place").as_str() {
        "" => format!("rule {name:?}"),
        place => format!("rule {name:?}, {place}"),
    }
}

/// Returns who has to fit a rule, and where, as a phrase. Each condition of `more` has a word.
pub(crate) fn scope(rule: &Entry, more: &[(&str, &str)]) -> String {
    let list = |key: &str| details::texts(rule, key).join(", ");
    let mut parts = Vec::new();
    match (list("users").as_str(), list("groups").as_str()) {
        ("", "") => parts.push("everybody".to_owned()),
        (users, "") => parts.push(users.to_owned()),
        ("", groups) => parts.push(format!("members of {groups}")),
        (users, groups) => parts.push(format!("{users} and members of {groups}")),
    }
    for (word, key) in more {
        match list(key).as_str() {
            "" => {}
            entries => parts.push(format!("{word} {entries}")),
        }
    }
    totpd_journal::escape::escape(&parts.join(", ")).into_owned()
}
