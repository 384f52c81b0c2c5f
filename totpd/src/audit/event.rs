//! The events. An event knows no sink, and holds no code and no seed.

use totpd_core::account::Account;
use totpd_core::factor::FactorId;
use totpd_core::policy::RuleName;
use totpd_core::source::Source;
use totpd_core::user_name::UserName;
use totpd_core::verification::Verdict;
use totpd_interface::login::LoginContext;
use totpd_interface::verdict;

use crate::access::caller::Caller;
use crate::audit::reason::Reason;

/// One decision.
#[derive(Clone, Debug)]
pub(crate) enum Event<'a> {
    /// A decision at a login.
    Login(LoginEvent<'a>),
    /// A decision about the factors of a user.
    Change(ChangeEvent<'a>),
    /// A decision about the store as a whole.
    Store(Caller, StoreEvent),
}

/// A decision at a login.
#[derive(Clone, Debug)]
pub(crate) struct LoginEvent<'a> {
    /// The login.
    pub(crate) login: LoginScene<'a>,
    /// The reply to the program.
    pub(crate) outcome: LoginOutcome,
    /// The reason of the reply.
    pub(crate) reason: Reason,
    /// The factor that was used, shown or named, if it is known.
    pub(crate) factor: Option<FactorId>,
    /// The rule that decided what this login needs.
    pub(crate) rule: Option<&'a RuleName>,
    /// The flag that nobody could judge one of the rules, so that the login needs more.
    pub(crate) is_in_doubt: bool,
    /// The number of remaining recovery codes, after the user used one.
    pub(crate) recovery_codes_left: Option<usize>,
}

/// A login, with its caller, its account and its source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoginScene<'a> {
    /// The sender of the question.
    pub(crate) caller: Caller,
    /// The account. Sinks see its name only if NSS knows it, because people type passwords as
    /// names.
    pub(crate) account: &'a Account,
    /// The trusted part of the context that the program sent.
    pub(crate) context: &'a LoginContext,
    /// The source of the login.
    pub(crate) source: &'a Source,
}

/// The reply to a program about a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LoginOutcome {
    Approved,
    Denied,
    Throttled,
    Skipped,
    Enrolling,
}

/// A decision about the factors of a user.
#[derive(Clone, Debug)]
pub(crate) struct ChangeEvent<'a> {
    /// The caller.
    pub(crate) by: Caller,
    /// The user, known to NSS or the store.
    pub(crate) user: &'a UserName,
    /// The flag that the account of the user is that of the caller.
    pub(crate) is_own: bool,
    /// The factors.
    pub(crate) factors: Factors,
    /// The reason of the decision.
    pub(crate) reason: Reason,
}

/// The factors that a change is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Factors {
    /// No factor, or a factor without a valid id.
    Unnamed,
    /// The factor of this id.
    One(FactorId),
    /// All factors of the user.
    All,
}

/// A decision about the store as a whole.
#[derive(Clone, Debug)]
pub(crate) enum StoreEvent {
    /// The daemon made a backup.
    BackedUp {
        /// The number of users in the backup.
        users: u64,
        /// The fingerprint of the key that signed the backup.
        fingerprint: String,
    },
    /// A backup took the place of the store.
    Restored(Restoration),
    /// The daemon sealed every record with a new key.
    Rekeyed {
        /// The id of the key.
        key: String,
    },
    /// The daemon found records that it cannot unseal.
    DamageFound {
        /// The number of damaged records.
        records: u64,
    },
}

/// The backup that took the place of the store.
#[derive(Clone, Debug)]
pub(crate) struct Restoration {
    /// The number of users in the backup.
    pub(crate) users: u64,
    /// The host that made the backup, as the backup names it.
    pub(crate) host: String,
    /// The time at which the backup was made, in seconds since 1970.
    pub(crate) created: u64,
    /// The signer, in words.
    pub(crate) signed_by: &'static str,
    /// The fingerprint of the key that signed the backup.
    pub(crate) fingerprint: Option<String>,
    /// The time of the newest backup that the store knew of, if it was later.
    pub(crate) newer_backup: Option<u64>,
    /// The flag that the administrator accepted any maker of the backup.
    pub(crate) accepts_unsigned: bool,
}

impl LoginEvent<'_> {
    /// Returns an event that is about no factor.
    pub(crate) fn new(
        login: LoginScene<'_>,
        outcome: LoginOutcome,
        reason: Reason,
    ) -> LoginEvent<'_> {
        LoginEvent {
            login,
            outcome,
            reason,
            factor: None,
            rule: None,
            is_in_doubt: false,
            recovery_codes_left: None,
        }
    }

    /// Returns the event of one attempt.
    pub(crate) fn from_verdict<'a>(login: LoginScene<'a>, verdict: &Verdict) -> LoginEvent<'a> {
        let reason = Reason::from_verdict(verdict, login.account.loggable().is_some());
        match verdict {
            Verdict::Approved { factor, recovery_codes_left, .. } => LoginEvent {
                recovery_codes_left: factor.is_none().then_some(*recovery_codes_left),
                factor: factor.clone(),
                ..LoginEvent::new(login, LoginOutcome::Approved, reason)
            },
            Verdict::Denied(_) => LoginEvent::new(login, LoginOutcome::Denied, reason),
            Verdict::Throttled { .. } | Verdict::Void { .. } => {
                LoginEvent::new(login, LoginOutcome::Throttled, reason)
            }
        }
    }
}

impl LoginOutcome {
    /// Returns the word of the outcome.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Approved => verdict::APPROVED,
            Self::Denied => verdict::DENIED,
            Self::Throttled => verdict::THROTTLED,
            Self::Skipped => "skipped",
            Self::Enrolling => "enrolling",
        }
    }
}

impl Factors {
    /// Returns the factor of this id, if `id` is a valid id.
    pub(crate) fn parse(id: &str) -> Self {
        FactorId::parse(id).map_or(Self::Unnamed, Self::One)
    }
}
