//! Reading and unsealing every record, without a change (`totpctl verify-store`).

use crate::backend::StoreError;
use crate::progress::Progress;
use crate::sqlite::local::Local;
use crate::sqlite::row::{NamedRow, RowName};
use crate::sqlite::rows;

/// The result of a scan.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Records that were read.
    pub records: u64,
    /// The users whose records are not what was written; the first 1000.
    pub damaged: Vec<String>,
    /// The number of all these users.
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
    /// [`StoreError`] if the store cannot be read. A record that cannot be unsealed is no error:
    /// the report names it.
    pub fn scan(&self, progress: &Progress) -> Result<ScanReport, StoreError> {
        let _task = self.begin_task()?;
        let mut report = ScanReport::default();
        self.each_page(progress, |rows| {
            let keys = self.keys().get();
            for row in &rows {
                report.records += 1;
                if row.key().is_none_or(|key| keys.decode(&key, &row.row).is_err()) {
                    report.record_damaged(row.display_name());
                }
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(report)
    }

    /// Passes all rows to `work`, page by page. Logins continue between the pages, and the log can
    /// restart. So each row is as it was at some moment in between.
    pub(super) fn each_page<E: From<StoreError>>(
        &self,
        progress: &Progress,
        mut work: impl FnMut(Vec<NamedRow>) -> Result<(), E>,
    ) -> Result<(), E> {
        progress.begin(self.count()?);
        let mut after = RowName::FIRST;
        loop {
            let from = after.clone();
            let page = self.read_now(move |rows| rows::page(rows, &from, PAGE_SIZE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.name);
            let rows = page.len();
            work(page)?;
            progress.add(rows);
        }
    }
}

/// Rows in one read, which other readers wait for.
const PAGE_SIZE: usize = 500;
const MAX_DAMAGED_NAMES: usize = 1000;
