//! Runs a stack as libpam does (pam_dispatch.c of Linux-PAM).

use crate::control::Action;
use crate::return_code::ReturnCode;
use crate::stack::{Rule, RuleKind};

/// The result so far.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Impression {
    Negative,
    None,
    Positive,
}

/// The state of a running stack.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Progress {
    /// The index of the next rule.
    pub at: usize,
    impression: Impression,
    status: ReturnCode,
    level: u8,
    /// The result so far at the start of the stack, and of each open substack.
    saved: Vec<(Impression, ReturnCode)>,
}

impl Progress {
    /// Returns the state at the start.
    #[must_use]
    pub fn new() -> Self {
        let fresh = (Impression::None, ReturnCode::PERM_DENIED);
        Self { at: 0, impression: fresh.0, status: fresh.1, level: 0, saved: vec![fresh] }
    }

    /// Returns a state without results at this rule.
    pub(crate) fn at(rules: &[Rule], at: usize) -> Self {
        let level = rules.get(at).map_or(0, |rule| rule.level);
        let fresh = (Impression::None, ReturnCode::PERM_DENIED);
        Self {
            at,
            impression: fresh.0,
            status: fresh.1,
            level,
            saved: vec![fresh; usize::from(level) + 1],
        }
    }

    /// Returns the rule whose result is needed next, or nothing at the end.
    #[must_use]
    pub fn next<'a>(&mut self, rules: &'a [Rule]) -> Option<&'a Rule> {
        loop {
            let rule = rules.get(self.at)?;
            self.enter(rule.level);
            if !matches!(rule.kind, RuleKind::Substack) {
                return Some(rule);
            }
            self.at += 1;
        }
    }

    fn enter(&mut self, level: u8) {
        if level > self.level {
            self.saved.truncate(usize::from(self.level) + 1);
            self.saved.resize(usize::from(level) + 1, (self.impression, self.status));
        }
        self.level = level;
    }

    /// Continues with the result of the rule that [`Progress::next`] returned.
    pub fn advance(&mut self, rules: &[Rule], result: ReturnCode) {
        let Some(rule) = rules.get(self.at) else { return };
        match rule.control.action(result) {
            Action::Bad => self.fail(result),
            Action::Die => {
                self.fail(result);
                self.leave(rules, rule.level);
            }
            Action::Done => {
                self.succeed(result);
                if self.impression == Impression::Positive {
                    self.leave(rules, rule.level);
                }
            }
            Action::Ignore => {}
            Action::Jump(over) => self.jump(rules, rule.level, over),
            Action::Ok => self.succeed(result),
            Action::Reset => {
                let saved = self.saved.get(usize::from(rule.level)).copied();
                (self.impression, self.status) =
                    saved.unwrap_or((Impression::None, ReturnCode::PERM_DENIED));
            }
        }
        self.at += 1;
    }

    /// Returns what libpam returns at the end.
    #[must_use]
    pub fn outcome(&self) -> ReturnCode {
        match (self.status, self.impression) {
            (ReturnCode::SUCCESS, Impression::Negative | Impression::None) => {
                ReturnCode::PERM_DENIED
            }
            (status, _) => status,
        }
    }

    /// Reports whether the stack has failed so far.
    pub(crate) fn has_failed(&self) -> bool {
        self.impression == Impression::Negative
    }

    fn succeed(&mut self, result: ReturnCode) {
        let open = match self.impression {
            Impression::Negative => false,
            Impression::None => true,
            Impression::Positive => self.status == ReturnCode::SUCCESS,
        };
        if open {
            self.impression = Impression::Positive;
            self.status = result;
        }
    }

    fn fail(&mut self, result: ReturnCode) {
        if self.impression != Impression::Negative {
            self.impression = Impression::Negative;
            // libpam never returns PAM_IGNORE.
            self.status =
                if result == ReturnCode::IGNORE { ReturnCode::PERM_DENIED } else { result };
        }
    }

    fn refuse(&mut self) {
        self.impression = Impression::Negative;
        self.status = ReturnCode::PERM_DENIED;
    }

    /// Skips lines of this level. A substack counts as one.
    fn jump(&mut self, rules: &[Rule], level: u8, mut over: u32) {
        let level_of = |at: usize| rules.get(at).map(|rule| rule.level);
        while over > 0 && level_of(self.at + 1).is_some_and(|next| next >= level) {
            self.at += 1;
            while level_of(self.at + 1).is_some_and(|next| next > level) {
                self.at += 1;
            }
            over -= 1;
        }
        if over > 0 {
            self.refuse();
        }
    }

    /// Skips to the end of this level.
    fn leave(&mut self, rules: &[Rule], level: u8) {
        while rules.get(self.at + 1).is_some_and(|next| next.level >= level) {
            self.at += 1;
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns what libpam returns if each module has the result that `result` gives it.
pub fn run(rules: &[Rule], mut result: impl FnMut(&Rule) -> ReturnCode) -> ReturnCode {
    let mut progress = Progress::new();
    while let Some(rule) = progress.next(rules) {
        let result = match rule.kind {
            RuleKind::MustFail(_) | RuleKind::FailedInclude(_) => ReturnCode::PERM_DENIED,
            _ => result(rule),
        };
        progress.advance(rules, result);
    }
    progress.outcome()
}
