//! A host for the tests of the store. It has the real store, the real decisions, and a clock of its
//! own. So a test can try a code of any time step.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use totpd_core::code::Code;
use totpd_core::enrollment::{self, Confirmation, EnrollmentRules};
use totpd_core::factor::{Factor, FactorId, Kind, Maker, Status};
use totpd_core::fixtures::{user, verified};
use totpd_core::moment::Moment;
use totpd_core::otp::{Algorithm, code_at};
use totpd_core::record::Record;
use totpd_core::recovery_codes::{HashedGuess, RecoveryCode, RecoveryCodes};
use totpd_core::seed::Seed;
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleRules;
use totpd_core::user_name::UserName;
use totpd_core::verification::{Answer, Attempt, Methods, Rules, Verdict, verify};

use crate::backend::{Changed, StoreError};
use crate::backup::PublicKey;
use crate::conformance::run;
use crate::mutex::lock;
use crate::owner::tests::this_user;
use crate::progress::Progress;
use crate::sqlite::{Local, MarkSettings, OpenError, OpenStore, RekeyReport, RestoreReport};
use crate::store::Store;
use totpd_core::void_windows::VoidWindows;

/// An open store, and the time there.
pub(super) struct Host {
    pub(super) opened: OpenStore,
    now: Arc<AtomicU64>,
}

impl Host {
    /// Opens the store in `folder`. Every login waits for its flush.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, None)
    }

    /// Opens the store in `folder`, with a witness in this directory.
    pub(super) fn open_with(folder: &Path, witness: Option<&Path>) -> Result<Self, OpenError> {
        let marks = witness.map(|witness| MarkSettings { witness, is_on: true, now: || START });
        let opened = Local::open(folder, None, marks, this_user())?;
        Ok(Self { opened, now: Arc::new(AtomicU64::new(START)) })
    }

    /// Has nobody wait longer than this.
    pub(super) fn hurry(&mut self, timeout: Duration) {
        self.opened.store = Store::new(Arc::new(self.opened.local.clone()), timeout);
    }

    /// Shows a prompt.
    pub(super) fn prompt_without_waiting(&self) {
        self.opened.store.note_prompt(self.now());
    }

    /// Shows a prompt, and waits a moment for a mark: a disk that fails makes none.
    pub(super) fn try_prompt(&self) {
        self.prompt_within(Duration::from_millis(100));
    }

    /// Shows a prompt, and waits until its answer may lean.
    pub(super) fn prompt(&self) {
        assert!(self.prompt_within(Duration::from_secs(30)), "no mark");
    }

    /// Shows prompts until an answer may lean, or the time is over.
    fn prompt_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            self.prompt_without_waiting();
            let is_ready = self.is_ready();
            if is_ready || Instant::now() >= end {
                return is_ready;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Reports whether a login would lean now, and no other mark is being made.
    pub(super) fn is_ready(&self) -> bool {
        self.opened.local.marker().is_ready(self.now())
    }

    /// Returns the present time step.
    pub(super) fn step(&self) -> u64 {
        self.now.load(Ordering::Relaxed) / 30
    }

    /// Advances the clock by `steps` time steps.
    pub(super) fn wait(&self, steps: u64) {
        self.now.fetch_add(30 * steps, Ordering::Relaxed);
    }

    /// Sets the clock to the beginning of a time step.
    pub(super) fn at(&self, step: u64) {
        self.now.store(30 * step, Ordering::Relaxed);
    }

    /// Sets the clock, to seconds since 1970.
    pub(super) fn set_clock(&self, now: u64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// Signs a backup, and remembers it: its signer, and when it was created.
    pub(super) fn signed(&self) -> Result<(PublicKey, u64), StoreError> {
        let created = self.now();
        self.opened.local.note_backup(created)?;
        Ok((self.opened.local.signing_key().public(), created))
    }

    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Enrolls a user, who has to confirm.
    pub(super) fn enroll(&self, name: &str) -> Result<(), StoreError> {
        let (factor, now) = (factor(name, self.now()), self.now());
        run(self.opened.store.update(user(name), move |record, _| {
            let mut record = record.unwrap_or_else(|| Record::new(1000));
            enrollment::expire(&mut record, now);
            let added = enrollment::add(&mut record, factor.clone(), now, &ENROLLMENT);
            (added, Some(record))
        }))?
        .unwrap();
        Ok(())
    }

    /// Gives the first code, which is that of the present step.
    pub(super) fn confirm(&self, name: &str) -> Result<Confirmation, StoreError> {
        let (id, code, now) = (factor(name, 0).id, code(name, self.step()), self.now());
        run(self.opened.store.update(user(name), move |record, voids| {
            let mut record = record.unwrap_or_else(|| Record::new(1000));
            let confirmation = enrollment::confirm(
                &mut record,
                Maker::Root,
                id.as_str(),
                &code,
                Moment { now, voids },
                &ENROLLMENT,
                &RULES.throttle,
            );
            (confirmation, Some(record))
        }))
    }

    /// Tries the code of a time step.
    pub(super) fn verify(&self, name: &str, step: u64) -> Result<Verdict, StoreError> {
        run(self.verify_later(name, step))
    }

    /// Tries the code of a time step later, for many tries at a time.
    pub(super) fn verify_later(
        &self,
        name: &str,
        step: u64,
    ) -> impl Future<Output = Result<Verdict, StoreError>> + use<> {
        self.attempt(name, Answer::Code(code(name, step)))
    }

    /// Tries a wrong code.
    pub(super) fn guess(&self, name: &str) -> Result<Verdict, StoreError> {
        run(self.attempt(name, Answer::Code(Code::parse("12345678").unwrap())))
    }

    /// Gives a user new recovery codes, and answers them.
    pub(super) fn recovery_codes(&self, name: &str, count: u32) -> Result<Vec<String>, StoreError> {
        let (codes, hashes) = RecoveryCodes::generate(count, getrandom::fill).unwrap();
        run(self.opened.store.update(user(name), move |record, _| {
            let record = record.map(|record| Record { recovery: hashes.clone(), ..record });
            ((), record)
        }))?;
        Ok(codes.iter().map(|code| code.display().to_string()).collect())
    }

    /// Tries a recovery code.
    pub(super) fn recover(&self, name: &str, code: &str) -> Result<Verdict, StoreError> {
        let salt = self.record(name)?.map_or([0; 16], |record| record.recovery.salt());
        let guess = recovery_guess(code, salt);
        run(self.attempt(name, Answer::Recovery(guess)))
    }

    fn attempt(
        &self,
        name: &str,
        answer: Answer,
    ) -> impl Future<Output = Result<Verdict, StoreError>> + use<> {
        let (store, key) = (self.opened.store.clone(), user(name));
        let source = Source::Address([192, 0, 2, 1].into());
        let attempt = Attempt {
            answer,
            methods: Methods::ALL,
            factor: None,
            service: None,
            source,
            uid: 1000,
            now: self.now(),
        };
        async move {
            let owner = key.clone();
            let judge = move |record: Option<Record>, voids: &VoidWindows| {
                let record = record.unwrap_or_else(|| Record::new(1000));
                let (verdict, record) = verify(record, &attempt, &RULES, voids);
                let login = verdict.leaning_login(&owner, attempt.now);
                (verdict, Changed { record: Some(record), login })
            };
            store.judge(key, judge).await
        }
    }

    /// Changes the factor of a user.
    pub(super) fn change_factor(&self, name: &str, change: impl Fn(&mut Factor) + Send + 'static) {
        run(self.opened.store.update(user(name), move |record, _| {
            let record = record.map(|mut record| {
                record.factors.iter_mut().for_each(&change);
                record
            });
            ((), record)
        }))
        .unwrap();
    }

    /// Removes all factors of a user.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        let now = self.now();
        run(self.opened.store.update(user(name), move |record, _| {
            let mut record = record.unwrap_or_else(|| Record::new(1000));
            enrollment::remove(&mut record, "", Maker::Root, now);
            ((), Some(record))
        }))
    }

    /// Returns the record of a user.
    pub(super) fn record(&self, name: &str) -> Result<Option<Record>, StoreError> {
        run(self.opened.store.read(user(name)))
    }

    /// Returns all users, as a backup has them.
    pub(super) fn backup(&self) -> Result<Vec<(UserName, Record)>, StoreError> {
        let mut all = Vec::new();
        self.opened.local.each_user(&Progress::default(), |name, record| {
            all.push((name.clone(), record.clone()));
            Ok::<_, StoreError>(())
        })?;
        Ok(all)
    }

    /// Puts a backup in the place of the store.
    pub(super) fn restore(
        &self,
        backup: &[(UserName, Record)],
    ) -> Result<RestoreReport, StoreError> {
        let created = self.now();
        let mut restoring = self.opened.local.begin_restore()?;
        for (name, record) in backup {
            restoring.add(name.clone(), record)?;
        }
        let now = Arc::clone(&self.now);
        restoring.finish(created, created, move || now.load(Ordering::Relaxed), RULES.skew)
    }

    /// Seals everything under a new key.
    pub(super) fn rekey(&self) -> Result<RekeyReport, StoreError> {
        self.opened.local.rekey(&Progress::default())
    }
}

/// Returns the factor that this user always has.
fn factor(name: &str, now: u64) -> Factor {
    let mut id = [0; 5];
    name.bytes().enumerate().for_each(|(n, byte)| id[n % 5] ^= byte);
    Factor {
        id: FactorId::from_random(id),
        name: "phone".into(),
        seed: seed(name),
        status: Status::Unverified { expires: now + 600, wrong_codes: 0 },
        created: now,
        ..verified(Kind::Totp { period: 30 }, None)
    }
}

fn seed(name: &str) -> Seed {
    Seed::new(name.bytes().cycle().take(20).collect()).unwrap()
}

/// Returns the code of a time step on the phone of this user.
pub(super) fn code(name: &str, step: u64) -> Code {
    let value = code_at(&seed(name), Algorithm::Sha1, step, 6);
    Code::parse(&format!("{value:06}")).unwrap()
}

/// Hashes a recovery code, or remembers the hash: campaigns try a few codes thousands of times.
fn recovery_guess(code: &str, salt: [u8; 16]) -> HashedGuess {
    static HASHED: Mutex<BTreeMap<(String, [u8; 16]), HashedGuess>> = Mutex::new(BTreeMap::new());
    let hash = || RecoveryCode::parse(code).unwrap().hash(salt);
    lock(&HASHED).entry((code.to_owned(), salt)).or_insert_with(hash).clone()
}

/// Reports whether the verdict approves the login.
pub(super) fn is_yes(verdict: &Result<Verdict, StoreError>) -> bool {
    matches!(verdict, Ok(Verdict::Approved { .. }))
}

/// The first time on the clock.
const START: u64 = 1_800_000_000;

const ENROLLMENT: EnrollmentRules =
    EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };

/// Nothing waits, because other tests try throttling.
const RULES: Rules = Rules {
    skew: 1,
    throttle: ThrottleRules {
        free_failures: u32::MAX,
        first_wait: 0,
        longest_wait: 0,
        lock_after: u32::MAX,
        known_source: 86_400,
    },
};
