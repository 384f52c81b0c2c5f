//! The state of the daemon itself that an administrator looks for in the journal.

use totpd_journal::{Entry, Priority};

/// A condition that began or ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Condition {
    BusAvailable,
    BusUnavailable,
    LinesSuppressed,
    NssUnavailable,
    RecordDamaged,
    RestartNeeded,
    RulesDoubtful,
    RulesNotReloaded,
    RulesReloaded,
    SocketUnavailable,
    StoreAvailable,
    StoreRefused,
    StoreUnavailable,
}

impl Condition {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 13] = [
        Self::BusAvailable,
        Self::BusUnavailable,
        Self::LinesSuppressed,
        Self::NssUnavailable,
        Self::RecordDamaged,
        Self::RestartNeeded,
        Self::RulesDoubtful,
        Self::RulesNotReloaded,
        Self::RulesReloaded,
        Self::SocketUnavailable,
        Self::StoreAvailable,
        Self::StoreRefused,
        Self::StoreUnavailable,
    ];

    /// Returns the token. It never changes, because dashboards and scripts compare it.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::BusAvailable => "bus-available",
            Self::BusUnavailable => "bus-unavailable",
            Self::LinesSuppressed => "lines-suppressed",
            Self::NssUnavailable => "nss-unavailable",
            Self::RecordDamaged => "record-damaged",
            Self::RestartNeeded => "restart-needed",
            Self::RulesDoubtful => "rules-doubtful",
            Self::RulesNotReloaded => "rules-not-reloaded",
            Self::RulesReloaded => "rules-reloaded",
            Self::SocketUnavailable => "socket-unavailable",
            Self::StoreAvailable => "store-available",
            Self::StoreRefused => "store-refused",
            Self::StoreUnavailable => "store-unavailable",
        }
    }

    /// Returns a record of the journal that states the condition in this sentence.
    pub(crate) fn entry(self, message: String) -> Entry {
        let priority = match self {
            Self::BusAvailable
            | Self::LinesSuppressed
            | Self::RulesReloaded
            | Self::StoreAvailable => Priority::Notice,
            Self::RestartNeeded | Self::RulesDoubtful | Self::SocketUnavailable => {
                Priority::Warning
            }
            Self::BusUnavailable
            | Self::NssUnavailable
            | Self::RecordDamaged
            | Self::RulesNotReloaded
            | Self::StoreRefused
            | Self::StoreUnavailable => Priority::Error,
        };
        Entry::new(priority, message).with("TOTP_REASON", self.token())
    }
}
