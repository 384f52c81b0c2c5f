//! What both interfaces share: the store, the people, the rules, and the way from a name to a
//! record.

use totpd_core::account::{Account, NO_UID};
use totpd_core::authorization::{Need, Operation, Relation, need};
use totpd_core::code::Code;
use totpd_core::record::Record;
use totpd_core::record_key::Buckets;
use totpd_core::recovery_codes::{HashedGuess, RecoveryCode, RecoveryCodes};
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleState;
use totpd_core::user_name::UserName;
use totpd_core::verification::Answer;
use totpd_interface::Error;
use totpd_store::{Store, StoreError};

use crate::access::caller::Caller;
use crate::access::polkit::Polkit;
use crate::audit::condition::Condition;
use crate::audit::{BudgetedLog, Topic};
use crate::config::Config;
use crate::daemon::hash_worker::{HashWorker, QueueTimeout, Work};
use crate::daemon::store_health::StoreHealth;
use crate::daemon::subscribers::Subscribers;
use crate::host::clock;
use crate::host::nss::{Nss, NssUnavailable};

pub(crate) mod admission;
pub(crate) mod hash_worker;
pub(crate) mod store_health;
mod subscribers;

/// The parts of the daemon.
pub(crate) struct Daemon {
    /// The records.
    pub(crate) store: Store,
    /// Who is who.
    pub(crate) people: Nss,
    /// The rules.
    pub(crate) config: Config,
    /// What `%h` in the issuer stands for.
    pub(crate) host: String,
    buckets: Buckets,
    store_health: StoreHealth,
    hasher: HashWorker,
    /// What others can cause as often as they like.
    pub(crate) log: BudgetedLog,
    /// What polkit is asked.
    pub(crate) polkit: Polkit,
    /// Who is told of changes.
    pub(crate) watchers: Subscribers,
}

impl Daemon {
    /// The daemon over an open store.
    ///
    /// # Errors
    /// Where the kernel gives no thread.
    pub(crate) fn new(
        store: Store,
        buckets: Buckets,
        config: Config,
        host: String,
    ) -> std::io::Result<Self> {
        let hasher = HashWorker::start()?;
        Ok(Self {
            store,
            people: Nss::new(),
            config,
            host,
            buckets,
            store_health: StoreHealth::default(),
            hasher,
            log: BudgetedLog::default(),
            polkit: Polkit::default(),
            watchers: Subscribers::default(),
        })
    }

    /// The account called `name`, if `caller` may log in for it: root for everybody, everybody else for itself.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words whoever the user is, or whether it is;
    /// [`Error::Internal`] if NSS does not answer.
    pub(crate) async fn account_for(&self, caller: Caller, name: &str) -> Result<Account, Error> {
        if caller.must_be_allowed(Operation::LogIn).is_ok() {
            return self.target(name).await;
        }
        match (self.own_account(caller, name).await?, need(Operation::LogIn, Relation::Own)) {
            (Some(own), Need::Nothing) => Ok(own),
            _ => Err(Error::NotAuthorized("only root may do that for another user".into())),
        }
    }

    /// The account of `caller` itself, if it is called `name`: the one place that says what is one's own. Names
    /// that an ordinary caller made up are not even looked up.
    ///
    /// Two user databases may have accounts of one name. The record is that of the account to which the name
    /// leads, so the other account of that name owns nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer.
    pub(crate) async fn own_account(
        &self,
        caller: Caller,
        name: &str,
    ) -> Result<Option<Account>, Error> {
        let person =
            self.people.by_uid(caller.uid).await.map_err(|error| self.unanswered(error))?;
        let Some(person) = person.filter(|person| person.name.as_str() == name) else {
            return Ok(None);
        };
        let named =
            self.people.by_name(person.name).await.map_err(|error| self.unanswered(error))?;
        Ok(named.filter(|named| named.uid == caller.uid).map(Account::from))
    }

    /// What the store has of `target`, or a new record: also of another account that had the name.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it.
    pub(crate) async fn stored_record(&self, target: &Account) -> Result<Record, Error> {
        let stored = self.told(self.store.read(target.key.clone()).await)?;
        Ok(stored.unwrap_or_else(|| Record::new(NO_UID)))
    }

    /// Who `name` is. A name that nobody has, or that nobody can have, leads to a bucket.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer: that is not "no such user".
    pub(crate) async fn target(&self, name: &str) -> Result<Account, Error> {
        let person = match UserName::parse(name) {
            None => None,
            Some(name) => {
                self.people.by_name(name).await.map_err(|error| self.unanswered(error))?
            }
        };
        Ok(match person {
            Some(person) => person.into(),
            None => Account { key: self.buckets.bucket_of(name), uid: None },
        })
    }

    /// Whose record is looked at if that of `target` is damaged: a bucket, so that the login is asked, throttled
    /// and refused as any other. There is no factor in it, and no account behind it.
    pub(crate) fn instead_of_damaged(&self, target: &Account) -> Account {
        Account { key: self.buckets.bucket_of(&target.key.as_row_name()), uid: None }
    }

    /// What was typed, ready to be judged. A recovery code is hashed here: one at a time and in a thread
    /// of its own, so that whoever guesses keeps nobody else waiting, and not at all where the throttle
    /// would not let it be looked at.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it; [`Error::Internal`] where too many wait to be hashed.
    pub(crate) async fn answer(
        &self,
        target: &Account,
        text: &str,
        source: &Source,
    ) -> Result<Answer, Error> {
        if let Some(code) = Code::parse(text) {
            return Ok(Answer::Code(code));
        }
        let Some(code) = RecoveryCode::parse(text) else { return Ok(Answer::Malformed) };
        let stored = self.told(self.store.read(target.key.clone()).await)?;
        let (mut record, now) = (target.record(stored), clock::now());
        let rules = &self.config.rules.throttle;
        record.throttle.expire_and_clamp(now, rules);
        if record.throttle.state(source, now, rules) != ThrottleState::Open {
            // It is throttled whatever it says.
            return Ok(Answer::Malformed);
        }
        let salt = record.recovery.salt();
        let guess: HashedGuess = self.hashed(Work::Login, move || code.hash(salt)).await?;
        Ok(Answer::Recovery(guess))
    }

    /// New recovery codes, as many as are configured, for a login or for who manages.
    ///
    /// # Errors
    /// [`Error::Internal`] if getrandom(2) fails, or too many wait to be hashed.
    pub(crate) async fn recovery_codes(
        &self,
        whose: Work,
    ) -> Result<(Vec<RecoveryCode>, RecoveryCodes), Error> {
        let count = self.config.recovery_codes;
        let made =
            self.hashed(whose, move || RecoveryCodes::generate(count, getrandom::fill)).await?;
        made.map_err(|error| {
            Error::Internal(format!("cannot make recovery codes: getrandom failed: {error}"))
        })
    }

    async fn hashed<T: Send + 'static>(
        &self,
        whose: Work,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy =
            |QueueTimeout| Error::Internal("too many recovery codes at a time; try again".into());
        self.hasher.run(whose, work).await.map_err(busy)
    }

    /// Changes the record of `target` in one transaction; see [`Store::update`]. The change may run
    /// more than once.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] or [`Error::StoreCorrupt`]; nothing is changed then.
    pub(crate) async fn update<T: Send + 'static>(
        &self,
        target: &Account,
        mut change: impl FnMut(Record) -> (T, Record) + Send + 'static,
    ) -> Result<T, Error> {
        let (key, target) = (target.key.clone(), target.clone());
        let updated = self
            .store
            .update(key, move |stored| {
                let (result, record) = change(target.record(stored));
                (result, Some(record))
            })
            .await;
        let updated = self.told(updated)?;
        // A read says nothing of a disk that is full, so only a write ends the trouble.
        if let Some(entry) = self.store_health.report_success() {
            entry.write();
        }
        Ok(updated)
    }

    /// What the store answered, or what a caller may learn of its failure.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it.
    pub(crate) fn told<T>(&self, answer: Result<T, StoreError>) -> Result<T, Error> {
        answer.map_err(|error| self.failure(&error))
    }

    /// What a caller may learn of a failure of the store: [`Error::StoreUnavailable`] or
    /// [`Error::StoreCorrupt`]. The reason goes to the journal.
    pub(crate) fn failure(&self, error: &StoreError) -> Error {
        let (entry, told) = self.store_health.report_failure(error);
        if let Some(entry) = entry {
            // Whoever has a damaged record may ask about it again and again.
            self.log.write(Topic { user: None, text: error.to_string() }, &entry);
        }
        told
    }

    fn unanswered(&self, error: NssUnavailable) -> Error {
        let told = error.to_string();
        let topic = Topic { user: None, text: told.clone() };
        self.log.write(topic, &Condition::NssUnavailable.entry(told.clone()));
        Error::Internal(told)
    }
}

#[cfg(test)]
pub(crate) mod tests;
