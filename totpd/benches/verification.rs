#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]
//! What one verification costs inside the daemon, with its durable write, beside one in-place
//! `fdatasync` on the same disk, in one interleaved run. Prints medians and their ratio.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use totpd::attempt::{Attempt, Rules, attempt};
use totpd::code::Code;
use totpd::factor::{Factor, FactorId, Kind, Status};
use totpd::otp::Algorithm;
use totpd::record::Record;
use totpd::seed::Seed;
use totpd::store::Store;
use totpd::subject::Subject;
use totpd::throttle::{Source, ThrottleRules};
use totpd::user::UserName;

const USERS: u32 = 10_000;
const ROUNDS: usize = 2_001;

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let store = Store::open(&folder.join("store")).expect("a store").store;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for user in 0..USERS {
            store.update(subject(user), move |_| ((), Some(record(user)))).await.expect("a record");
        }
    });

    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(folder.join("block"))
        .expect("a file");
    file.write_all_at(&[0; 1 << 20], 0).expect("a write");
    file.sync_all().expect("a flush");

    let (mut flushes, mut verifications) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = Instant::now();
        file.write_all_at(&[round as u8; 4096], (round as u64 % 256) * 4096).expect("a write");
        file.sync_data().expect("a flush");
        flushes.push(start.elapsed());

        let user = (round as u32).wrapping_mul(7919) % USERS;
        let start = Instant::now();
        let denied = runtime.block_on(store.update(subject(user), |stored| {
            let stored = stored.expect("a record");
            let (verdict, record) = attempt(stored, &guess(), &rules());
            (format!("{verdict:?}"), Some(record))
        }));
        verifications.push(start.elapsed());
        assert!(denied.expect("a verdict").starts_with("Denied"));
    }
    let (flush, verification) = (median(&mut flushes), median(&mut verifications));
    println!("one in-place fdatasync            {:>8.1} µs", micros(flush));
    println!("one verification, {USERS} users   {:>8.1} µs", micros(verification));
    println!("ratio {:.2} (at most 2.5)", micros(verification) / micros(flush));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

fn subject(user: u32) -> Subject {
    Subject::User(UserName::parse(&format!("user{user}")).expect("a name"))
}

fn record(user: u32) -> Record {
    let mut record = Record::new(user);
    record.factors.push(Factor {
        id: FactorId::from_random([1; 5]),
        name: "phone".into(),
        kind: Kind::Totp { period: 30 },
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::random(20).expect("a seed"),
        status: Status::Verified,
        created: 0,
        last_used: None,
        last_accepted: None,
    });
    record
}

fn guess() -> Attempt {
    let source = Source::Address([192, 0, 2, 1].into());
    Attempt { code: Code::parse("000000"), factor: None, source, uid: 0, now: 1_800_000_000 }
}

fn rules() -> Rules {
    // Nothing waits, so that each attempt is judged in full. Uid and code are wrong.
    let throttle = ThrottleRules {
        free_failures: u32::MAX,
        first_wait: 0,
        longest_wait: 0,
        lock_after: u32::MAX,
        known_source: 0,
    };
    Rules { skew: 1, throttle }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
