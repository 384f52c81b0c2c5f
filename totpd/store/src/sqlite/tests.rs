//! Tests of the store in SQLite, over its real files.
#![allow(clippy::disallowed_methods, reason = "tests run programs")]

mod campaign;
mod checkpoints;
mod child;
mod flushes;
mod folder;
mod formats;
mod host;
mod marks;
mod opening;
mod records;
mod rekey_states;
mod rekeying;
mod restoring;
mod signers;
mod tampering;
