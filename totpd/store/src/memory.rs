//! A store in memory, for tests of what stands above one. It runs every change twice, as a store
//! that lost a race may, and fails when it is told to.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

use crate::{Backend, Change, Listed, Pending, StoreError};

/// The store.
#[derive(Default)]
pub struct Memory {
    records: Mutex<BTreeMap<String, Record>>,
    trouble: Mutex<Option<StoreError>>,
}

impl Memory {
    /// Fails from now on, or not any more.
    pub fn fail(&self, trouble: Option<StoreError>) {
        *self.trouble.lock().unwrap() = trouble;
    }

    fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut BTreeMap<String, Record>) -> T,
    ) -> Pending<T> {
        let answer = match self.trouble.lock().unwrap().clone() {
            Some(trouble) => Err(trouble),
            None => Ok(work(&mut self.records.lock().unwrap())),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Backend for Memory {
    fn read(&self, subject: RecordKey) -> Pending<Option<Record>> {
        self.answer(|records| records.get(&*subject.as_row_name()).cloned())
    }

    fn update(&self, subject: RecordKey, mut change: Change) -> Pending<()> {
        self.answer(|records| {
            let before = records.get(&*subject.as_row_name()).cloned();
            let _lost = change(before.clone());
            match change(before) {
                Some(record) => drop(records.insert(subject.as_row_name().into_owned(), record)),
                None => drop(records.remove(&*subject.as_row_name())),
            }
        })
    }

    fn discard(&self, subject: RecordKey) -> Pending<()> {
        self.answer(|records| drop(records.remove(&*subject.as_row_name())))
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
