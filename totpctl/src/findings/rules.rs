//! The rules that say which logins need a code: who needs none, and who is shut out.

pub(crate) mod doors;
pub(crate) mod in_force;

use self::in_force::{Entry, RulesInForce, scope};
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::client::{Client, details};
use crate::terminal::output;

/// Adds what the rules in force open, and what is wrong with them. `services` ask for a code.
pub(crate) fn check(
    client: &Client,
    in_force: &RulesInForce,
    services: &[&str],
    report: &mut Report,
) {
    let RulesInForce { rules, doubts, .. } = in_force;
    add(rules, doubts, report);
    let is_told = report.problems.iter().any(|found| found.id() == FindingId::RuleDeniesRoot);
    if let Some(deny) = rules.iter().find(|rule| details::text(rule, "then") == "deny")
        && !is_told
        && !services.is_empty()
        && root_is_denied(client, services, rules)
    {
        report.problems.push(denies_root(deny));
    }
}

/// Adds the rules that ask for no code, and the doubts.
fn add(rules: &[Entry], doubts: &[Entry], report: &mut Report) {
    match rules.len() {
        0 => {}
        1 => report.summarize("1 rule is in force"),
        count => report.summarize(format!("{count} rules are in force")),
    }
    for rule in rules.iter().filter(|rule| details::text(rule, "then") == "skip") {
        let name = details::escape_text(rule, "name");
        let message = format!("the rule \"{name}\" asks for no code: {}", scope(rule, WHERE));
        // Its first line says nothing of what it does.
        let finding = Finding::new(FindingId::RuleSkipsCode, message.clone());
        report.notes.push(placed(finding.depends_on(Some(message)), rule));
    }
    for rule in rules {
        let [remember, burst] = ["remember", "burst"].map(|key| details::number(rule, key));
        let Some(longest) = remember.max(burst) else { continue };
        let (name, length) = (details::escape_text(rule, "name"), output::duration(longest));
        let message = format!(
            "the rule \"{name}\" asks for no second code from the same address at the same service for \
             {length}: {}",
            scope(rule, WHERE)
        );
        let finding = Finding::new(FindingId::RuleRemembersCode, message.clone());
        report.notes.push(placed(finding.depends_on(Some(message)), rule));
    }
    for doubt in doubts {
        let id = match details::text(doubt, "kind").as_str() {
            "deadline-over" => FindingId::RuleDeadlineOver,
            "denies-root" => FindingId::RuleDeniesRoot,
            "group-unknown" | "group-not-looked-up" => FindingId::RuleGroupUnknown,
            "user-unknown" | "user-not-looked-up" => FindingId::RuleUserUnknown,
            "service-unknown" => FindingId::RuleServiceUnknown,
            "never-decides" => FindingId::RuleNeverDecides,
            "never-remembers" => FindingId::RuleNeverRemembers,
            "outage-hidden" => FindingId::NssHidesOutage,
            // A kind of a newer daemon.
            _ => continue,
        };
        let finding = placed(Finding::new(id, details::escape_text(doubt, "message")), doubt);
        match id {
            FindingId::RuleNeverDecides | FindingId::RuleDeniesRoot => {
                report.problems.push(finding);
            }
            _ => report.notes.push(finding),
        }
    }
}

/// Adds the file and the line of an entry.
fn placed(finding: Finding, entry: &Entry) -> Finding {
    let place = details::text(entry, "place");
    match place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => finding.at((file.to_owned(), line)),
        None => finding,
    }
}

fn denies_root(rule: &Entry) -> Finding {
    let message = "the rules let root in nowhere, at no service that asks for a code";
    let finding = Finding::new(FindingId::RuleDeniesRoot, message);
    placed(finding.fix("put a rule for root before this one"), rule)
}

/// Reports whether root is refused at each of these services, from each place that the rules name
/// and from elsewhere.
fn root_is_denied(client: &Client, services: &[&str], rules: &[Entry]) -> bool {
    let mut places = vec!["local".to_owned(), ELSEWHERE.to_owned()];
    for network in rules.iter().flat_map(|rule| details::texts(rule, "from")) {
        let address = network.split('/').next().unwrap_or_default().to_owned();
        if address.parse::<std::net::IpAddr>().is_ok() && !places.contains(&address) {
            places.push(address);
        }
    }
    let logins =
        services.iter().flat_map(|service| places.iter().map(move |place| (service, place)));
    let is_denied = |(service, place): (&&str, &String)| {
        let key = if place == "local" { "ruser" } else { "rhost" };
        let from = if place == "local" { "root" } else { place.as_str() };
        let login =
            details::dictionary([("service", Some((*service).into())), (key, Some(from.into()))]);
        let explained = client.manager(async |totpd| totpd.explain("root", &login).await);
        explained.is_ok_and(|(explained, _)| {
            details::text(&details::object(&explained), "requirement") == "deny"
        })
    };
    logins.take(MAX_LOGINS).all(is_denied)
}

/// The conditions of a rule besides people, each with its word.
const WHERE: &[(&str, &str)] = &[("at", "services"), ("from", "from")];
/// An address that no rule names: it is for documentation alone (RFC 5737).
const ELSEWHERE: &str = "203.0.113.1";
/// The most logins that are asked about. Each is a question to the daemon.
const MAX_LOGINS: usize = 500;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entries(values: Value) -> Vec<Entry> {
        values.as_array().unwrap().iter().map(|value| value.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn each_rule_that_skips_is_a_note_with_file_and_line() {
        let rules = entries(json!([
            {"name": "office", "place": "/etc/totpd/totpd.toml:7", "then": "skip", "groups": ["staff"],
             "services": ["sshd", "sudo"], "from": ["10.0.0.0/8"]},
            {"name": "robots", "place": "", "then": "skip", "users": ["svc-*"], "groups": ["robots"]},
            {"name": "all", "place": "/f:1", "then": "skip"},
            {"name": "gone", "place": "/f:9", "then": "deny", "users": ["mallory"]},
            {"name": "home", "place": "/f:12", "then": "require", "remember": 28800, "burst": 20},
        ]));
        let doubts = entries(json!([
            {"kind": "group-unknown", "place": "/f:3", "message": "groups: no group"},
            {"kind": "never-decides", "place": "/f:4", "message": "[[rule]] never"},
            {"kind": "never-remembers", "place": "/f:6", "message": "[[rule]] local"},
            {"kind": "outage-hidden", "place": "/etc/nsswitch.conf:4", "message": "group: while"},
            {"kind": "user-unknown", "place": "/f:6", "message": "users: no user"},
            {"kind": "deadline-over", "place": "/f:7", "message": "then: over"},
            {"kind": "denies-root", "place": "/f:8", "message": "[[rule]] refuses"},
            {"kind": "of-tomorrow", "place": "/f:5", "message": "?"},
        ]));
        let mut report = Report::default();
        add(&rules, &doubts, &mut report);
        let lines = |list: &[Finding]| list.iter().map(Finding::line).collect::<Vec<_>>();
        assert_eq!(
            lines(&report.notes),
            [
                "/etc/totpd/totpd.toml:7: the rule \"office\" asks for no code: members of staff, at sshd, sudo, from \
                 10.0.0.0/8 [rule-skips-code]",
                "the rule \"robots\" asks for no code: svc-* and members of robots [rule-skips-code]",
                "/f:1: the rule \"all\" asks for no code: everybody [rule-skips-code]",
                "/f:12: the rule \"home\" asks for no second code from the same address at the same service for \
                 480 min: everybody [rule-remembers-code]",
                "/f:3: groups: no group [rule-group-unknown]",
                "/f:6: [[rule]] local [rule-never-remembers]",
                "/etc/nsswitch.conf:4: group: while [nss-hides-outage]",
                "/f:6: users: no user [rule-user-unknown]",
                "/f:7: then: over [rule-deadline-over]",
            ]
        );
        assert_eq!(
            lines(&report.problems),
            [
                "/f:4: [[rule]] never [rule-never-decides]",
                "/f:8: [[rule]] refuses [rule-denies-root]"
            ]
        );
        assert_eq!(report.summary, ["5 rules are in force"]);
        let denies = denies_root(&rules[3]).line();
        assert!(denies.starts_with("/f:9: the rules let root in nowhere"), "{denies}");
    }
}
