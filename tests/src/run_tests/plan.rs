//! The share of the machine that each test takes, and the order of their starts.

use std::collections::BTreeMap;

/// The share of the machine that a test takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// A number of slots.
    Slots(usize),
    /// All of it, when no other test runs.
    Alone,
}

impl Share {
    /// Returns the number of slots of this share, if there are `all` slots.
    pub fn slots(self, all: usize) -> usize {
        match self {
            Self::Slots(slots) => slots.min(all),
            Self::Alone => all,
        }
    }
}

/// The knowledge before tests run.
pub struct Plan {
    /// The shares, by the start of a name.
    shares: Vec<(String, Share)>,
    /// The seconds that tests took the last time.
    pub seconds: BTreeMap<String, f64>,
}

impl Plan {
    /// Reads `tests/needs.toml` and lines `NAME SECONDS`.
    ///
    /// # Panics
    ///
    /// If the first is not as its header says.
    pub fn new(needs: &str, times: &str) -> Self {
        let shares = needs.split_once("\n[slots]\n").expect("a table of slots").1;
        let share = |line: &str| {
            let (name, share) = line.split_once(" = ").expect("NAME = SLOTS");
            let share = match share.trim_matches('"') {
                "alone" => Share::Alone,
                number => Share::Slots(number.parse().expect(line)),
            };
            (name.trim_matches('"').to_owned(), share)
        };
        let lines = shares.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let time = |line: &str| {
            let (name, seconds) = line.split_once(' ')?;
            Some((name.to_owned(), seconds.parse().ok()?))
        };
        Self {
            shares: lines.map(share).collect(),
            seconds: times.lines().filter_map(time).collect(),
        }
    }

    /// Returns the share of the machine that a test takes.
    pub fn share(&self, name: &str) -> Share {
        let share = self.shares.iter().find(|(start, _)| name.starts_with(start.as_str()));
        share.map_or(Share::Slots(1), |(_, share)| *share)
    }

    /// Returns the delay of the last tests if this one started last: its slots times its seconds. A
    /// test that did not run yet counts ten seconds.
    pub fn later(&self, name: &str) -> f64 {
        let slots = self.share(name).slots(8) as f64;
        slots * self.seconds.get(name).copied().unwrap_or(10.0)
    }
}
