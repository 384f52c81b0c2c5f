//! The record of a task on the store as a whole.

use totpd_journal::{Entry, Priority};

use crate::access::caller::Caller;
use crate::audit::event::{Restoration, StoreEvent};
use crate::audit::journal::loggable::loggable;
use crate::audit::reason::Reason;

pub(super) fn store_entry(by: Caller, event: &StoreEvent) -> Entry {
    let (reason, details) = match event {
        StoreEvent::BackedUp { users, fingerprint } => {
            (Reason::BackupMade, format!("{users} users, signed by {fingerprint}"))
        }
        StoreEvent::Restored(restoration) => (Reason::StoreRestored, details_of(restoration)),
        StoreEvent::Rekeyed { key } => (Reason::StoreRekeyed, key.clone()),
        StoreEvent::DamageFound { records } => (Reason::DamageFound, records.to_string()),
    };
    let message = format!("{} by uid {}: {details}", reason.sentence(), by.uid);
    Entry::new(Priority::Notice, message)
        .with("MESSAGE_ID", STORE_MESSAGE_ID)
        .with("TOTP_REASON", reason.token())
        .with("TOTP_BY_UID", &by.uid.to_string())
}

fn details_of(restoration: &Restoration) -> String {
    let fingerprint = restoration.fingerprint.as_ref().map(|text| format!(" {text}"));
    let newer = restoration.newer_backup;
    format!(
        "{} users from {}, made at second {}, signed by {}{}{}{}",
        restoration.users,
        loggable(&restoration.host),
        restoration.created,
        restoration.signed_by,
        fingerprint.unwrap_or_default(),
        newer.map(|newest| format!(", older than one of second {newest}")).unwrap_or_default(),
        if restoration.accepts_unsigned { ", with unsigned" } else { "" }
    )
}

/// The id that finds every task of the store as a whole.
const STORE_MESSAGE_ID: &str = "5e0c1d7b92a84f6f9d3a7c41b86e2f05";
