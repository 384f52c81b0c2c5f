//! The duties of every implementation of the store, for any medium. A test of an implementation
//! passes a function that creates an empty store to [`all`].
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use totpd_core::fixtures::{enrolled, user};
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::source::Source;
use totpd_core::void_windows::VoidWindows;

use crate::backend::Backend;
use crate::store::Store;

/// Runs every check, each on a store of its own.
pub fn all(empty: impl Fn() -> Arc<dyn Backend>) {
    let empty = || Store::new(empty(), Duration::from_secs(30));
    run(a_written_record_is_read(empty()));
    run(a_change_to_none_removes_the_record(empty()));
    run(a_discarded_record_is_gone(empty()));
    run(concurrent_changes_lose_nothing(empty()));
    run(the_result_is_that_of_the_last_run(empty()));
    run(users_are_listed_in_order_without_buckets(empty()));
    run(concurrent_attempts_accept_a_code_once(empty()));
}

/// Runs `future` on a runtime of its own.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn a_written_record_is_read(store: Store) {
    assert!(store.read(user("alice")).await.unwrap().is_none());
    let mut record = enrolled(1000);
    record.throttle.fail(&Source::Nowhere, 7);
    let written = record.clone();
    store.update(user("alice"), move |_, _| ((), Some(written.clone()))).await.unwrap();
    let read = store.read(user("alice")).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{record:?}"));
    assert_eq!(read.factors[0].seed.bytes(), record.factors[0].seed.bytes());
    let outline = store.read_outline(user("alice")).await.unwrap().unwrap();
    assert_eq!(format!("{outline:?}"), format!("{:?}", Outline::from(record)));
    assert!(store.read(user("alic")).await.unwrap().is_none());
    assert!(store.read_outline(user("alic")).await.unwrap().is_none());
}

async fn a_change_to_none_removes_the_record(store: Store) {
    store.update(user("alice"), |_, _| ((), Some(enrolled(1)))).await.unwrap();
    assert!(store.update(user("alice"), |record, _| (record.is_some(), None)).await.unwrap());
    assert!(store.read(user("alice")).await.unwrap().is_none());
    assert!(!store.update(user("alice"), |record, _| (record.is_some(), None)).await.unwrap());
}

async fn a_discarded_record_is_gone(store: Store) {
    store.update(user("alice"), |_, _| ((), Some(enrolled(1)))).await.unwrap();
    store.discard(user("alice")).await.unwrap();
    store.discard(user("alice")).await.unwrap();
    assert!(store.read(user("alice")).await.unwrap().is_none());
}

async fn concurrent_changes_lose_nothing(store: Store) {
    let mut waiting = Vec::new();
    for _ in 0..500 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            let one_more = |record: Option<Record>, _: &VoidWindows| {
                let mut record = record.unwrap_or_else(|| Record::new(0));
                record.uid += 1;
                ((), Some(record))
            };
            store.update(user("alice"), one_more).await
        }));
    }
    for update in waiting {
        update.await.unwrap().unwrap();
    }
    assert_eq!(store.read(user("alice")).await.unwrap().unwrap().uid, 500);
}

async fn the_result_is_that_of_the_last_run(store: Store) {
    let mut runs = 0;
    let last = move |record: Option<Record>, _: &VoidWindows| {
        runs += 1;
        let record = Record { uid: runs, ..record.unwrap_or_else(|| Record::new(0)) };
        (runs, Some(record))
    };
    let result = store.update(user("alice"), last).await.unwrap();
    assert_eq!(store.read(user("alice")).await.unwrap().unwrap().uid, result);
}

async fn users_are_listed_in_order_without_buckets(store: Store) {
    for name in ["bob", "alice", "Zoe", "7of9", "~x", "ümit"] {
        store.update(user(name), |_, _| ((), Some(enrolled(1)))).await.unwrap();
    }
    store.update(RecordKey::Bucket(5), |_, _| ((), Some(Record::new(0)))).await.unwrap();
    let names = async |after: &str, limit| -> Vec<String> {
        let listed = store.list(after.into(), limit).await.unwrap();
        listed.into_iter().map(|listed| listed.name.to_string()).collect()
    };
    assert_eq!(names("", 100).await, ["7of9", "Zoe", "alice", "bob", "~x", "ümit"]);
    assert_eq!(names("7", 2).await, ["7of9", "Zoe"]);
    assert_eq!(names("Zoe", 2).await, ["alice", "bob"]);
    assert_eq!(names("alicf", 1).await, ["bob"]);
    assert!(names("ümit", 2).await.is_empty());
}

async fn concurrent_attempts_accept_a_code_once(store: Store) {
    store.update(user("alice"), |_, _| ((), Some(enrolled(1)))).await.unwrap();
    let mut attempts = Vec::new();
    for _ in 0..100 {
        let store = store.clone();
        attempts.push(tokio::spawn(async move {
            let take = |record: Option<Record>, _: &VoidWindows| {
                let mut record = record.unwrap();
                let fresh = record.factors[0].last_accepted.is_none();
                record.factors[0].last_accepted = Some(7);
                (fresh, Some(record))
            };
            store.update(user("alice"), take).await.unwrap()
        }));
    }
    let mut accepted = 0;
    for attempt in attempts {
        accepted += u32::from(attempt.await.unwrap());
    }
    assert_eq!(accepted, 1);
}

#[test]
fn the_memory_store_conforms() {
    all(|| Arc::new(crate::memory::Memory::default()));
}
