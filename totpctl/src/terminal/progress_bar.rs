//! A progress bar, for whoever waits at a terminal longer than a second.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that appears when it is due. It goes when it is dropped.
pub(crate) struct Bar {
    what: String,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// A bar for a task that begins now.
    pub(crate) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), since: Instant::now(), bar: None }
    }

    /// Whether somebody waits long enough.
    pub(crate) fn is_due(&self) -> bool {
        self.since.elapsed() >= PROGRESS_BAR_DELAY && io::stderr().is_terminal()
    }

    /// Shows that `done` of `total` records are done; 0: nobody knows of how many.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        let bar = self.bar.get_or_insert_with(ProgressBar::new_spinner);
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

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Nobody wants to see a bar for less.
const PROGRESS_BAR_DELAY: Duration = Duration::from_secs(1);
