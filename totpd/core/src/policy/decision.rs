//! The decision about one login.

use crate::policy::judgment::{Condition, Judgment};
use crate::policy::limits::Limits;
use crate::policy::question::{Person, Question};
use crate::policy::requirement::Requirement;
use crate::policy::rule::{Rule, Then};
use crate::policy::rule_list::Policy;

/// What a login needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decision<'r> {
    /// What it needs.
    pub requirement: Requirement<'r>,
    /// The flag that an unknown user or unknown groups may have made it stricter. With
    /// [`Groups::UNKNOWN`](crate::policy::Groups::UNKNOWN), the caller looks them up and asks
    /// again.
    pub lacks_people: bool,
    /// The flag that nobody could judge one of the rules before.
    pub is_in_doubt: bool,
}

/// Returns what a login needs: what the first rule says that fits. Shows `see` each rule that it
/// looks at, in their order, with its judgment.
///
/// A rule that nobody can judge counts twice: as if it fitted, and as if it did not. The stricter
/// result holds. So less knowledge never gives a laxer requirement.
pub fn decide<'r>(
    policy: &'r Policy,
    question: &Question<'_>,
    mut see: impl FnMut(&'r Rule, Judgment),
) -> Decision<'r> {
    // The strictest requirement of the rules so far that nobody can judge.
    let mut floor: Option<Requirement<'r>> = None;
    let mut lacks_people = false;
    for entry in &policy.entries {
        let judgment = entry.judge(question);
        see(&entry.rule, judgment);
        if matches!(judgment, Judgment::Misfits(_)) {
            continue;
        }
        let requirement = entry.rule.requirement(question);
        let strictest = floor.map_or(requirement, |floor| floor.or_stricter(requirement));
        if judgment == Judgment::Fits {
            let is_in_doubt = floor.is_some();
            return Decision { requirement: strictest, lacks_people, is_in_doubt };
        }
        lacks_people |= judgment == Judgment::Unknown(Condition::People);
        floor = Some(strictest);
    }
    let requirement =
        floor.map_or(Requirement::DEFAULT, |floor| floor.or_stricter(Requirement::DEFAULT));
    Decision { requirement, lacks_people, is_in_doubt: floor.is_some() }
}

impl Rule {
    /// Returns what a login needs that the rule fits.
    fn requirement(&self, question: &Question<'_>) -> Requirement<'_> {
        match self.then {
            Then::Require(limits) => Requirement::Code(limits, Some(self)),
            Then::Skip => Requirement::Skip(self),
            Then::Deny => Requirement::Deny(self),
            Then::EnrollBy(deadline) => {
                let is_open = question.is_unenrolled && question.now < deadline.0;
                match is_open && matches!(question.user, Person::Account(_)) {
                    true => Requirement::EnrollUntil(deadline, self),
                    false => Requirement::Code(PASSED, Some(self)),
                }
            }
        }
    }
}

/// The limits of a code after a deadline, which outlives `nullok`.
const PASSED: Limits = Limits { ends_nullok: true, ..Limits::NONE };
