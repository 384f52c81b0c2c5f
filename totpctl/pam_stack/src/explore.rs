//! Explores a stack: every path a login can take through it, for any results of its modules.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use crate::control::Action;
use crate::dispatch::Progress;
use crate::jump::jumps_past_end;
use crate::module_results::results;
use crate::password::{CodeWithoutPassword, code_without_password};
use crate::proving_modules::is_proof;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule};

/// A successful login that the second factor did not approve.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Bypass {
    /// The second factor was not asked.
    NotAsked {
        /// The line that skips it.
        past: Place,
        /// The control word of that line.
        word: String,
        /// The module of that line, without `.so`.
        module: String,
        /// The result that skips it.
        result: ReturnCode,
    },
    /// The second factor refused, and the stack ignored that.
    Overruled {
        /// The line of the second factor.
        at: Place,
        /// The control word of that line.
        word: String,
        /// The result of the second factor.
        result: ReturnCode,
    },
}

/// The findings of [`analyze`] in a stack.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Analysis {
    /// The lines of the second factor.
    pub factor_lines: Vec<Place>,
    /// The ways around the second factor, at most one for each line that opens one.
    pub bypasses: Vec<Bypass>,
    /// The lines of password modules after whose failure the stack still asks for a code.
    pub after_wrong_password: Vec<Place>,
    /// The first line of the second factor that runs before any password module has accepted.
    pub without_password: Option<Place>,
    /// True if a user with a factor can log in at all.
    pub can_succeed: bool,
    /// True if a user without a factor is not asked (option `nullok`).
    pub skips_unenrolled: bool,
    /// True if such a user is not asked, but root without a factor is denied.
    pub denies_unenrolled_root: bool,
    /// True if a user without a factor gets in although no module accepted a proof of who it is.
    pub skips_strangers: bool,
    /// The line of the second factor whose code alone lets a user in. No module of that path
    /// accepted another proof of who it is.
    pub code_alone: Option<Place>,
    /// The lines whose success jumps past the end of the stack: libpam then denies the login.
    pub jumps_past_end: Vec<Place>,
    /// The stack has more than 400 lines and was not explored.
    pub too_long: bool,
    /// The line that skips the second factor for root (`pam_rootok`).
    pub skips_root: Option<Place>,
    /// Two lines of the second factor that both ask on one path. The second refuses the code that
    /// the first accepted.
    pub asks_twice: Option<(Place, Place)>,
}

/// Follows every path through `rules`. `exists` reports whether a module is installed.
#[must_use]
pub fn analyze(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Analysis {
    let is_factor = |rule: &&Rule| rule.is_factor();
    let factor_lines: Vec<_> =
        rules.iter().filter(is_factor).map(|rule| rule.place.clone()).collect();
    if rules.len() > MAX_RULES {
        return Analysis { factor_lines, too_long: true, ..Analysis::default() };
    }
    let user = explore(rules, exists, false);
    if factor_lines.is_empty() {
        return Analysis { can_succeed: user.can_succeed, ..Analysis::default() };
    }
    let root = explore(rules, exists, true);
    let root_needs_factor = root.can_succeed && !root.skips_unenrolled && root.bypasses.is_empty();
    let of_root = root.bypasses.into_iter().filter(|(key, _)| !user.bypasses.contains_key(key));
    let skips_root = of_root.into_iter().find_map(|(_, bypass)| match bypass {
        Bypass::NotAsked { past, module, .. } if module == "pam_rootok" => Some(past),
        _ => None,
    });
    let place = |index: usize| rules.get(index).map(|rule| rule.place.clone());
    let code_alone = user.code_alone.and_then(place);
    let asks_twice = user.asks_twice.and_then(|(one, other)| place(one).zip(place(other)));
    let CodeWithoutPassword { after_wrong_password, without_password } =
        code_without_password(rules, exists);
    Analysis {
        factor_lines,
        bypasses: user.bypasses.into_values().collect(),
        after_wrong_password,
        without_password,
        can_succeed: user.can_succeed,
        skips_unenrolled: user.skips_unenrolled,
        denies_unenrolled_root: user.skips_unenrolled && root_needs_factor,
        skips_strangers: user.skips_strangers,
        code_alone,
        jumps_past_end: jumps_past_end(rules, exists),
        too_long: false,
        skips_root,
        asks_twice,
    }
}

/// The answer of the second factor so far on a path.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum FactorState {
    Approved,
    NotAsked,
    Refused(ReturnCode),
    Skipped,
}

/// The state of one path. Two paths with the same state have the same end, so one of them is
/// enough.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Path {
    progress: Progress,
    factor: FactorState,
    /// True if a module accepted a proof of who the user is.
    is_proved: bool,
    /// The index of the rule that skipped the second factor, and its result.
    skipped_by: Option<(usize, ReturnCode)>,
    /// The index of the line of the second factor that approved last.
    approved_by: Option<usize>,
}

impl Path {
    fn new() -> Self {
        Self {
            progress: Progress::new(),
            factor: FactorState::NotAsked,
            is_proved: false,
            skipped_by: None,
            approved_by: None,
        }
    }

    /// Returns the path on which `rule`, the current one, returns `result`. `last_factor` is the
    /// index of the last line of the second factor.
    fn step(
        &self,
        rules: &[Rule],
        rule: &Rule,
        result: ReturnCode,
        last_factor: Option<usize>,
    ) -> Self {
        let mut next = self.clone();
        next.progress.advance(rules, result);
        if rule.is_factor() {
            next.factor = update_factor_state(self.factor, result);
            if result == ReturnCode::SUCCESS {
                next.approved_by = Some(self.progress.at);
            }
        } else if is_proof(rule, result) {
            next.is_proved = true;
        }
        let leaves_the_sequence =
            matches!(rule.control.action(result), Action::Die | Action::Done | Action::Jump(_));
        let (before, after) = (self.progress.at, next.progress.at);
        let skips_factor =
            leaves_the_sequence && last_factor.is_some_and(|last| before < last && after > last);
        if skips_factor && next.factor == FactorState::NotAsked {
            next.skipped_by = Some((before, result));
        }
        next
    }
}

/// The ends of the paths.
#[derive(Default)]
struct Endings {
    can_succeed: bool,
    skips_unenrolled: bool,
    skips_strangers: bool,
    /// The index of the first line of the second factor whose approval alone lets a user in.
    code_alone: Option<usize>,
    /// The bypasses, by the index of the rule that opens each. The flag is true if the bypass
    /// overrules the second factor.
    bypasses: BTreeMap<(usize, bool), Bypass>,
    /// The first two lines of the second factor that both ask, by their indices.
    asks_twice: Option<(usize, usize)>,
}

impl Endings {
    /// Adds a path on which the stack succeeded.
    fn add_success(&mut self, rules: &[Rule], path: &Path, last_factor: Option<usize>) {
        self.can_succeed |= path.factor != FactorState::Skipped;
        match path.factor {
            FactorState::Approved => {
                let alone = path.approved_by.filter(|_| !path.is_proved);
                self.code_alone = self.code_alone.into_iter().chain(alone).min();
            }
            FactorState::Skipped => {
                self.skips_unenrolled = true;
                self.skips_strangers |= !path.is_proved;
            }
            FactorState::NotAsked => {
                let Some((index, result)) = path.skipped_by else { return };
                let Some(rule) = rules.get(index) else { return };
                self.bypasses.entry((index, false)).or_insert_with(|| Bypass::NotAsked {
                    past: rule.place.clone(),
                    word: rule.word.clone(),
                    module: rule.module().to_owned(),
                    result,
                });
            }
            FactorState::Refused(result) => {
                let index = last_factor.unwrap_or_default();
                let Some(rule) = rules.get(index) else { return };
                self.bypasses.entry((index, true)).or_insert_with(|| Bypass::Overruled {
                    at: rule.place.clone(),
                    word: rule.word.clone(),
                    result,
                });
            }
        }
    }
}

/// Follows all paths, for root if `is_root`.
fn explore(rules: &[Rule], exists: &dyn Fn(&str) -> bool, is_root: bool) -> Endings {
    let last_factor = rules.iter().rposition(|rule| rule.is_factor());
    let mut endings = Endings::default();
    let mut seen = HashSet::new();
    let mut open = vec![Path::new()];
    while let Some(mut path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        // Without the second factor there is nothing else to find.
        if last_factor.is_none() && endings.can_succeed {
            break;
        }
        match path.progress.next(rules) {
            Some(rule) => {
                if let Some(first) = path.approved_by.filter(|_| rule.is_factor()) {
                    let pair = (first, path.progress.at);
                    let known = endings.asks_twice.unwrap_or(pair);
                    endings.asks_twice = Some(known.min(pair));
                }
                let results = results(rule, exists, is_root);
                open.extend(
                    results.into_iter().map(|result| path.step(rules, rule, result, last_factor)),
                );
            }
            None if path.progress.outcome() == ReturnCode::SUCCESS => {
                endings.add_success(rules, &path, last_factor);
            }
            None => {}
        }
    }
    endings
}

/// Returns the state after a line of the second factor returned `result`.
fn update_factor_state(before: FactorState, result: ReturnCode) -> FactorState {
    match (before, result) {
        (FactorState::Approved, _) | (_, ReturnCode::SUCCESS) => FactorState::Approved,
        (FactorState::NotAsked, ReturnCode::IGNORE) => FactorState::Skipped,
        (before, ReturnCode::IGNORE) => before,
        (_, result) => FactorState::Refused(result),
    }
}

/// The longest stack that is explored. Distributions have about 20 lines.
pub(crate) const MAX_RULES: usize = 400;
