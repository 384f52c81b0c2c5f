//! Handing over every record for a backup.

use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::StoreError;
use crate::progress::Progress;
use crate::sqlite::Local;
use crate::sqlite::scan::ScanReport;

impl Local {
    /// Hands over the record of every user, in the order of names. Each is whole, and as it is at
    /// some moment while this goes on. Buckets are left out: on another machine they are others.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read, and what `take` fails with. A record that cannot
    /// be unsealed is no error: it is left out and named in the answer.
    pub fn each_user<E: From<StoreError>>(
        &self,
        progress: &Progress,
        mut take: impl FnMut(&UserName, &Record) -> Result<(), E>,
    ) -> Result<ScanReport, E> {
        let _turn = self.turn()?;
        let mut checked = ScanReport::default();
        self.each_page::<E>(progress, |rows| {
            let key_set = self.0.keys.now();
            for row in &rows {
                let subject = row.subject();
                let Some(RecordKey::User(name)) = &subject else {
                    if subject.is_none() {
                        checked.record_damaged(row.shown());
                    }
                    continue;
                };
                match key_set.decode(&RecordKey::User(name.clone()), &row.row) {
                    Err(_) => checked.record_damaged(row.shown()),
                    // Who has no factor is in the store for wrong codes alone.
                    Ok(record) if record.factors.is_empty() => {}
                    Ok(record) => {
                        take(name, &record)?;
                        checked.records += 1;
                    }
                }
            }
            Ok(())
        })?;
        Ok(checked)
    }
}
