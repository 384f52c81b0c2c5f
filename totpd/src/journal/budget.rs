//! How many lines of the journal one originator may cause. journald drops what a unit writes beyond 10,000 lines
//! in 30 s, whoever caused it: a flood of refusals would hide the lines of everybody else.

use std::collections::HashMap;

/// What the lines of one originator have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Topic {
    /// The user whom the lines are about; nothing if they name none.
    pub(crate) user: Option<String>,
    /// What happened, to whom and from where, escaped.
    pub(crate) text: String,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// It is counted, and not written.
    Count {
        /// Whether it is the first one since lines were last written or summed up.
        is_first: bool,
    },
    /// It is written.
    Write {
        /// Lines of the topic before it that were not, and that no summary has told of.
        unwritten: u64,
    },
}

/// The lines that each topic may still cause.
#[derive(Debug, Default)]
pub(crate) struct Budget(HashMap<Topic, Account>);

#[derive(Debug, Default)]
struct Account {
    /// When as many lines as at the start may be written again, in milliseconds.
    full_at: u64,
    unwritten: u64,
}

impl Budget {
    /// Counts a line of `topic` at `now` (milliseconds of a clock that only goes forward). Returns what becomes of
    /// it, and the topic that it counts for: beyond [`MOST_TOPICS`] one that all others share.
    pub(crate) fn admit(&mut self, topic: Topic, now: u64) -> (Topic, Admission) {
        let topic = self.counted_as(topic, now);
        let account = self.0.entry(topic.clone()).or_default();
        let full_at = account.full_at.max(now).saturating_add(PERIOD);
        if full_at > now.saturating_add(AT_ONCE * PERIOD) {
            account.unwritten = account.unwritten.saturating_add(1);
            return (topic, Admission::Count { is_first: account.unwritten == 1 });
        }
        account.full_at = full_at;
        let unwritten = std::mem::take(&mut account.unwritten);
        (topic, Admission::Write { unwritten })
    }

    /// Returns how many lines of `topic` were not written, and starts to count again.
    pub(crate) fn sum_up(&mut self, topic: &Topic) -> u64 {
        self.0.get_mut(topic).map_or(0, |account| std::mem::take(&mut account.unwritten))
    }

    fn counted_as(&mut self, topic: Topic, now: u64) -> Topic {
        if self.0.len() >= MOST_TOPICS && !self.0.contains_key(&topic) {
            // These would begin as new ones do.
            self.0.retain(|_, account| account.full_at > now || account.unwritten > 0);
            if self.0.len() >= MOST_TOPICS {
                return Topic { user: None, text: OTHERS.into() };
            }
        }
        topic
    }
}

/// Lines of one topic that are written at once.
const AT_ONCE: u64 = 30;
/// Milliseconds after which another line of one topic may be written.
pub(crate) const PERIOD: u64 = 5000;
/// With a summary for each line, all of them together stay below what journald takes.
const MOST_TOPICS: usize = 200;
const OTHERS: &str = "refusals from more users and places than are counted one by one";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(number: usize) -> Topic {
        Topic { user: Some("alice".into()), text: format!("denied from {number}") }
    }

    /// How many of `lines` lines of one topic at `now` are written.
    fn written(budget: &mut Budget, number: usize, lines: u32, now: u64) -> usize {
        let admit = |_| budget.admit(topic(number), now).1;
        (0..lines).map(admit).filter(|told| matches!(told, Admission::Write { .. })).count()
    }

    #[test]
    fn thirty_lines_are_written_at_once_and_one_in_five_seconds_then() {
        let mut budget = Budget::default();
        assert_eq!(written(&mut budget, 0, 100, 1000), 30);
        assert_eq!(written(&mut budget, 0, 100, 5999), 0);
        assert_eq!(written(&mut budget, 0, 100, 6000), 1);
        assert_eq!(written(&mut budget, 0, 100, 16_000), 2);
        assert_eq!(written(&mut budget, 0, 100, 1_000_000), 30, "a flood that ended is forgotten");
        assert_eq!(written(&mut budget, 1, 100, 1_000_000), 30, "another one has its own");
    }

    #[test]
    fn lines_that_are_not_written_are_told_once() {
        let mut budget = Budget::default();
        let mut admit = |now| budget.admit(topic(0), now).1;
        for _ in 0..30 {
            assert_eq!(admit(0), Admission::Write { unwritten: 0 });
        }
        assert_eq!(admit(0), Admission::Count { is_first: true });
        assert_eq!(admit(0), Admission::Count { is_first: false });
        assert_eq!(admit(PERIOD), Admission::Write { unwritten: 2 });
        assert_eq!(admit(PERIOD), Admission::Count { is_first: true });
        assert_eq!(budget.sum_up(&topic(0)), 1);
        assert_eq!(budget.sum_up(&topic(0)), 0);
        assert_eq!(budget.sum_up(&topic(1)), 0);
    }

    #[test]
    fn as_many_topics_as_somebody_makes_up_take_bounded_memory_and_share_what_is_left() {
        let mut budget = Budget::default();
        for number in 0..10_000 {
            assert_eq!(written(&mut budget, number, 1, 0), usize::from(number < MOST_TOPICS + 30));
        }
        assert_eq!(budget.0.len(), MOST_TOPICS + 1);
        let others = Topic { user: None, text: OTHERS.into() };
        assert_eq!(budget.sum_up(&others), 10_000 - 230);
        // The earlier ones have a budget still, and make room when they have been quiet.
        assert_eq!(written(&mut budget, 0, 100, 0), 29);
        assert_eq!(budget.admit(topic(20_000), AT_ONCE * PERIOD).0, topic(20_000));
        assert_eq!(budget.0.len(), 2, "and the one that has something to tell");
    }

    proptest! {
        /// Whatever is thrown: every line is written or told of, and journald drops none.
        #[test]
        fn no_flood_comes_to_what_journald_drops(
            lines in prop::collection::vec((0_usize..1000, 0_u64..40), 0..20_000),
        ) {
            let (mut budget, mut now, mut told, mut sent) = (Budget::default(), 0, 0, Vec::new());
            for (number, pause) in &lines {
                now += pause;
                let (_, admission) = budget.admit(topic(*number), now);
                if let Admission::Write { unwritten } = admission {
                    told += 1 + unwritten;
                    sent.extend([now; 2]);
                }
            }
            told += budget.0.values().map(|account| account.unwritten).sum::<u64>();
            prop_assert_eq!(told, lines.len() as u64);
            prop_assert!(budget.0.len() <= MOST_TOPICS + 1);
            for window in sent.windows(10_000) {
                prop_assert!(window[9_999] - window[0] > 30_000);
            }
        }
    }
}
