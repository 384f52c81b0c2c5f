//! A progress bar on a terminal, after 1 s.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::ProgressStyle;

/// A progress bar. Dropping it removes it from the screen.
pub(crate) struct ProgressBar {
    what: String,
    since: Instant,
    bar: Option<indicatif::ProgressBar>,
}

impl ProgressBar {
    /// Returns the bar of a task that begins now.
    pub(crate) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), since: Instant::now(), bar: None }
    }

    /// Reports whether it is time to show the bar.
    pub(crate) fn is_due(&self) -> bool {
        self.since.elapsed() >= PROGRESS_BAR_DELAY && io::stderr().is_terminal()
    }

    /// Shows that `done` of `total` records are done. A `total` of 0 is unknown.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        let bar = self.bar.get_or_insert_with(indicatif::ProgressBar::new_spinner);
        let template = match total {
            0 => "{msg} {pos} records ({elapsed})",
            _ => "{msg} [{bar:30}] {pos}/{len} ({eta} left)",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(self.what.clone());
        bar.set_length(total);
        bar.set_position(done);
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shorter tasks show no bar.
const PROGRESS_BAR_DELAY: Duration = Duration::from_secs(1);
