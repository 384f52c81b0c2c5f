//! All records for a backup.

use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::backend::StoreError;
use crate::progress::Progress;
use crate::sqlite::local::Local;
use crate::sqlite::scan::ScanReport;

impl Local {
    /// Passes the record of every user to `write`, in the order of names. Each is whole, and as it
    /// was at some moment in between. Buckets are left out: another machine has other ones.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read, and the errors of `write`. A record that cannot
    /// be unsealed is no error: it is left out, and the report names it.
    pub fn each_user<E: From<StoreError>>(
        &self,
        progress: &Progress,
        mut write: impl FnMut(&UserName, &Record) -> Result<(), E>,
    ) -> Result<ScanReport, E> {
        let _task = self.begin_task()?;
        let mut report = ScanReport::default();
        self.each_page::<E>(progress, |rows| {
            let keys = self.keys().get();
            for row in &rows {
                let key = row.key();
                let Some(RecordKey::User(name)) = &key else {
                    if key.is_none() {
                        report.record_damaged(row.display_name());
                    }
                    continue;
                };
                match keys.decode(&RecordKey::User(name.clone()), &row.row) {
                    Err(_) => report.record_damaged(row.display_name()),
                    // A record without a factor only counts wrong codes.
                    Ok(record) if record.factors.is_empty() => {}
                    Ok(record) => {
                        write(name, &record)?;
                        report.records += 1;
                    }
                }
            }
            Ok(())
        })?;
        Ok(report)
    }
}
