//! The shared part of logins and management. It has the records, the accounts, the rules, and the
//! way from a name to a record.

use std::hint::black_box;
use std::sync::{Arc, Mutex};

use totpd_core::account::Account;
use totpd_core::authorization::{Need, Operation, Relation, need};
use totpd_core::record::Record;
use totpd_core::record_key::Buckets;
use totpd_core::recovery_codes::{HashedGuess, RecoveryCode, RecoveryCodes, ScratchCode};
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleState;
use totpd_core::user_name::UserName;
use totpd_core::verification::Answer;
use totpd_interface::Error;
use totpd_store::Store;

use crate::access::caller::Caller;
use crate::access::polkit::Polkit;
use crate::audit::Audit;
use crate::audit::condition::Condition;
use crate::config::Config;
use crate::daemon::deadlines::Deadlines;
use crate::daemon::hash_worker::{HashWorker, QueueTimeout, Work};
use crate::daemon::recent_answers::RecentAnswers;
use crate::daemon::remembering::Remembering;
use crate::daemon::rulebook::Rulebook;
use crate::daemon::store_health::StoreHealth;
use crate::daemon::subscribers::Subscribers;
use crate::daemon::typed_answer::TypedAnswer;
use crate::host::nss::{Lane, Lookup, Nss, NssUnavailable};
use crate::host::user_files::UserFiles;
use crate::host::{boot, clock};

pub(crate) mod admission;
pub(crate) mod deadlines;
pub(crate) mod hash_worker;
mod recent_answers;
mod records;
pub(crate) mod reload;
pub(crate) mod remembering;
pub(crate) mod rulebook;
mod rules_in_force;
pub(crate) mod store_health;
mod subscribers;
pub(crate) mod trust;
pub(crate) mod typed_answer;

/// The parts of the daemon.
pub(crate) struct Daemon {
    /// The configuration without the rules that say which login needs a code.
    pub(crate) config: Config,
    /// The name of this host, for `%h` in an issuer and for backups.
    pub(crate) host: String,
    /// The audit that records decisions.
    pub(crate) audit: Audit,
    /// The questions to polkit about the rights of users other than root.
    pub(crate) polkit: Polkit,
    /// The programs to which the daemon sends signals.
    pub(crate) subscribers: Subscribers,
    /// Which deadlines of rules passed.
    pub(crate) deadlines: Deadlines,
    /// What is remembered of logins in memory.
    pub(crate) remembering: Remembering,
    rulebook: Mutex<Arc<Rulebook>>,
    reloads: Mutex<()>,
    store: Store,
    store_health: StoreHealth,
    nss: Nss,
    /// The accounts of names, until the files of users change.
    recent_accounts: RecentAnswers<Account, UserFiles>,
    buckets: Buckets,
    hash_worker: HashWorker,
}

impl Daemon {
    /// Returns the daemon over an open store, without rules ([`Daemon::enforce`]). A name without a
    /// record leads to one of `buckets`. What it remembers of logins ends with it
    /// ([`Daemon::remembering`]).
    ///
    /// # Errors
    /// The error of the kernel, if it refuses a thread or randomness.
    pub(crate) fn new(
        store: Store,
        buckets: Buckets,
        config: Config,
        host: String,
    ) -> std::io::Result<Self> {
        Ok(Self {
            deadlines: Deadlines::default(),
            remembering: Remembering::new(boot::id(None).map_err(std::io::Error::other)?),
            rulebook: Mutex::default(),
            reloads: Mutex::default(),
            config,
            host,
            audit: Audit::default(),
            polkit: Polkit::default(),
            subscribers: Subscribers::default(),
            store,
            store_health: StoreHealth::default(),
            nss: Nss::new(),
            recent_accounts: RecentAnswers::new(ACCOUNTS_KEPT_MS),
            buckets,
            hash_worker: HashWorker::start()?,
        })
    }

    /// Returns the account called `name`, if `caller` may log in for it. Root may do so for
    /// everybody, and every other user for itself.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words for every user and for names of no user.
    /// [`Error::Internal`] if NSS does not answer.
    pub(crate) async fn account_for(&self, caller: Caller, name: &str) -> Result<Account, Error> {
        if caller.must_be_allowed(Operation::LogIn).is_ok() {
            return self.recent_account(caller.lane(), name).await;
        }
        match (self.own_account(caller, name).await?, need(Operation::LogIn, Relation::Own)) {
            (Some(own), Need::Nothing) => Ok(own),
            _ => Err(Error::NotAuthorized("only root may do that for another user".into())),
        }
    }

    /// Returns the account of `caller`, if it is called `name`. This function alone decides which
    /// account is one's own. It does not even look up names that an ordinary caller invents.
    ///
    /// Two user databases may have accounts of one name. The record belongs to the account to which
    /// the name leads, so the other account of that name owns nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer.
    pub(crate) async fn own_account(
        &self,
        caller: Caller,
        name: &str,
    ) -> Result<Option<Account>, Error> {
        let lane = caller.lane();
        let user = self.report_nss_error(self.nss.by_uid(lane, caller.uid).await)?;
        let Some(user) = user.filter(|user| user.name.as_str() == name) else { return Ok(None) };
        let named = self.report_nss_error(self.nss.by_name(lane, user.name).await)?;
        Ok(named.user().filter(|named| named.uid == caller.uid).map(Account::from))
    }

    /// Returns what [`Daemon::account`] does, as it was a moment ago if a login asked then.
    async fn recent_account(&self, lane: Lane, name: &str) -> Result<Account, Error> {
        // The state before NSS is asked: a change in between makes what it says old.
        let (files, now) = (UserFiles::now(), clock::monotonic_ms());
        if let Some(account) = self.recent_accounts.get(name, &files, now) {
            return Ok(account);
        }
        let account = self.account(lane, name).await?;
        self.recent_accounts.keep(name, files, now, &account);
        Ok(account)
    }

    /// Returns the account called `name`. A name that nobody has, or that nobody can have, leads to
    /// a bucket.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer. That is not "no such user".
    pub(crate) async fn account(&self, lane: Lane, name: &str) -> Result<Account, Error> {
        let found = match UserName::parse(name) {
            None => Lookup::Absent,
            Some(name) => self.report_nss_error(self.nss.by_name(lane, name).await)?,
        };
        // A user costs the work of a bucket too. So the time does not tell whether a name is one.
        let bucket = black_box(self.buckets.bucket_of(name));
        let is_uncertain = found == Lookup::Ambiguous;
        let bucket = Account { key: bucket, uid: None, is_uncertain };
        Ok(found.user().map_or(bucket, Account::from))
    }

    /// Returns the account to judge a login by, if the record of `account` is damaged. It is a
    /// bucket, so the login gets prompts, waits and refusals as any other. A bucket has no factor,
    /// and no account behind it.
    pub(crate) fn substitute_for_damaged(&self, account: &Account) -> Account {
        let key = self.buckets.bucket_of(&account.key.as_row_name());
        Account { key, uid: None, is_uncertain: false }
    }

    /// Forgets the waits that are over. Returns whether a code from `source` is looked at `now`.
    pub(crate) fn throttle_state<S>(
        &self,
        record: &mut Record<S>,
        source: &Source,
        now: u64,
    ) -> ThrottleState {
        record.throttle.state(source, now, &self.config.rules.throttle)
    }

    /// Returns the typed text, ready to be judged. The hash worker hashes a recovery code in its
    /// queue, and only if the throttle allows a look at it.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`]. [`Error::Internal`] if too many codes wait to
    /// be hashed.
    pub(crate) async fn classify_answer(
        &self,
        account: &Account,
        text: &str,
        source: &Source,
    ) -> Result<Answer, Error> {
        match TypedAnswer::parse(text) {
            TypedAnswer::Code(code) => {
                // Nobody's time tells who has scratch codes: all eight digits are hashed.
                let Some(scratch) = ScratchCode::from_code(&code) else {
                    return Ok(Answer::Code(code));
                };
                let hash = move |salt| scratch.hash(salt);
                let guess = Box::pin(self.hash_guess(account, source, hash)).await?;
                return Ok(match guess {
                    Some(guess) => Answer::CodeOrScratch(code, guess),
                    None => Answer::Code(code),
                });
            }
            TypedAnswer::BlockedBySshd => return Ok(Answer::BlockedBySshd),
            TypedAnswer::Other => {}
        }
        let Some(code) = RecoveryCode::parse(text) else { return Ok(Answer::Malformed) };
        let guess = Box::pin(self.hash_guess(account, source, move |salt| code.hash(salt))).await?;
        // While the throttle waits, the verdict is the same for every typed text.
        Ok(guess.map_or(Answer::Malformed, Answer::Recovery))
    }

    /// Hashes a typed recovery code with the salt of the record; `None` if the throttle allows no
    /// look at it.
    async fn hash_guess(
        &self,
        account: &Account,
        source: &Source,
        hash: impl FnOnce([u8; 16]) -> HashedGuess + Send + 'static,
    ) -> Result<Option<HashedGuess>, Error> {
        let mut record = account.record(self.read_outline(account).await?);
        if self.throttle_state(&mut record, source, clock::now()) != ThrottleState::Open {
            return Ok(None);
        }
        let salt = record.recovery.salt();
        self.hash(Work::Login, move || hash(salt)).await.map(Some)
    }

    /// Returns the hashes of scratch codes that come over, under a new salt.
    ///
    /// # Errors
    /// [`Error::Internal`] if getrandom(2) fails, or too many codes wait to be hashed.
    pub(crate) async fn hash_scratch_codes(
        &self,
        codes: Vec<ScratchCode>,
    ) -> Result<RecoveryCodes, Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| {
            Error::Internal(format!("cannot hash scratch codes: getrandom failed: {error}"))
        })?;
        let work = move || RecoveryCodes::of_scratch_codes(&codes, salt);
        self.hash(Work::Management, work).await
    }

    /// Returns new recovery codes, in the configured number, and their hashes.
    ///
    /// # Errors
    /// [`Error::Internal`] if getrandom(2) fails, or too many codes wait to be hashed.
    pub(crate) async fn recovery_codes(
        &self,
        work: Work,
    ) -> Result<(Vec<RecoveryCode>, RecoveryCodes), Error> {
        let count = self.config.recovery_codes;
        let generate = move || RecoveryCodes::generate(count, getrandom::fill);
        self.hash(work, generate).await?.map_err(|error| {
            Error::Internal(format!("cannot make recovery codes: getrandom failed: {error}"))
        })
    }

    async fn hash<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy = |QueueTimeout| {
            Error::Internal("too many recovery codes are being checked; try again".into())
        };
        self.hash_worker.run(work, job).await.map_err(busy)
    }

    fn report_nss_error<T>(&self, found: Result<T, NssUnavailable>) -> Result<T, Error> {
        found.map_err(|error| {
            let message = error.to_string();
            self.audit.report(message.clone(), &Condition::NssUnavailable.entry(message.clone()));
            Error::Internal(message)
        })
    }
}

/// The milliseconds after which NSS is asked for an account again: as long as a code is shown.
const ACCOUNTS_KEPT_MS: u64 = 30_000;

#[cfg(test)]
pub(crate) mod tests;
