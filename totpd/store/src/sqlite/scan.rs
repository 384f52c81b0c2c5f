//! Reading and unsealing every record, without a change (`totpctl verify-store`).

use crate::StoreError;
use crate::progress::Progress;
use crate::sqlite::Local;
use crate::sqlite::rows::{self, AnyRow, Name};

/// What came of it.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Records that were looked at.
    pub records: u64,
    /// Those that are not what was written, by the names of their users; the first thousand.
    pub damaged: Vec<String>,
    /// How many those are in all.
    pub damaged_count: u64,
}

impl ScanReport {
    /// Counts a record that is not what was written.
    pub(super) fn record_damaged(&mut self, name: String) {
        self.damaged_count += 1;
        if self.damaged.len() < MAX_DAMAGED_NAMES {
            self.damaged.push(name);
        }
    }
}

impl Local {
    /// Reads and unseals every record.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read. A record that cannot be unsealed is no error: it
    /// is in the answer.
    pub fn check(&self, progress: &Progress) -> Result<ScanReport, StoreError> {
        let _turn = self.turn()?;
        let mut checked = ScanReport::default();
        self.each_page(progress, |rows| {
            let key_set = self.0.keys.now();
            for row in &rows {
                checked.records += 1;
                let subject = row.subject();
                if subject.is_none_or(|subject| key_set.decode(&subject, &row.row).is_err()) {
                    checked.record_damaged(row.shown());
                }
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(checked)
    }

    /// Hands over all rows, page by page, each as it is at some moment while this goes on. Logins go
    /// on between the pages, and the log can be begun anew.
    pub(super) fn each_page<E: From<StoreError>>(
        &self,
        progress: &Progress,
        mut work: impl FnMut(Vec<AnyRow>) -> Result<(), E>,
    ) -> Result<(), E> {
        progress.begin(self.count()?);
        let mut after = Name::FIRST;
        loop {
            let from = after.clone();
            let page = self.read_now("everybody", move |rows| rows::page(rows, &from, PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.name);
            let rows = page.len();
            work(page)?;
            progress.add(rows);
        }
    }
}

/// Rows in one look, which others wait for.
pub(super) const PAGE: usize = 500;
const MAX_DAMAGED_NAMES: usize = 1000;
