//! What both interfaces share: the store, the people, the rules, and the way from a name to a
//! record.

use std::sync::Arc;

use totpd_interface::Error;
use zbus::Connection;
use zbus::message::Header;

use crate::attempt::Answer;
use crate::caller::Caller;
use crate::clock;
use crate::code::Code;
use crate::config::Config;
use crate::hasher::{Busy, Hasher};
use crate::journal::{Entry, Priority};
use crate::login::offers::Offers;
use crate::people::{People, Unanswered};
use crate::polkit::Polkit;
use crate::record::Record;
use crate::recovery::{Guess, Recovery, RecoveryCode};
use crate::store::{Store, StoreError};
use crate::subject::{Buckets, Subject};
use crate::target::{NO_UID, Target};
use crate::throttle::{Source, Standing};
use crate::trouble::Trouble;
use crate::turns::{Turn, Turns};
use crate::user::UserName;
use crate::watchers::Watchers;

/// The parts of the daemon.
pub struct Daemon {
    /// The records.
    pub store: Store,
    /// Who is who.
    pub people: People,
    /// The rules.
    pub config: Config,
    /// What `%h` in the issuer stands for.
    pub host: String,
    buckets: Buckets,
    trouble: Trouble,
    turns: Turns,
    hasher: Hasher,
    /// What polkit is asked.
    pub polkit: Polkit,
    /// Where keys were shown at a first login.
    pub offers: Arc<Offers>,
    /// Who is told of changes.
    pub watchers: Watchers,
}

impl Daemon {
    /// The daemon over an open store.
    ///
    /// # Errors
    /// Where the kernel gives no thread.
    pub fn new(
        store: Store,
        buckets: Buckets,
        config: Config,
        host: String,
    ) -> std::io::Result<Self> {
        let hasher = Hasher::start()?;
        Ok(Self {
            store,
            people: People::new(),
            config,
            host,
            buckets,
            trouble: Trouble::default(),
            turns: Turns::new(),
            hasher,
            polkit: Polkit::default(),
            offers: Arc::default(),
            watchers: Watchers::default(),
        })
    }

    /// Who sent a message, and that caller's turn, which lasts until the answer.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`] if the bus does not know who it is.
    pub async fn admit(
        &self,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<(Caller, Turn), Error> {
        let caller = Caller::of(header, connection).await?;
        Ok((caller, self.turns.turn(caller).await))
    }

    /// Who `name` is, if `caller` may act for that user: root for everybody, everybody else for
    /// itself. Names that an ordinary caller made up are not even looked up.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], in the same words whoever the user is, or whether it is;
    /// [`Error::Internal`] if NSS does not answer.
    pub async fn target_for(&self, caller: Caller, name: &str) -> Result<Target, Error> {
        if caller.is_root() {
            return self.target(name).await;
        }
        match self.people.of_uid(caller.uid).await.map_err(unanswered)? {
            Some(person) if person.name.as_str() == name => Ok(person.into()),
            _ => Err(Error::NotAuthorized("only root may do that for another user".into())),
        }
    }

    /// Whether `name` is that of `caller` itself.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer.
    pub async fn is_own(&self, caller: Caller, name: &str) -> Result<bool, Error> {
        let person = self.people.of_uid(caller.uid).await.map_err(unanswered)?;
        Ok(person.is_some_and(|person| person.name.as_str() == name))
    }

    /// Waits for a turn of `caller`, which lasts until it is dropped.
    pub async fn turn(&self, caller: Caller) -> Turn {
        self.turns.turn(caller).await
    }

    /// What stands under `name`, without asking NSS whether anybody has it: what a prompt may say is
    /// the same for all, and so must be the time that it takes.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it.
    pub async fn record_under(&self, name: &str) -> Result<Record, Error> {
        let bucket = self.buckets.of(name);
        let stored = match UserName::parse(name) {
            None => self.store.read(bucket).await,
            Some(name) => self.store.read_either(Subject::User(name), bucket).await,
        };
        Ok(self.told(stored)?.unwrap_or_else(|| Record::new(NO_UID)))
    }

    /// Who `name` is. A name that nobody has, or that nobody can have, leads to a bucket.
    ///
    /// # Errors
    /// [`Error::Internal`] if NSS does not answer: that is not "no such user".
    pub async fn target(&self, name: &str) -> Result<Target, Error> {
        let person = match UserName::parse(name) {
            None => None,
            Some(name) => self.people.named(name).await.map_err(unanswered)?,
        };
        Ok(match person {
            Some(person) => person.into(),
            None => Target { subject: self.buckets.of(name), uid: None },
        })
    }

    /// What was typed, ready to be judged. A recovery code is hashed here: one at a time and in a thread
    /// of its own, so that whoever guesses keeps nobody else waiting, and not at all where the throttle
    /// would not let it be looked at.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it; [`Error::Internal`] where too many wait to be hashed.
    pub async fn answer(
        &self,
        target: &Target,
        text: &str,
        source: &Source,
    ) -> Result<Answer, Error> {
        if let Some(code) = Code::parse(text) {
            return Ok(Answer::Code(code));
        }
        let Some(code) = RecoveryCode::parse(text) else { return Ok(Answer::Malformed) };
        let stored = self.told(self.store.read(target.subject.clone()).await)?;
        let (mut record, now) = (target.record(stored), clock::now());
        let rules = &self.config.rules.throttle;
        record.throttle.settle(now, rules);
        if record.throttle.standing(source, now, rules) != Standing::Open {
            // It is throttled whatever it says.
            return Ok(Answer::Malformed);
        }
        let salt = record.recovery.salt();
        let guess: Guess = self.hashed(move || code.hashed(salt)).await?;
        Ok(Answer::Recovery(guess))
    }

    /// New recovery codes, as many as are configured.
    ///
    /// # Errors
    /// [`Error::Internal`] where the kernel gives no random bytes, or too many wait to be hashed.
    pub async fn recovery_codes(&self) -> Result<(Vec<RecoveryCode>, Recovery), Error> {
        let count = self.config.recovery_codes;
        let made = self.hashed(move || Recovery::generate(count)).await?;
        made.map_err(|_| Error::Internal("the kernel gives no random bytes for codes".into()))
    }

    async fn hashed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy = |Busy| Error::Internal("too many recovery codes at a time; try again".into());
        self.hasher.run(work).await.map_err(busy)
    }

    /// Changes the record of `target` in one transaction; see [`Store::update`]. The change may run
    /// more than once.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] or [`Error::StoreCorrupt`]; nothing is changed then.
    pub async fn update<T: Send + 'static>(
        &self,
        target: &Target,
        mut change: impl FnMut(Record) -> (T, Record) + Send + 'static,
    ) -> Result<T, Error> {
        let (subject, target) = (target.subject.clone(), target.clone());
        let updated = self
            .store
            .update(subject, move |stored| {
                let (result, record) = change(target.record(stored));
                (result, Some(record))
            })
            .await;
        let updated = self.told(updated)?;
        // A read says nothing of a disk that is full, so only a write ends the trouble.
        if let Some(entry) = self.trouble.is_over() {
            entry.write();
        }
        Ok(updated)
    }

    /// What the store answered, or what a caller may learn of its failure.
    ///
    /// # Errors
    /// As [`Daemon::failure`] has it.
    pub fn told<T>(&self, answer: Result<T, StoreError>) -> Result<T, Error> {
        answer.map_err(|error| self.failure(&error))
    }

    /// What a caller may learn of a failure of the store: [`Error::StoreUnavailable`] or
    /// [`Error::StoreCorrupt`]. The reason goes to the journal.
    pub fn failure(&self, error: &StoreError) -> Error {
        let (entry, told) = self.trouble.met(error);
        if let Some(entry) = entry {
            entry.write();
        }
        told
    }
}

fn unanswered(error: Unanswered) -> Error {
    Entry::new(Priority::Error, error.to_string()).write();
    Error::Internal(error.to_string())
}

#[cfg(test)]
pub(crate) mod tests;
