//! What can come of a login by a stack: every way through it, whatever its modules return.

use std::collections::{HashMap, HashSet};

use crate::control::Action;
use crate::dispatch::Progress;
use crate::module_results::{OURS, results};
use crate::password::{Reached, reached};
use crate::return_code::Code;
use crate::stack::{Place, Rule};

/// What the second factor said on a way through a stack.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Ours {
    Approved,
    LetBy,
    NotAsked,
    Refused(Code),
}

/// How a login can end that nobody meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// It succeeds without the second factor.
    NotAsked {
        /// The line that leads past it, and the result of its module.
        past: Place,
        /// The control word there.
        word: String,
        /// The module there.
        module: String,
        /// The result.
        result: Code,
    },
    /// It succeeds although the second factor refused.
    Overruled {
        /// The line of the second factor.
        at: Place,
        /// The control word there.
        word: String,
        /// What it returned.
        result: Code,
    },
}

/// What is found in a stack.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Finding {
    /// The lines that ask the second factor.
    pub asks: Vec<Place>,
    /// The ways around it, one for each line that opens one.
    pub around: Vec<Ending>,
    /// The lines of passwords after whose failure it is asked all the same.
    pub after_failed_password: Vec<Place>,
    /// A line that asks before any password module has accepted.
    pub without_password: Option<Place>,
    /// Whether a login can succeed at all, of a user who has a factor.
    pub opens: bool,
    /// Whether a user without a factor is let by (option `nullok`).
    pub lets_by: bool,
    /// It has more lines than anybody has, and was not looked through.
    pub too_long: bool,
    /// A line by which root is not asked: pam_rootok succeeds for nobody else.
    pub spares_root: Option<Place>,
}

/// Looks at every way through `rules`. `exists` says whether a module is installed.
#[must_use]
pub fn look(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Finding {
    if rules.len() > MOST_RULES {
        let ours = rules.iter().filter(|rule| rule.module() == OURS);
        let asks = ours.map(|rule| rule.place.clone()).collect();
        return Finding { asks, too_long: true, ..Finding::default() };
    }
    let mut finding = explored(rules, exists, false);
    let as_root = explored(rules, exists, true);
    finding.spares_root = as_root.around.into_iter().find_map(|ending| match ending {
        Ending::NotAsked { past, module, .. } if module == "pam_rootok" => Some(past),
        _ => None,
    });
    let Reached { after_failure, without_password } = reached(rules, exists);
    finding.after_failed_password = after_failure;
    finding.without_password = without_password;
    finding
}

fn explored(rules: &[Rule], exists: &dyn Fn(&str) -> bool, root: bool) -> Finding {
    let mut finding = Finding::default();
    for rule in rules.iter().filter(|rule| rule.module() == OURS) {
        finding.asks.push(rule.place.clone());
    }
    let last_of_ours = rules.iter().rposition(|rule| rule.module() == OURS);
    let mut seen = HashSet::new();
    let mut open = vec![(Progress::new(), Ours::NotAsked, None::<(usize, Code)>)];
    let mut around: HashMap<(usize, bool), Ending> = HashMap::new();
    while let Some((mut progress, ours, turn)) = open.pop() {
        // Which line led past it matters, and no other.
        if !seen.insert((progress.clone(), ours, turn)) {
            continue;
        }
        let Some(rule) = progress.next(rules) else {
            if progress.outcome() != Code::SUCCESS {
                continue;
            }
            finding.opens |= ours != Ours::LetBy;
            match ours {
                Ours::Approved => {}
                Ours::LetBy => finding.lets_by = true,
                Ours::NotAsked => {
                    if let Some((index, result)) = turn
                        && let Some(rule) = rules.get(index)
                    {
                        around.entry((index, false)).or_insert_with(|| Ending::NotAsked {
                            past: rule.place.clone(),
                            word: rule.word.clone(),
                            module: rule.module().to_owned(),
                            result,
                        });
                    }
                }
                Ours::Refused(result) => {
                    let index = last_of_ours.unwrap_or_default();
                    if let Some(rule) = rules.get(index) {
                        around.entry((index, true)).or_insert_with(|| Ending::Overruled {
                            at: rule.place.clone(),
                            word: rule.word.clone(),
                            result,
                        });
                    }
                }
            }
            continue;
        };
        for result in results(rule, exists, root) {
            let at = progress.at;
            let mut next = progress.clone();
            next.go_on(rules, result);
            let ours = if rule.module() == OURS { said(ours, result) } else { ours };
            let leads_past =
                matches!(rule.control.action(result), Action::Die | Action::Done | Action::Jump(_))
                    && last_of_ours.is_some_and(|last| at < last && next.at > last);
            let turn = if leads_past && ours == Ours::NotAsked { Some((at, result)) } else { turn };
            open.push((next, ours, turn));
        }
    }
    let mut around: Vec<_> = around.into_iter().collect();
    around.sort_by_key(|(index, _)| *index);
    finding.around = around.into_iter().map(|(_, ending)| ending).collect();
    finding
}

/// What the second factor has said so far, when a line of it returns `result`.
fn said(before: Ours, result: Code) -> Ours {
    match (before, result) {
        (Ours::Approved, _) | (_, Code::SUCCESS) => Ours::Approved,
        (Ours::NotAsked, Code::IGNORE) => Ours::LetBy,
        (before, Code::IGNORE) => before,
        (_, result) => Ours::Refused(result),
    }
}

/// Rules of a stack; the longest that a distribution has are some twenty.
pub(crate) const MOST_RULES: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    fn finding(text: &str) -> Finding {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::of("x", Kind::Auth, &read) else { panic!() };
        look(&rules, &|path| path != "pam_gone.so")
    }

    #[test]
    fn what_leads_around_is_found_by_its_line() {
        for (text, lines) in [
            ("auth required pam_unix.so\nauth required pam_totp.so\n", &[][..]),
            ("auth sufficient pam_unix.so\nauth required pam_totp.so\n", &[1]),
            (
                "auth [success=1 default=ignore] pam_unix.so\nauth required pam_totp.so\nauth required pam_permit.so\n",
                &[1],
            ),
            ("auth required pam_totp.so\nauth sufficient pam_unix.so\n", &[]),
            ("auth optional pam_totp.so\nauth required pam_unix.so\n", &[1]),
            (
                "auth [success=1 default=ignore] pam_totp.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
                &[],
            ),
            ("auth sufficient pam_gone.so\nauth required pam_totp.so\n", &[]),
        ] {
            let found = finding(text);
            let places: Vec<_> = found
                .around
                .iter()
                .map(|ending| match ending {
                    Ending::NotAsked { past, .. } => past.line,
                    Ending::Overruled { at, .. } => at.line,
                })
                .collect();
            assert_eq!(places, lines, "{text} {found:#?}");
        }
    }

    #[test]
    fn a_long_stack_is_looked_through_and_one_without_end_is_not() {
        let long = "auth sufficient pam_x.so\n".repeat(MOST_RULES - 1);
        let found = finding(&format!("{long}auth required pam_totp.so\n"));
        assert_eq!(found.around.len(), MOST_RULES - 1);
        let longer = finding(&"auth required pam_totp.so\n".repeat(10_000));
        assert!(longer.too_long && longer.asks.len() == 10_000);
    }

    #[test]
    fn root_and_who_has_no_factor_are_told_apart_from_holes() {
        let found = finding(
            "auth sufficient pam_rootok.so\nauth required pam_totp.so nullok\nauth required pam_permit.so\n",
        );
        assert!(found.around.is_empty() && found.opens && found.lets_by, "{found:#?}");
        assert_eq!(found.spares_root.map(|place| place.line), Some(1));
        let shut = finding("auth required pam_totp.so\nauth required pam_deny.so\n");
        assert!(!shut.opens && shut.around.is_empty());
    }
}
