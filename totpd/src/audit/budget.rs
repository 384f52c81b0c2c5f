//! The number of lines of the journal that one user and source may cause. journald drops the lines
//! of a unit beyond 10,000 lines in 30 s. Without a budget, a flood of refusals would hide all
//! other lines.

use std::collections::HashMap;

/// The common part of lines that share a budget.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Topic {
    /// The user that the lines are about, or `None` if they name none.
    pub(crate) user: Option<String>,
    /// The event, the user and the place, escaped.
    pub(crate) text: String,
}

/// The decision about a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Admission {
    /// The budget counts the line, and the log does not write it.
    Count {
        /// The flag of the first line since the log last wrote or summed up lines.
        is_first: bool,
    },
    /// The log writes the line.
    Write {
        /// The earlier lines of the topic that the log did not write and no summary counts.
        unwritten: u64,
    },
}

/// The lines that each topic may cause.
#[derive(Debug, Default)]
pub(crate) struct Budget(HashMap<Topic, Account>);

#[derive(Debug, Default)]
struct Account {
    /// The time at which the whole first burst of lines may be written again, in milliseconds.
    full_at: u64,
    unwritten: u64,
}

impl Budget {
    /// Counts a line of `topic` at `now` (milliseconds of a monotonic clock). Returns the decision
    /// about the line, and the topic that it counts for. Beyond [`MAX_TOPICS`], that topic is one
    /// for its user. Beyond [`MAX_USER_TOPICS`] of those, it is one that all others share. Root
    /// always has its own topic.
    pub(crate) fn admit(&mut self, topic: Topic, now: u64) -> (Topic, Admission) {
        let topic = self.topic_to_count(topic, now);
        let account = self.0.entry(topic.clone()).or_default();
        let full_at = account.full_at.max(now).saturating_add(LINE_INTERVAL);
        if full_at > now.saturating_add(MAX_BURST_LINES * LINE_INTERVAL) {
            account.unwritten = account.unwritten.saturating_add(1);
            return (topic, Admission::Count { is_first: account.unwritten == 1 });
        }
        account.full_at = full_at;
        let unwritten = std::mem::take(&mut account.unwritten);
        (topic, Admission::Write { unwritten })
    }

    /// Returns the number of lines of `topic` that were not written, and starts to count again.
    pub(crate) fn sum_up(&mut self, topic: &Topic) -> u64 {
        self.0.get_mut(topic).map_or(0, |account| std::mem::take(&mut account.unwritten))
    }

    fn topic_to_count(&mut self, topic: Topic, now: u64) -> Topic {
        if self.0.len() >= MAX_TOPICS && !self.0.contains_key(&topic) {
            // Each removed account would begin as a new one does.
            self.0.retain(|_, account| account.full_at > now || account.unwritten > 0);
            if self.0.len() >= MAX_TOPICS {
                return self.shared_topic(topic);
            }
        }
        topic
    }

    /// Returns the topic of a user with too many places, or that of all others.
    fn shared_topic(&self, topic: Topic) -> Topic {
        let Topic { user: Some(user), .. } = topic else { return others() };
        let is_root = user == "root";
        let text = format!("refusals for {user} from more places than are counted one by one");
        let own = Topic { user: Some(user), text };
        let has_room = self.0.len() < MAX_TOPICS + MAX_USER_TOPICS;
        if is_root || has_room || self.0.contains_key(&own) { own } else { others() }
    }
}

/// The number of lines of one topic that are written without a pause.
const MAX_BURST_LINES: u64 = 30;
/// The milliseconds after which another line of one topic may be written.
pub(crate) const LINE_INTERVAL: u64 = 5000;
/// The maximum number of topics. With a summary for each line, all of them together stay below the
/// limit of journald.
const MAX_TOPICS: usize = 150;
/// The users beyond those topics that have a topic each.
const MAX_USER_TOPICS: usize = 40;

fn others() -> Topic {
    let text = "refusals from more users and places than are counted one by one".into();
    Topic { user: None, text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(number: usize) -> Topic {
        Topic { user: Some("alice".into()), text: format!("denied from {number}") }
    }

    /// Returns the topic of one of many users, at many places. Root is among them.
    fn anybodys(number: usize) -> Topic {
        let user = if number == 7 { "root".into() } else { format!("user{}", number % 90) };
        Topic { user: Some(user), text: format!("denied from {number}") }
    }

    /// Returns the number of written lines, of `lines` lines of one topic at `now`.
    fn written(budget: &mut Budget, number: usize, lines: u32, now: u64) -> usize {
        let admit = |_| budget.admit(topic(number), now).1;
        (0..lines)
            .map(admit)
            .filter(|admission| matches!(admission, Admission::Write { .. }))
            .count()
    }

    #[test]
    fn a_topic_has_30_lines_at_once_and_then_one_in_5_s() {
        let mut budget = Budget::default();
        assert_eq!(written(&mut budget, 0, 100, 1000), 30);
        assert_eq!(written(&mut budget, 0, 100, 5999), 0);
        assert_eq!(written(&mut budget, 0, 100, 6000), 1);
        assert_eq!(written(&mut budget, 0, 100, 16_000), 2);
        assert_eq!(written(&mut budget, 0, 100, 1_000_000), 30, "a flood that ended is forgotten");
        assert_eq!(written(&mut budget, 1, 100, 1_000_000), 30, "another one has its own");
    }

    #[test]
    fn unwritten_lines_are_summed_up_once() {
        let mut budget = Budget::default();
        let mut admit = |now| budget.admit(topic(0), now).1;
        for _ in 0..30 {
            assert_eq!(admit(0), Admission::Write { unwritten: 0 });
        }
        assert_eq!(admit(0), Admission::Count { is_first: true });
        assert_eq!(admit(0), Admission::Count { is_first: false });
        assert_eq!(admit(LINE_INTERVAL), Admission::Write { unwritten: 2 });
        assert_eq!(admit(LINE_INTERVAL), Admission::Count { is_first: true });
        assert_eq!(budget.sum_up(&topic(0)), 1);
        assert_eq!(budget.sum_up(&topic(0)), 0);
        assert_eq!(budget.sum_up(&topic(1)), 0);
    }

    #[test]
    fn made_up_topics_take_bounded_memory_and_share_a_budget() {
        let mut budget = Budget::default();
        for number in 0..10_000 {
            let expected = usize::from(number < MAX_TOPICS + 30);
            assert_eq!(written(&mut budget, number, 1, 0), expected, "{number}");
        }
        assert_eq!(budget.0.len(), MAX_TOPICS + 1, "one topic of alice for all other places");
        let of = |user: &str, number| Topic {
            user: Some(user.into()),
            text: format!("denied for {user} from {number}"),
        };
        for number in 0..10_000 {
            let user = format!("user{number}");
            let (counted, _) = budget.admit(of(&user, 1), 0);
            let is_shared = number >= MAX_USER_TOPICS - 1;
            assert_eq!(counted == others(), is_shared, "{user}: {counted:?}");
        }
        // The budget counts an attack on root for root, at any number of invented places and users.
        let (counted, admission) = budget.admit(of("root", 1), 0);
        assert_eq!(counted.user.as_deref(), Some("root"));
        assert_eq!(admission, Admission::Write { unwritten: 0 });
        assert!(budget.0.len() <= MAX_TOPICS + MAX_USER_TOPICS + 2);
        // The earlier topics still have a budget, and make room when they have been quiet.
        assert_eq!(written(&mut budget, 0, 100, 0), 29);
        let later = MAX_BURST_LINES * LINE_INTERVAL;
        budget.0.values_mut().for_each(|account| account.unwritten = 0);
        assert_eq!(budget.admit(topic(20_000), later).0, topic(20_000));
        assert_eq!(budget.0.len(), 1);
    }

    /// Returns the writes for lines of topics that come at these milliseconds, in order. The
    /// function acts as the log does, with a summary when the time for it has come. Each line and
    /// each summary is one write.
    fn written_at(lines: &[(usize, u64)], budget: &mut Budget) -> (Vec<u64>, u64) {
        let (mut sent, mut counted, mut due) = (Vec::new(), 0, Vec::<(u64, Topic)>::new());
        for (number, now) in lines {
            while due.first().is_some_and(|(at, _)| at <= now) {
                let (at, topic) = due.remove(0);
                let unwritten = budget.sum_up(&topic);
                sent.extend((unwritten > 0).then_some(at));
                counted += unwritten;
            }
            match budget.admit(anybodys(*number), *now) {
                (_, Admission::Write { unwritten }) => {
                    sent.extend((unwritten > 0).then_some(*now));
                    sent.push(*now);
                    counted += 1 + unwritten;
                }
                (topic, Admission::Count { is_first: true }) => {
                    due.push((now + LINE_INTERVAL, topic))
                }
                (_, Admission::Count { is_first: false }) => {}
            }
        }
        counted += budget.0.values().map(|account| account.unwritten).sum::<u64>();
        (sent, counted)
    }

    /// Returns the maximum number of writes in any 30 seconds.
    fn most_in_thirty_seconds(sent: &[u64]) -> usize {
        let until = |from: u64| sent.partition_point(|at| *at < from + 30_000);
        (0..sent.len()).map(|first| until(sent[first]) - first).max().unwrap_or(0)
    }

    #[test]
    fn all_topics_together_stay_below_the_limit_of_journald() {
        // Each of 300 topics has a line every 100 ms, for a minute. That makes 180,000 lines.
        let lines: Vec<_> =
            (0..600).flat_map(|n| (0..300).map(move |topic| (topic, n * 100))).collect();
        let (sent, counted) = written_at(&lines, &mut Budget::default());
        assert_eq!(counted, 180_000);
        let most = most_in_thirty_seconds(&sent);
        assert!((6000..10_000).contains(&most), "{most}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        /// Checks that the log writes or counts each line of every flood, and journald drops none.
        #[test]
        fn no_flood_reaches_the_limit_of_journald(
            lines in prop::collection::vec((0_usize..400, 0_u64..3), 15_000..30_000),
        ) {
            let (mut budget, mut now) = (Budget::default(), 0);
            let lines: Vec<_> = lines
                .into_iter()
                .map(|(number, pause)| {
                    now += pause;
                    (number, now)
                })
                .collect();
            let (sent, counted) = written_at(&lines, &mut budget);
            prop_assert_eq!(counted, lines.len() as u64);
            prop_assert!(budget.0.len() <= MAX_TOPICS + MAX_USER_TOPICS + 2);
            prop_assert!(most_in_thirty_seconds(&sent) < 10_000);
        }
    }
}
