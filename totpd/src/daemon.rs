//! What both interfaces share: the store, the people, the rules, and the way from a name to a
//! record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    store_is_broken: AtomicBool,
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
        let store_is_broken = AtomicBool::new(false);
        Ok(Self {
            store,
            people: People::new(),
            config,
            host,
            buckets,
            store_is_broken,
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

    /// What a caller may learn of a failure of the store; all of it goes to the journal, once
    /// for as long as the store stays unavailable.
    pub fn failure(&self, error: &StoreError) -> Error {
        let entry = Entry::new(Priority::Error, error.to_string());
        match error {
            StoreError::Corrupt(_) => {
                entry.write();
                Error::StoreCorrupt(
                    "the record of this user is damaged; the journal of totpd says more".into(),
                )
            }
            StoreError::Refused(why) => {
                entry.write();
                Error::StoreUnavailable(why.clone())
            }
            StoreError::Unavailable(_) => {
                if !self.store_is_broken.swap(true, Ordering::Relaxed) {
                    entry.write();
                }
                Error::StoreUnavailable(
                    "the store cannot be read or written; the journal of totpd says why".into(),
                )
            }
        }
    }

    /// What root learns of a failure of the store when it works on the store as a whole: all of it.
    #[must_use]
    pub fn refusal(&self, error: &StoreError) -> Error {
        Entry::new(Priority::Error, error.to_string()).write();
        match error {
            StoreError::Corrupt(_) => Error::StoreCorrupt(error.to_string()),
            StoreError::Refused(why) => Error::StoreUnavailable(why.clone()),
            StoreError::Unavailable(_) => Error::StoreUnavailable(error.to_string()),
        }
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
        if self.store_is_broken.swap(false, Ordering::Relaxed) {
            Entry::new(Priority::Notice, "the store can be read and written again".into()).write();
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
}

fn unanswered(error: Unanswered) -> Error {
    Entry::new(Priority::Error, error.to_string()).write();
    Error::Internal(error.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use zeroize::Zeroizing;

    use super::*;
    use crate::attempt::{Attempt, attempt};
    use crate::store::conformance::{enrolled, run, user};
    use crate::store::memory::Memory;

    /// A daemon over a store in memory, and that store.
    pub(crate) fn daemon() -> (Daemon, Arc<Memory>) {
        let memory = Arc::new(Memory::default());
        let store = Store::new(memory.clone(), Duration::from_secs(4));
        let buckets = Buckets::new(Zeroizing::new([7; 32]));
        let config = Config::load(std::path::Path::new("/no/such/file")).unwrap();
        (Daemon::new(store, buckets, config, "host".into()).unwrap(), memory)
    }

    fn alice() -> Target {
        Target { subject: user("alice"), uid: Some(1000) }
    }

    #[test]
    fn a_store_in_trouble_is_told_without_its_reason_and_forgotten_when_it_is_well() {
        let ((daemon, memory), alice) = (daemon(), alice());
        let change = || daemon.update(&alice, |record| ((), record));
        memory.fail(Some(StoreError::Unavailable("disk sdb has gone".into())));
        let told = run(change()).unwrap_err();
        assert!(matches!(&told, Error::StoreUnavailable(why) if !why.contains("sdb")), "{told:?}");
        assert!(daemon.store_is_broken.load(Ordering::Relaxed));
        memory.fail(Some(StoreError::Corrupt("alice".into())));
        assert!(matches!(run(change()), Err(Error::StoreCorrupt(_))));
        memory.fail(Some(StoreError::Refused("the disk is full: free some".into())));
        assert!(matches!(run(change()), Err(Error::StoreUnavailable(why)) if why.contains("full")));
        memory.fail(None);
        run(change()).unwrap();
        assert!(!daemon.store_is_broken.load(Ordering::Relaxed));
    }

    #[test]
    fn an_attempt_that_the_store_runs_twice_counts_once() {
        let ((daemon, _), alice) = (daemon(), alice());
        run(daemon.store.update(user("alice"), |_| ((), Some(enrolled(1000))))).unwrap();
        for expected in 1..=3 {
            let guess = Attempt {
                answer: Code::parse("00000000").map_or(Answer::Malformed, Answer::Code),
                service: None,
                factor: None,
                source: Source::Unplaced,
                uid: 1000,
                now: 30_000,
            };
            let rules = daemon.config.rules.clone();
            let judged = daemon.update(&alice, move |record| attempt(record, &guess, &rules));
            run(judged).unwrap();
            let throttle = run(daemon.record_under("alice")).unwrap().throttle;
            assert_eq!(throttle.strangers().failures(), expected);
        }
    }

    #[test]
    fn a_recovery_code_is_hashed_where_it_may_be_looked_at() {
        let ((daemon, _), alice) = (daemon(), alice());
        let (codes, recovery) = run(daemon.recovery_codes()).unwrap();
        assert_eq!((codes.len(), recovery.left()), (10, 10));
        let typed = codes[0].shown();
        let answer = || run(daemon.answer(&alice, &typed, &Source::Unplaced)).unwrap();
        assert!(matches!(answer(), Answer::Recovery(_)));
        let mut throttled = enrolled(1000);
        for _ in 0..20 {
            throttled.throttle.fail(&Source::Unplaced, clock::now());
        }
        let change = move |_| ((), Some(throttled.clone()));
        run(daemon.store.update(user("alice"), change)).unwrap();
        assert!(matches!(answer(), Answer::Malformed), "throttled whatever it says");
    }

    #[test]
    fn a_name_is_that_of_its_uid_alone() {
        let (daemon, _) = daemon();
        // Of every host.
        let caller = Caller { uid: 1 };
        for (name, own) in [("daemon", true), ("root", false), ("no-such-user", false)] {
            assert_eq!(run(daemon.is_own(caller, name)).unwrap(), own, "{name}");
            assert_eq!(run(daemon.target_for(caller, name)).is_ok(), own, "{name}");
        }
        assert_eq!(run(daemon.target_for(Caller { uid: 0 }, "daemon")).unwrap().uid, Some(1));
        assert_eq!(run(daemon.target_for(Caller { uid: 0 }, "no-such-user")).unwrap().uid, None);
    }

    #[test]
    fn a_name_without_a_record_has_the_wrong_codes_of_its_bucket() {
        let (daemon, _) = daemon();
        let target = Target { subject: daemon.buckets.of("nobody"), uid: None };
        let fail = |mut record: Record| {
            record.throttle.fail(&Source::Unplaced, 5);
            ((), record)
        };
        run(daemon.update(&target, fail)).unwrap();
        assert_eq!(run(daemon.record_under("nobody")).unwrap().throttle.strangers().failures(), 1);
        assert_eq!(run(daemon.record_under("no/name")).unwrap().throttle.strangers().failures(), 0);
        // A record of its own goes before.
        run(daemon.store.update(user("nobody"), |_| ((), Some(enrolled(1))))).unwrap();
        assert_eq!(run(daemon.record_under("nobody")).unwrap().throttle.strangers().failures(), 0);
    }
}
