//! What libpam makes of the results of modules, one after another (pam_dispatch.c of Linux-PAM).

use crate::control::Action;
use crate::return_code::Code;
use crate::stack::{Rule, What};

/// What the stack thinks so far.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Impression {
    Negative,
    None,
    Positive,
}

/// A stack that is being worked through.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Progress {
    /// The rule that is next.
    pub at: usize,
    impression: Impression,
    status: Code,
    level: u8,
    /// What it thought when each open substack was entered, the whole stack first.
    saved: Vec<(Impression, Code)>,
}

impl Progress {
    /// At the start.
    #[must_use]
    pub fn new() -> Self {
        let fresh = (Impression::None, Code::PERM_DENIED);
        Self { at: 0, impression: fresh.0, status: fresh.1, level: 0, saved: vec![fresh] }
    }

    /// The rule whose result is wanted next; nothing at the end.
    #[must_use]
    pub fn next<'a>(&mut self, rules: &'a [Rule]) -> Option<&'a Rule> {
        loop {
            let rule = rules.get(self.at)?;
            self.enter(rule.level);
            if !matches!(rule.what, What::Substack) {
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

    /// Goes on with the result of the rule that [`Progress::next`] answered.
    pub fn go_on(&mut self, rules: &[Rule], result: Code) {
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
                    saved.unwrap_or((Impression::None, Code::PERM_DENIED));
            }
        }
        self.at += 1;
    }

    /// What libpam returns at the end.
    #[must_use]
    pub fn outcome(&self) -> Code {
        match (self.status, self.impression) {
            (Code::SUCCESS, Impression::Negative | Impression::None) => Code::PERM_DENIED,
            (status, _) => status,
        }
    }

    fn succeed(&mut self, result: Code) {
        let open = match self.impression {
            Impression::Negative => false,
            Impression::None => true,
            Impression::Positive => self.status == Code::SUCCESS,
        };
        if open {
            self.impression = Impression::Positive;
            self.status = result;
        }
    }

    fn fail(&mut self, result: Code) {
        if self.impression != Impression::Negative {
            self.impression = Impression::Negative;
            // "Ignored" is nothing to return.
            self.status = if result == Code::IGNORE { Code::PERM_DENIED } else { result };
        }
    }

    fn refuse(&mut self) {
        self.impression = Impression::Negative;
        self.status = Code::PERM_DENIED;
    }

    /// Over lines of this level; a substack is one.
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

    /// To the end of this level.
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

/// What libpam returns where each module has this result.
pub fn run(rules: &[Rule], mut result: impl FnMut(&Rule) -> Code) -> Code {
    let mut progress = Progress::new();
    while let Some(rule) = progress.next(rules) {
        let result = match rule.what {
            What::MustFail(_) => Code::PERM_DENIED,
            _ => result(rule),
        };
        progress.go_on(rules, result);
    }
    progress.outcome()
}
