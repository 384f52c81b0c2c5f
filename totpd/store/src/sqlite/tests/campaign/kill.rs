//! A daemon is killed during 200 logins a second, a rekey, a backup and a restore. No user is lost,
//! and no code is accepted twice.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::sqlite::tests::child::{child, folder};
use crate::sqlite::tests::host::{Host, is_yes};

const USERS: u64 = 40;
const ROUNDS: u64 = 50;
/// Two hundred a second.
const PAUSE: Duration = Duration::from_millis(5);

fn name(number: u64) -> String {
    format!("user{number}")
}

/// Works until it is killed. Prints each answer when it arrives, and not before.
#[test]
#[ignore = "it is run, and killed, by another test"]
fn work_until_killed() {
    let Some(folder) = folder() else { return };
    let round: u64 = fs::read_to_string(folder.join("round")).unwrap().parse().unwrap();
    let witness = Some(folder.join("witness"));
    let host = Host::open_with(&folder.join("totpd"), witness.as_deref()).unwrap();
    // Later than anything that was before.
    host.wait(round * 10_000);
    let ready = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                let (name, step) = (name(number % USERS), host.step());
                host.prompt_without_waiting();
                if is_yes(&host.verify(&name, step)) {
                    writeln!(std::io::stdout().lock(), "yes {name} {step}").unwrap();
                }
                if number % USERS == USERS - 1 {
                    host.wait(1);
                    ready.store(true, Ordering::Relaxed);
                }
                thread::park_timeout(PAUSE);
            }
        });
        scope.spawn(|| {
            while !ready.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            loop {
                // A rekey that the last kill has interrupted may be gone on with at the moment.
                let Ok(backup) = host.backup() else {
                    thread::yield_now();
                    continue;
                };
                assert_eq!(backup.len() as u64, USERS);
                println!("backup");
                if host.rekey().is_ok() {
                    println!("rekey");
                }
                if host.restore(&backup).is_ok() {
                    println!("restore");
                }
            }
        });
    });
}

#[test]
fn a_store_killed_fifty_times_at_work_loses_nothing() {
    // The witness is on a tmpfs.
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let folder = place.path().join("totpd");
    let host = Host::open(&folder).unwrap();
    for number in 0..USERS {
        host.enroll(&name(number)).unwrap();
        host.confirm(&name(number)).unwrap();
    }
    drop(host);
    // The log begins again many times.
    fs::write(folder.join("test-small-log"), "").unwrap();
    let (mut random, mut yes, mut did) = (3_u64, 0, BTreeSet::new());
    for round in 1..=ROUNDS {
        fs::write(place.path().join("round"), round.to_string()).unwrap();
        let mut child = child("campaign::kill::work_until_killed", place.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut output = Vec::new();
        // The kill comes at any moment after the first round of all users.
        while !output.last().is_some_and(|line: &String| line.contains("backup")) {
            output.push(lines.next().expect("it ended by itself").unwrap());
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let end = Instant::now() + Duration::from_micros((random >> 33) % 150_000);
        while let Some(rest) = end.checked_duration_since(Instant::now()) {
            thread::park_timeout(rest);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        output.extend(lines.map_while(Result::ok));
        yes += check(&folder, &output);
        did.extend(output.into_iter().filter(|line| !line.contains(' ')));
    }
    println!("{ROUNDS} kills, {yes} logins, with {did:?}");
    assert!(did.contains("rekey") && did.contains("restore"), "{did:?}");
}

/// Checks what is left. Returns how many codes were accepted.
fn check(folder: &Path, lines: &[String]) -> usize {
    let witness = folder.with_file_name("witness");
    let host = Host::open_with(folder, Some(&witness)).unwrap();
    assert_eq!(host.opened.store.void_windows().iter().count(), 0, "people wait after a kill");
    let mut yes = BTreeSet::new();
    for line in lines.iter().filter_map(|line| line.split("yes ").nth(1)) {
        assert!(yes.insert(line), "good twice: {line}");
        // The last line may be cut.
        let Some((name, step)) = line.split_once(' ') else { continue };
        let Ok(step) = step.trim().parse() else { continue };
        host.at(step);
        assert!(!is_yes(&host.verify(name, step)), "{name}: {step} is good again");
    }
    for number in 0..USERS {
        let record = host.record(&name(number)).unwrap();
        assert!(record.is_some_and(|record| record.is_enrolled()), "{} is lost", name(number));
    }
    yes.len()
}
