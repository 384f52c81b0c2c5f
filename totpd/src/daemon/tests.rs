use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use totpd_core::code::{Code, DIGITS};
use totpd_core::factor::PERIOD;
use totpd_core::fixtures::{enrolled, user};
use totpd_core::record::Outline;
use totpd_core::record_key::RecordKey;
use totpd_core::verification::{Attempt, Methods};
use totpd_core::void_windows::VoidWindows;
use totpd_interface::login::BeginReply;
use totpd_interface::{DictBuilder, Dictionary};
use totpd_store::conformance::run;
use totpd_store::memory::Memory;
use totpd_store::{Backend, Change, Listed, Owner, Pending, StoreError};
use zeroize::Zeroizing;

use super::*;
use crate::access::login_context::trusted_context;
use crate::login::local::LocalLogin;
use crate::login::service::LoginService;

/// Returns a daemon over a store in memory, and that store.
pub(crate) fn daemon() -> (Daemon, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    (daemon_over(memory.clone()), memory)
}

/// Returns a daemon over a store of this kind.
pub(crate) fn daemon_over(backend: Arc<dyn Backend>) -> Daemon {
    let store = Store::new(backend, Duration::from_secs(4));
    let buckets = Buckets::new(&Zeroizing::new([7; 32]));
    let (config, _) = Config::load(std::path::Path::new("/no/such/file"), Owner::ROOT).unwrap();
    Daemon::new(store, buckets, config, "host".into()).unwrap()
}

/// Writes a record into the store.
pub(crate) fn put(daemon: &Daemon, name: &str, record: Record) {
    run(daemon.store.update(user(name), move |_, _| ((), Some(record.clone())))).unwrap();
}

/// Returns a record of the store.
pub(crate) fn stored(daemon: &Daemon, name: &str) -> Option<Record> {
    run(daemon.store.read(user(name))).unwrap()
}

fn alice() -> Account {
    Account { key: user("alice"), uid: Some(1000), is_uncertain: false }
}

#[test]
fn an_unavailable_store_is_available_after_a_write() {
    let ((daemon, memory), alice) = (daemon(), alice());
    let change = || daemon.update(&alice, |record, _| ((), record));
    memory.fail(Some(StoreError::Unavailable("disk sdb has gone".into())));
    assert!(
        matches!(run(change()), Err(Error::StoreUnavailable(reason)) if !reason.contains("sdb"))
    );
    memory.fail(None);
    run(daemon.read(&alice)).unwrap();
    run(change()).unwrap();
    assert!(daemon.store_health.report_success().is_none(), "it was over");
    memory.fail(Some(StoreError::Unavailable("disk sdb has gone".into())));
    run(change()).unwrap_err();
    memory.fail(None);
    run(daemon.read(&alice)).unwrap();
    assert!(daemon.store_health.report_success().is_some(), "a read says nothing");
}

#[test]
fn an_attempt_that_runs_twice_counts_once() {
    let ((daemon, _), alice) = (daemon(), alice());
    put(&daemon, "alice", enrolled(1000));
    for expected in 1..=3 {
        let guess = Attempt {
            answer: Code::parse("00000000").map_or(Answer::Malformed, Answer::Code),
            service: None,
            methods: Methods::ALL,
            factor: None,
            source: Source::Nowhere,
            uid: 1000,
            now: 30_000,
        };
        run(daemon.judge(&alice, guess, None)).unwrap();
        let throttle = run(daemon.read(&alice)).unwrap().unwrap().throttle;
        assert_eq!(throttle.unknown_sources().failures(), expected);
    }
}

#[test]
fn a_recovery_code_is_hashed_only_if_not_throttled() {
    let ((daemon, _), alice) = (daemon(), alice());
    let (codes, recovery) = run(daemon.recovery_codes(Work::Management)).unwrap();
    assert_eq!((codes.len(), recovery.left()), (10, 10));
    let typed = codes[0].display();
    let answer = || run(daemon.classify_answer(&alice, &typed, &Source::Nowhere)).unwrap();
    assert!(matches!(answer(), Answer::Recovery(_)));
    let mut throttled = enrolled(1000);
    for _ in 0..20 {
        throttled.throttle.fail(&Source::Nowhere, clock::now());
    }
    put(&daemon, "alice", throttled);
    assert!(matches!(answer(), Answer::Malformed), "throttled whatever it says");
}

#[test]
fn eight_digits_are_hashed_for_everybody() {
    let ((daemon, _), alice) = (daemon(), alice());
    let answer = |text| run(daemon.classify_answer(&alice, text, &Source::Nowhere)).unwrap();
    assert!(matches!(answer("93240982"), Answer::CodeOrScratch(..)), "without a record too");
    assert!(matches!(answer("932409"), Answer::Code(_)));
    let mut throttled = enrolled(1000);
    for _ in 0..20 {
        throttled.throttle.fail(&Source::Nowhere, clock::now());
    }
    put(&daemon, "alice", throttled);
    assert!(matches!(answer("93240982"), Answer::Code(_)), "throttled whatever it says");
}

#[test]
fn a_caller_owns_only_the_name_of_its_uid() {
    let (daemon, _) = daemon();
    // Every host has a user with this uid.
    let caller = Caller { uid: 1 };
    for (name, own) in [("daemon", true), ("root", false), ("no-such-user", false)] {
        assert_eq!(run(daemon.own_account(caller, name)).unwrap().is_some(), own, "{name}");
        assert_eq!(run(daemon.account_for(caller, name)).is_ok(), own, "{name}");
    }
    assert_eq!(run(daemon.account_for(Caller { uid: 0 }, "daemon")).unwrap().uid, Some(1));
    assert_eq!(run(daemon.account_for(Caller { uid: 0 }, "no-such-user")).unwrap().uid, None);
}

/// A store that unseals seeds for changes alone, and the number of its reads.
#[derive(Default)]
struct SealedUntilChange(Memory, AtomicU32);

impl Backend for SealedUntilChange {
    fn read(&self, _: RecordKey) -> Pending<Option<Record>> {
        panic!("seeds were unsealed")
    }

    fn read_outline(&self, key: RecordKey) -> Pending<Option<Outline>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.read_outline(key)
    }

    fn update(&self, key: RecordKey, change: Change) -> Pending<()> {
        self.0.update(key, change)
    }

    fn void_windows(&self) -> Arc<VoidWindows> {
        self.0.void_windows()
    }

    fn note_prompt(&self, now: u64) {
        self.0.note_prompt(now);
    }

    fn discard(&self, key: RecordKey) -> Pending<()> {
        self.0.discard(key)
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        self.0.list(after, limit)
    }
}

/// Returns the reply to a program that shows a new factor to this user.
fn begin_at_ssh(login: &LocalLogin, name: &str) -> BeginReply {
    let root = Caller { uid: 0 };
    let context: Dictionary = DictBuilder::new()
        .with("enroll", true)
        .with("tty", "ssh")
        .with("nonce", "000102030405060708090a0b0c0d0e0f")
        .into();
    let context = trusted_context(&context, root).unwrap();
    run(login.begin(root, name, &context)).unwrap()
}

#[test]
fn seeds_stay_sealed_until_a_code_is_judged() {
    let daemon = daemon_over(Arc::new(SealedUntilChange::default()));
    let answer = run(daemon.classify_answer(&alice(), "0000-0000-0000-0000", &Source::Nowhere));
    assert!(matches!(answer.unwrap(), Answer::Recovery(_)));
    // Every host has a user of this name.
    let reply = begin_at_ssh(&LocalLogin(Arc::new(daemon)), "daemon");
    assert!(matches!(reply, BeginReply::Enroll { .. }));
}

#[test]
fn the_reads_do_not_tell_who_is_enrolled_where_others_are_shown_a_factor() {
    let store = Arc::new(SealedUntilChange::default());
    let login = LocalLogin(Arc::new(daemon_over(store.clone())));
    put(&login.0, "daemon", enrolled(1));
    for name in ["daemon", "no-such-user"] {
        store.1.store(0, Ordering::SeqCst);
        assert!(matches!(begin_at_ssh(&login, name), BeginReply::Prompt { .. }), "{name}");
        assert_eq!(store.1.load(Ordering::SeqCst), 1, "{name}");
    }
}

#[test]
fn the_form_of_a_code_is_what_the_parser_takes() {
    for text in [
        "123456",
        "12345678",
        "123 456",
        "123-456",
        "123\u{a0}456",
        "123456\r",
        "123456\t ",
        "",
        " ",
        "-123456",
        "123456-",
        "123--456",
        "123456\n",
        "\t123456",
        "12345",
        "123456789",
        "12345a",
        "１２３４５６",
    ] {
        assert_eq!(totpd_interface::is_typed_code(text), Code::parse(text).is_some(), "{text:?}");
    }
}

#[test]
fn the_ranges_of_the_contract_are_those_that_decide() {
    let digits = u32::from(*DIGITS.start())..=u32::from(*DIGITS.end());
    assert_eq!(totpd_interface::CODE_DIGITS, digits);
    assert_eq!(totpd_interface::PERIOD_SECONDS, PERIOD);
}
