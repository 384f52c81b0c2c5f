//! The acts of the campaign of crashes, and the promises of their answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::backup::PublicKey;

/// Something that the writer does to the store, and when it was answered.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// The begin of an act: from now on it may be there.
    Begun(Act),
    /// The answer to an act: from now on it must be there.
    Done(Act),
    /// What the witness says from now on.
    Witness(Vec<u8>),
    /// What the host is doing from now on.
    Phase(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Approve(String, u64),
    Confirm(String, u64),
    Deny(String),
    Enroll(String),
    /// A recovery code.
    Recover(String, String),
    Rekey(String),
    Remove(String),
    Restore,
    /// A backup, by its signer and its time.
    Sign(PublicKey, u64),
}

/// The promises of the answers.
#[derive(Clone, Default)]
pub(super) struct Promises {
    pub(super) confirmed: BTreeSet<String>,
    pub(super) removed: BTreeSet<String>,
    pub(super) used: BTreeMap<String, BTreeSet<u64>>,
    pub(super) recovered: BTreeMap<String, BTreeSet<String>>,
    pub(super) denied: BTreeMap<String, u32>,
    pub(super) key: Option<String>,
    pub(super) backup: BTreeSet<String>,
    pub(super) signers: Vec<PublicKey>,
    pub(super) newest_backup: Option<u64>,
    /// True after a restoration, until the next login: it closes steps.
    pub(super) is_restored: bool,
}

impl Promises {
    pub(super) fn keep(&mut self, act: &Act) {
        match act {
            Act::Approve(name, step) => {
                self.used.entry(name.clone()).or_default().insert(*step);
                self.denied.remove(name);
                self.is_restored = false;
            }
            Act::Confirm(name, step) => {
                self.used.entry(name.clone()).or_default().insert(*step);
                self.confirmed.insert(name.clone());
                self.removed.remove(name);
            }
            Act::Deny(name) => *self.denied.entry(name.clone()).or_default() += 1,
            Act::Enroll(_) => {}
            Act::Recover(name, code) => {
                self.recovered.entry(name.clone()).or_default().insert(code.clone());
                self.denied.remove(name);
            }
            Act::Rekey(key) => self.key = Some(key.clone()),
            Act::Remove(name) => {
                self.confirmed.remove(name);
                self.removed.insert(name.clone());
            }
            Act::Restore => {
                self.confirmed.clone_from(&self.backup);
                self.removed.clear();
                self.denied.clear();
                self.is_restored = true;
            }
            Act::Sign(signer, time) => {
                self.signers.push(*signer);
                self.newest_backup = Some(*time);
            }
        }
    }
}
