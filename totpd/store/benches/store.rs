#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]
//! What the store costs at 10,000 users, and at a full TEST_SCALE at 1,000,000: one durable update
//! beside one in-place `fdatasync`, many at a time beside pam_google_authenticator's way of
//! writing, opening, memory, listing, backup and verification. Medians and ratios of one run. The
//! lines that begin with "row" are for `scripts/bench-table.py`.

use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use age::secrecy::SecretString;
use totpd_core::code::Code;
use totpd_core::record_key::RecordKey;
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleRules;
use totpd_core::verification::{Answer, Attempt, Methods, Rules, verify};
use totpd_store::backup::{BackupError, Head, Recipients, Writer};
use totpd_store::progress::Progress;
use totpd_store::sqlite::OpenStore;
use totpd_store::{Store, StoreError};

#[path = "../examples/generate_store.rs"]
mod generate_store;

use generate_store::{generate, name, open};

const FEW: u32 = 10_000;
const MANY: u32 = 1_000_000;
const ROUNDS: usize = 2_001;
const REQUESTERS: u32 = 64;
const WHILE: Duration = Duration::from_secs(3);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let Some(child) = arguments.iter().position(|argument| argument == "child") {
        return in_a_fresh_process(&arguments[child + 1], Path::new(&arguments[child + 2]));
    }
    // `cargo test` runs benches too, to see that they build.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(std::process::id().to_string());
    fs::create_dir_all(&place).expect("a folder");
    let (few, many) = (place.join("few"), place.join("many"));
    let scale: f64 =
        std::env::var("TEST_SCALE").map_or(0.1, |scale| scale.parse().expect("a number"));
    {
        let opened_few = generate(&few, FEW);
        let opened_many = (scale >= 1.0).then(|| generate(&many, MANY));
        let many = opened_many.as_ref().map(|opened| &opened.store);
        one_at_a_time(&place, &opened_few.store, many);
        many_at_a_time(&place, &opened_few.store, many);
        if let Some(opened) = &opened_many {
            the_whole(opened);
        }
    }
    for what in ["open", "list"] {
        if !many.exists() {
            break;
        }
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["child", what]).arg(&many).status().expect("a child");
    }
    fs::remove_dir_all(&place).expect("the folder goes");
}

/// The rows of the million users, which only a full run has.
const MILLION: &str = "store, `TEST_SCALE=1`";

/// Prints a row of the table. `target` is the relation and the bound, with a tab between.
fn row(by: &str, what: &str, measured: f64, unit: &str, target: &str) {
    println!("row\t{by}\t{what}\t{measured}\t{unit}\t{target}");
}

/// One durable update at a time, interleaved with one in-place flush.
fn one_at_a_time(place: &Path, few: &Store, many: Option<&Store>) {
    let file = preallocate(place);
    let runtime = runtime();
    let (mut flushes, mut at_few, mut at_many) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = Instant::now();
        file.write_all_at(&[round as u8; 4096], (round as u64 % 256) * 4096).expect("a write");
        file.sync_data().expect("a flush");
        flushes.push(start.elapsed());
        for (store, users, times) in [(Some(few), FEW, &mut at_few), (many, MANY, &mut at_many)] {
            let Some(store) = store else { continue };
            let start = Instant::now();
            runtime.block_on(verification(store, user(round as u32, users))).expect("a verdict");
            times.push(start.elapsed());
        }
    }
    let (flush, few) = (median(&mut flushes), median(&mut at_few));
    println!("\nOne at a time, {ROUNDS} interleaved rounds, medians in µs");
    println!("one in-place fdatasync                      {flush:>9.1}");
    println!("one verification, {FEW} users             {few:>9.1}");
    let what = "one verification in the daemon, durable, 10,000 users / one in-place `fdatasync`";
    row("store", what, few / flush, "", "at most\t2.5");
    if !at_many.is_empty() {
        let many = median(&mut at_many);
        println!("one verification, {MANY} users           {many:>9.1}");
        let what = "one verification, 1,000,000 users / 10,000 users";
        row(MILLION, what, many / few, "", "at most\t1.7");
    }
}

/// Sixty-four that wait, beside the way of writing of pam_google_authenticator: a new file, a
/// flush, a rename, for each login.
fn many_at_a_time(place: &Path, few: &Store, many: Option<&Store>) {
    let peer = |threads: u32| -> f64 {
        let start = Instant::now();
        let updates: u32 = std::thread::scope(|scope| {
            let work = |thread| move || rewrites(place, thread, start);
            let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(work(thread))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum()
        });
        f64::from(updates) / start.elapsed().as_secs_f64()
    };
    let alone = peer(1);
    let crowd = peer(REQUESTERS);
    println!("\n{REQUESTERS} requesters, durable updates a second");
    println!("a new file, fsync, rename, one at a time    {alone:>9.0}");
    println!("the same, {REQUESTERS} at a time                     {crowd:>9.0}");
    let few = updates_a_second(few, FEW);
    println!("the store, {FEW} users                    {few:>9.0}");
    let what = "durable updates a second, 64 requesters, 10,000 users / new file, fsync, rename";
    row("store", what, few / alone, "", "at least\t25");
    row("store", "the same / 64 of these at a time", few / crowd, "", "\t");
    if let Some(many) = many {
        let many = updates_a_second(many, MANY);
        println!("the store, {MANY} users                  {many:>9.0}");
        let what =
            "durable updates a second, 64 requesters, 1,000,000 users / new file, fsync, rename";
        row(MILLION, what, many / alone, "", "at least\t20");
    }
}

/// What pam_google_authenticator does to a file of one user at each login.
fn rewrites(place: &Path, thread: u32, start: Instant) -> u32 {
    let (file, new) = (place.join(format!("ga{thread}")), place.join(format!("ga{thread}~")));
    let mut updates = 0;
    while start.elapsed() < WHILE {
        let mut created =
            OpenOptions::new().write(true).create_new(true).open(&new).expect("a new file");
        created.write_all(&[b'x'; 300]).expect("a write");
        created.sync_all().expect("a flush");
        drop(created);
        fs::rename(&new, &file).expect("a rename");
        updates += 1;
    }
    updates
}

fn updates_a_second(store: &Store, users: u32) -> f64 {
    runtime().block_on(async {
        let start = Instant::now();
        let mut requesters = Vec::new();
        for requester in 0..REQUESTERS {
            let store = store.clone();
            requesters.push(tokio::spawn(async move {
                let mut updates = 0_u32;
                while start.elapsed() < WHILE {
                    verification(&store, user(requester + updates * REQUESTERS, users))
                        .await
                        .expect("a verdict");
                    updates += 1;
                }
                updates
            }));
        }
        let mut updates = 0;
        for requester in requesters {
            updates += requester.await.expect("a requester");
        }
        f64::from(updates) / start.elapsed().as_secs_f64()
    })
}

/// Backup and verification of everything, beside reading and unsealing alone.
fn the_whole(opened: &OpenStore) {
    let progress = Progress::default();
    let start = Instant::now();
    let read = opened.local.each_user(&progress, |name, record| {
        black_box((name, record));
        Ok::<_, StoreError>(())
    });
    assert_eq!(read.expect("a reading").records, u64::from(MANY));
    let reading = start.elapsed().as_secs_f64();
    let start = Instant::now();
    opened.local.scan(&progress).expect("a verification");
    let verifying = start.elapsed().as_secs_f64();

    let secret = SecretString::from("a passphrase for a benchmark".to_owned());
    let start = Instant::now();
    let head = Head { created: 0, host: "bench".into(), version: "0".into() };
    let target = File::create("/dev/null").expect("/dev/null");
    let mut writer =
        Writer::begin(target, &Recipients::Passphrase(secret), &head).expect("a backup");
    let passphrase = start.elapsed().as_secs_f64();
    let added = opened.local.each_user(&progress, |name, record| writer.add(name, record));
    added.map_err(|error: BackupError| error.to_string()).expect("a backup");
    writer.finish(&opened.local.signing_key()).expect("a backup");
    let backup = start.elapsed().as_secs_f64();
    println!("\nAll of {MANY} users, in seconds");
    println!("reading and unsealing                       {reading:>9.2}");
    println!("verify-store                                {verifying:>9.2}");
    println!("backup ({passphrase:.2} of it for the passphrase)     {backup:>9.2}");
    let verifying_what = "`verify-store` of 1,000,000 users / reading and unsealing alone";
    row(MILLION, verifying_what, verifying / reading, "", "at most\t3");
    let backup_what = "`backup` of 1,000,000 users / reading and unsealing alone";
    row(MILLION, backup_what, backup / reading, "", "at most\t3");
}

/// What is measured of a process that has just begun.
fn in_a_fresh_process(what: &str, folder: &Path) {
    let before = private_memory();
    let start = Instant::now();
    let opened = open(folder);
    let runtime = runtime();
    runtime.block_on(verification(&opened.store, user(1, MANY))).expect("a verdict");
    let first = start.elapsed().as_secs_f64() * 1000.0;
    if what == "open" {
        row(MILLION, "open to first answer, 1,000,000 users", first, " ms", "at most\t20");
        for round in 0..2_000 {
            let user = user(round, MANY);
            runtime.block_on(verification(&opened.store, user)).expect("a verdict");
        }
        let what =
            "private memory of a process that opened 1,000,000 users and checked 2,000 codes";
        row(MILLION, what, private_memory() as f64, " kB", "at most\t12288");
        return;
    }
    let (mut after, mut users, mut most) = (String::new(), 0, 0);
    loop {
        let page = runtime.block_on(opened.store.list(after.clone(), 1000)).expect("a page");
        let Some(last) = page.last() else { break };
        after = last.name.as_str().to_owned();
        users += page.len();
        most = most.max(private_memory());
    }
    println!(
        "{users} users listed in {:.1} s; private memory {before} kB before",
        start.elapsed().as_secs_f64()
    );
    let what = "private memory while all 1,000,000 are listed in pages";
    row(MILLION, what, most as f64, " kB", "\t");
}

/// kB of this process that no other shares.
fn private_memory() -> u64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("smaps_rollup");
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

fn preallocate(place: &Path) -> File {
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(place.join("block"))
        .expect("a file");
    file.write_all_at(&[0; 1 << 20], 0).expect("a write");
    file.sync_all().expect("a flush");
    file
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn user(number: u32, users: u32) -> RecordKey {
    RecordKey::User(name(number.wrapping_mul(7_919_317) % users))
}

/// One attempt, judged in full, with a wrong code.
async fn verification(store: &Store, key: RecordKey) -> Result<(), StoreError> {
    let source = Source::Address([192, 0, 2, 1].into());
    let answer = Code::parse("000000").map_or(Answer::Malformed, Answer::Code);
    let now = 1_800_000_000;
    let guess =
        Attempt { answer, methods: Methods::ALL, factor: None, service: None, source, uid: 0, now };
    store
        .update(key, move |stored, voids| {
            let (verdict, record) = verify(stored.expect("a record"), &guess, &RULES, voids);
            black_box(verdict);
            ((), Some(record))
        })
        .await
}

/// Nothing waits, so that each attempt is judged in full.
const RULES: Rules = Rules {
    skew: 1,
    throttle: ThrottleRules {
        free_failures: u32::MAX,
        first_wait: 0,
        longest_wait: 0,
        lock_after: u32::MAX,
        known_source: 0,
    },
};

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}
