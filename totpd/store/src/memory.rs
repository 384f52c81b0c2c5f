//! A store in memory, for tests of its users. It runs every change twice, as a store that lost a
//! race may, and fails on request.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;
use totpd_core::void_windows::VoidWindows;

use crate::backend::{Backend, Change, Listed, Pending, StoreError};

/// The store.
#[derive(Default)]
pub struct Memory {
    records: Mutex<BTreeMap<String, Record>>,
    failure: Mutex<Option<StoreError>>,
}

impl Memory {
    /// Fails every request with this error from now on, or none.
    pub fn fail(&self, error: Option<StoreError>) {
        *self.failure.lock().unwrap() = error;
    }

    fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut BTreeMap<String, Record>) -> T,
    ) -> Pending<T> {
        let answer = match self.failure.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(work(&mut self.records.lock().unwrap())),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Backend for Memory {
    fn read(&self, key: RecordKey) -> Pending<Option<Record>> {
        self.answer(|records| records.get(&*key.as_row_name()).cloned())
    }

    fn read_outline(&self, key: RecordKey) -> Pending<Option<Outline>> {
        self.answer(|records| records.get(&*key.as_row_name()).cloned().map(Outline::from))
    }

    fn update(&self, key: RecordKey, mut change: Change) -> Pending<()> {
        self.answer(|records| {
            let before = records.get(&*key.as_row_name()).cloned();
            let _lost_race = change(before.clone(), &VoidWindows::NONE);
            match change(before, &VoidWindows::NONE).record {
                Some(record) => drop(records.insert(key.as_row_name().into_owned(), record)),
                None => drop(records.remove(&*key.as_row_name())),
            }
        })
    }

    fn void_windows(&self) -> Arc<VoidWindows> {
        Arc::default()
    }

    fn note_prompt(&self, _: u64) {}

    fn discard(&self, key: RecordKey) -> Pending<()> {
        self.answer(|records| drop(records.remove(&*key.as_row_name())))
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        self.answer(|records| {
            let users =
                records.iter().filter(|(row, _)| **row > after).filter_map(|(row, record)| {
                    Some(Listed { name: UserName::parse(row)?, record: Ok(record.clone()) })
                });
            users.take(limit as usize).collect()
        })
    }
}
