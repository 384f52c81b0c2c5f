//! The handle on an open store: its keys, its files, and the way to its threads.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;
use totpd_core::void_windows::VoidWindows;

use crate::backend::StoreError;
use crate::last_result::LastResult;
use crate::sqlite::active_keys::ActiveKeys;
use crate::sqlite::failure::{EVERYBODY, thread_ended, unavailable};
use crate::sqlite::key_sources::KeySources;
use crate::sqlite::layout::Layout;
use crate::sqlite::marker::{Effect, Marker};
use crate::sqlite::reader::Reader;
use crate::sqlite::row::RowName;
use crate::sqlite::rows::{self, RowError};
use crate::sqlite::writer::Writer;

/// A handle on the store of this host. It can be cloned; the last one closes the file.
#[derive(Clone)]
pub struct Local(Arc<Inner>);

struct Inner {
    layout: Layout,
    keys: ActiveKeys,
    key_sources: KeySources,
    marker: Arc<Marker>,
    /// Held by a task on the whole store: one at a time.
    whole_store: Mutex<()>,
    queues: Option<(Writer, Reader)>,
    threads: Vec<JoinHandle<()>>,
}

impl Local {
    pub(super) fn new(
        layout: Layout,
        (marker, keys): (Arc<Marker>, ActiveKeys),
        key_sources: KeySources,
        queues: (Writer, Reader),
        threads: Vec<JoinHandle<()>>,
    ) -> Self {
        Self(Arc::new(Inner {
            layout,
            keys,
            key_sources,
            marker,
            whole_store: Mutex::new(()),
            queues: Some(queues),
            threads,
        }))
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    pub(super) fn keys(&self) -> &ActiveKeys {
        &self.0.keys
    }

    pub(super) fn key_sources(&self) -> &KeySources {
        &self.0.key_sources
    }

    pub(super) fn marker(&self) -> &Marker {
        &self.0.marker
    }

    pub(super) fn writer(&self) -> Result<&Writer, StoreError> {
        self.0.queues.as_ref().map(|queues| &queues.0).ok_or_else(thread_ended)
    }

    pub(super) fn reader(&self) -> Result<&Reader, StoreError> {
        self.0.queues.as_ref().map(|queues| &queues.1).ok_or_else(thread_ended)
    }

    /// Ends the mark before the daemon stops, and makes no other. All that leaned is on disk when
    /// this returns.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails. The next start finds out what was lost.
    pub fn end_mark(&self) -> Result<(), StoreError> {
        let (sender, answer) = oneshot::channel();
        self.writer()?.exclusive(move |database| {
            let result = database.end_mark();
            if let Err(error) = &result {
                database.close_after_work(error);
            }
            database.marker().close();
            let _ = sender.send(result.map_err(unavailable));
        })?;
        answer.blocking_recv().map_err(|_| thread_ended())?
    }

    /// Counts the records: users, and buckets of names that nobody has.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        let (mut total, mut after) = (0, RowName::FIRST);
        loop {
            // A login waits for one page at most.
            let from = after;
            let (count, last) =
                self.read_now(move |rows| rows::count(rows, &from, COUNT_PAGE_SIZE))?;
            total += count as u64;
            if count < COUNT_PAGE_SIZE {
                return Ok(total);
            }
            after = last;
        }
    }

    /// Reads rows and blocks until the answer: for threads that work on the whole store.
    pub(super) fn read_now<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.reader()?.submit(EVERYBODY.into(), read)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(thread_ended()))
    }

    /// Makes a change and blocks until the answer. The change is on disk when this returns. `work`
    /// may run more than once.
    pub(super) fn write_now<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&Connection) -> Result<T, RowError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = LastResult::new();
        let change = {
            let result = result.clone();
            move |connection: &Connection, _: &VoidWindows| {
                result.set(work(connection)?);
                Ok(Effect::default())
            }
        };
        let completion = self.writer()?.submit(EVERYBODY.into(), change)?;
        completion.blocking_recv().unwrap_or_else(|_| Err(thread_ended()))?;
        result.take().ok_or_else(thread_ended)
    }

    /// Begins a task on the whole store. It ends when the guard is dropped.
    ///
    /// # Errors
    /// [`StoreError::Refused`] while another task is running.
    pub(super) fn begin_task(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        self.0.whole_store.try_lock().map_err(|_| {
            StoreError::Refused(
                "another rekey, backup, restore or verification is running; try again when it ends"
                    .into(),
            )
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queues = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Rows that are counted in one read.
const COUNT_PAGE_SIZE: usize = 10_000;
