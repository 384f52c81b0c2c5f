//! The rules at the ways in: a service asks, and rules let some by, or everybody, or nobody in.

use super::in_force::{Everybody, Reach, RulesInForce, reference};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::door::{CodeNeed, Door};
use crate::host::stack_code::GUARDED;

/// What a stack does with a login that needs no code by a rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stack {
    /// True if it asks for a code.
    pub(crate) asks: bool,
    /// True if it has a guard that holds.
    pub(crate) is_guarded: bool,
    /// True if a login without a code gets in nowhere, because no other line under `auth` accepts.
    pub(crate) lets_nobody_by: bool,
}

impl RulesInForce {
    /// Adds to the ways in who needs no code by rules, and that nobody gets in, or is asked.
    /// `stack` tells about the stack of a service.
    pub(crate) fn tell_doors(&self, stack: &dyn Fn(&str) -> Stack, doors: &mut [Door]) {
        for door in doors {
            let Some(service) = door.service.clone() else { continue };
            if is_judged(door) {
                self.tell_door(&self.at(&service), stack(&service), door);
            }
        }
    }

    fn tell_door(&self, reach: &Reach, stack: Stack, door: &mut Door) {
        let is_guarded = is_guarded(&door.code);
        let is_shut = stack.lets_nobody_by && !is_guarded;
        let phrases = || reach.lets_by.iter().map(|name| self.phrase(name));
        match reach.everybody {
            Some(Everybody::Refused) => {
                let rules = self.references(&reach.refuses);
                door.code = CodeNeed::Closed(format!("rules refuse everybody ({rules})"));
                door.exceptions.clear();
            }
            Some(Everybody::LetBy) if is_shut => {
                let rules = self.references(&reach.lets_by);
                door.code = CodeNeed::Closed(format!(
                    "rules have nobody asked ({rules}), and no other line of its stack accepts"
                ));
                door.exceptions.clear();
            }
            Some(Everybody::LetBy) => {
                door.code = CodeNeed::NotAsked;
                door.exceptions = phrases().collect();
            }
            None if is_shut => {}
            None => door.exceptions.extend(phrases()),
        }
    }

    /// Adds to the report of a service what the rules come to there.
    pub(crate) fn tell_service(&self, service: &str, stack: Stack, report: &mut Report) {
        let reach = self.at(service);
        if !stack.asks && !stack.is_guarded {
            return;
        }
        match reach.everybody {
            Some(Everybody::LetBy) => report.summarize("rules need no code from anybody"),
            Some(Everybody::Refused) => report.summarize("rules refuse everybody"),
            None => {
                if !reach.lets_by.is_empty() {
                    report.summarize(format!(
                        "rules need no code from some ({})",
                        reach.lets_by.join(", ")
                    ));
                }
                if !reach.refuses.is_empty() {
                    report.summarize(format!("rules refuse some ({})", reach.refuses.join(", ")));
                }
            }
        }
        if stack.asks && stack.lets_nobody_by && !reach.lets_by.is_empty() {
            report.problems.push(nobody_by(service, &self.references(&reach.lets_by)));
        }
    }

    fn references(&self, names: &[String]) -> String {
        let reference = |name: &String| self.rule(name).map_or_else(|| name.clone(), reference);
        names.iter().map(reference).collect::<Vec<_>>().join("; ")
    }
}

/// Reports whether rules decide at a way in: it asks, or a guard stands in its way. No rule allows
/// root what sshd itself refuses.
fn is_judged(door: &Door) -> bool {
    let is_of_root = door.who.as_deref().is_some_and(|who| who.starts_with("root"));
    match &door.code {
        CodeNeed::Asked => true,
        CodeNeed::Unanswerable(_) => !is_of_root || is_guarded(&door.code),
        CodeNeed::NotAsked | CodeNeed::Closed(_) | CodeNeed::Unknown(_) => false,
    }
}

fn is_guarded(code: &CodeNeed) -> bool {
    matches!(code, CodeNeed::Unanswerable(reason) if reason.starts_with(GUARDED))
}

fn nobody_by(service: &str, rules: &str) -> Finding {
    let message = format!(
        "logins that need no code by a rule get in nowhere by {service}: no other line under auth accepts ({rules})"
    );
    Finding::new(FindingId::RuleLetsNobodyBy, message)
        .fix("have a line under auth ask for the password, or take the service out of the rules")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns rules that come to this at a service.
    fn rules(reach: Value) -> RulesInForce {
        let entries = |value: Value| {
            let list = value.as_array().unwrap().iter();
            list.map(|entry| entry.as_object().unwrap().clone()).collect::<Vec<_>>()
        };
        let rules = json!([
            {"name": "office", "place": "/f:7", "then": "skip", "groups": ["staff"], "from": ["10.0.0.0/8"],
             "services": ["sshd"]},
            {"name": "all", "place": "/f:9", "then": "skip"},
            {"name": "closed", "place": "/f:11", "then": "deny"},
        ]);
        RulesInForce::new(entries(rules), Vec::new(), &entries(json!([reach])))
    }

    fn told(rules: &RulesInForce, stack: Stack, code: CodeNeed) -> (CodeNeed, Vec<String>) {
        let (name, service) = ("ssh".to_owned(), Some("sshd".to_owned()));
        let mut doors = [Door { name, service, who: None, code, exceptions: Vec::new() }];
        rules.tell_doors(&|_| stack, &mut doors);
        let [door] = doors;
        (door.code, door.exceptions)
    }

    const OFFICE: &str = "members of staff, from 10.0.0.0/8 (rule \"office\", /f:7)";

    #[test]
    fn a_way_in_says_who_needs_no_code_by_rules() {
        let asks = Stack { asks: true, ..Stack::default() };
        let some = rules(json!({"service": "sshd", "lets_by": ["office"], "refuses": ["closed"]}));
        for code in [
            CodeNeed::Asked,
            CodeNeed::Unanswerable("one answer".into()),
            CodeNeed::Unanswerable(GUARDED.into()),
        ] {
            assert_eq!(told(&some, asks, code.clone()), (code, vec![OFFICE.to_owned()]));
        }
        assert_eq!(told(&some, asks, CodeNeed::NotAsked), (CodeNeed::NotAsked, vec![]));
        let all = rules(
            json!({"service": "sshd", "lets_by": ["all"], "refuses": [], "everybody": "skipped"}),
        );
        let everybody = "everybody (rule \"all\", /f:9)".to_owned();
        for code in [CodeNeed::Asked, CodeNeed::Unanswerable(GUARDED.into())] {
            assert_eq!(told(&all, asks, code), (CodeNeed::NotAsked, vec![everybody.clone()]));
        }
        let none = rules(
            json!({"service": "sshd", "lets_by": [], "refuses": ["closed"], "everybody": "refused"}),
        );
        let (code, exceptions) = told(&none, asks, CodeNeed::Asked);
        let closed = "rules refuse everybody (rule \"closed\", /f:11)".to_owned();
        assert_eq!((code, exceptions.len()), (CodeNeed::Closed(closed), 0));
        let other = rules(json!({"service": "sudo", "lets_by": ["all"], "everybody": "skipped"}));
        assert_eq!(told(&other, asks, CodeNeed::Asked), (CodeNeed::Asked, vec![]));
    }

    #[test]
    fn a_login_without_a_code_needs_another_line_that_accepts() {
        let alone = Stack { asks: true, lets_nobody_by: true, ..Stack::default() };
        let some = rules(json!({"service": "sshd", "lets_by": ["office"]}));
        assert_eq!(told(&some, alone, CodeNeed::Asked), (CodeNeed::Asked, vec![]));
        // The account phase is another one.
        let guarded = CodeNeed::Unanswerable(GUARDED.into());
        assert_eq!(told(&some, alone, guarded.clone()), (guarded, vec![OFFICE.to_owned()]));
        let mut report = Report::default();
        some.tell_service("sshd", alone, &mut report);
        assert_eq!(report.summary, ["rules need no code from some (office)"]);
        let problem = report.problems[0].line();
        assert!(problem.contains("nowhere by sshd") && problem.contains("/f:7"), "{problem}");
        let all = rules(json!({"service": "sshd", "lets_by": ["all"], "everybody": "skipped"}));
        assert!(matches!(told(&all, alone, CodeNeed::Asked).0, CodeNeed::Closed(_)));
        let mut report = Report::default();
        all.tell_service("sshd", Stack::default(), &mut report);
        assert!(report.summary.is_empty() && report.problems.is_empty(), "it asks nobody anyway");
    }

    #[test]
    fn sshd_refuses_root_whatever_a_rule_says() {
        let asks = Stack { asks: true, ..Stack::default() };
        let all = rules(json!({"service": "sshd", "lets_by": ["all"], "everybody": "skipped"}));
        let code = CodeNeed::Unanswerable("PermitRootLogin prohibit-password has sshd".into());
        let mut doors = [Door {
            name: "ssh".into(),
            service: Some("sshd".into()),
            who: Some("root".into()),
            code: code.clone(),
            exceptions: Vec::new(),
        }];
        all.tell_doors(&|_| asks, &mut doors);
        assert_eq!(doors[0].code, code);
    }
}
