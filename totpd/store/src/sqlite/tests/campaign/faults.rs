//! The sweep of faults. Every system call of the store fails once, with every error of a failing
//! disk, or does half of its work. Nothing crashes. No code is accepted twice, and no code is
//! accepted that is not on disk. The store is complete after the last fault, and a
//! fresh code is good.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use nix::errno::Errno;

use crate::progress::Progress;
use crate::sqlite::tests::child::{child, faults, folder};
use crate::sqlite::tests::host::{Host, is_yes};

/// Runs the fixed workload. It repeats a step that fails, as people do.
#[test]
#[ignore = "the sweep runs it in a process of its own"]
fn workload() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("totpd");
    let mut yes = BTreeSet::new();
    let mut approve = |host: &Host, name: &str, step: u64| {
        host.try_prompt();
        // The workload tries the code until there is an answer, and once more.
        let in_at_last = again(|| match host.verify(name, step) {
            Err(error) => Err(error),
            verdict if is_yes(&verdict) => {
                assert!(yes.insert((name.to_owned(), step)), "{name}: {step} is good twice");
                println!("yes {name} {step}");
                Ok(())
            }
            // It may have been used up by a try whose answer was an error.
            _ => Ok(()),
        });
        in_at_last.unwrap();
        assert!(!is_yes(&host.verify(name, step)), "{name}: {step} is good twice");
    };
    let witness = folder.join("witness");
    let open = || Host::open_with(&folder, Some(&witness));
    let host = again(open).unwrap();
    for name in ["alice", "bob"] {
        again(|| host.enroll(name)).unwrap();
        again(|| host.confirm(name)).unwrap();
    }
    host.wait(1);
    approve(&host, "alice", host.step());
    again(|| host.guess("bob")).unwrap();
    again(|| host.rekey()).unwrap();
    approve(&host, "bob", host.step());
    let backup = again(|| host.backup()).unwrap();
    host.wait(1);
    approve(&host, "alice", host.step());
    // The backup does not know of alice's last code. That code stays used after any answer, in any
    // store that is in place now.
    let restored = again(|| {
        let restored = host.restore(&backup);
        for step in [host.step() - 1, host.step()] {
            assert!(!is_yes(&host.verify("alice", step)), "a restoration reopens {step}");
        }
        restored
    });
    restored.unwrap();
    assert!(!is_yes(&host.verify("alice", host.step() + 1)), "the step of the skew is open");
    host.wait(3);
    approve(&host, "alice", host.step());
    again(|| host.remove("bob")).unwrap();
    drop(host);
    let host = again(open).unwrap();
    approve(&host, "alice", host.step());
    host.wait(1);
    approve(&host, "alice", host.step());
    assert!(again(|| host.record("bob")).unwrap().unwrap().factors.is_empty());
    let checked = again(|| host.opened.local.scan(&Progress::default())).unwrap();
    assert_eq!(checked.damaged_count, 0);
    println!("all is well at {}", host.step());
}

/// Repeats `work` until it succeeds: each fault ends.
fn again<T, E>(mut work: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    for _ in 0..200 {
        if let Ok(value) = work() {
            return Ok(value);
        }
    }
    work()
}

/// What fails.
#[derive(Clone, Copy, Debug)]
struct Fault {
    /// The first call, from 1; 0: none.
    at: usize,
    how_many: usize,
    error: Errno,
    /// True if writes do half of their work.
    is_short: bool,
}

/// Runs the workload with a fault. Returns the number of calls.
fn run_with(fault: Fault) -> Result<usize, String> {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let store = place.path().join("totpd");
    fs::create_dir(&store).unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    // The log begins again many times.
    fs::write(store.join("test-small-log"), "").unwrap();
    let count = place.path().join("count");
    let ran = child("campaign::faults::workload", place.path())
        .env("LD_PRELOAD", faults())
        .env("FAULT_FOLDER", &store)
        .env("FAULT_AT", fault.at.to_string())
        .env("FAULT_FOR", fault.how_many.to_string())
        .env("FAULT_ERRNO", (fault.error as i32).to_string())
        .env("FAULT_SHORT", if fault.is_short { "1" } else { "0" })
        .env("FAULT_COUNT", &count)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&ran.stdout).into_owned();
    if !ran.status.success() || !output.contains("all is well") {
        return Err(format!("{output}\n{}", String::from_utf8_lossy(&ran.stderr)));
    }
    check(&store, &output, fault.at > 0)?;
    Ok(fs::read_to_string(count).unwrap().trim().parse().unwrap())
}

/// Checks that every accepted code stays used, and that a fresh one is good outside of void
/// windows. Nothing is void if nothing failed.
fn check(folder: &Path, output: &str, has_failed: bool) -> Result<(), String> {
    let host = Host::open_with(folder, Some(&folder.join("witness")))
        .map_err(|error| error.to_string())?;
    for line in output.lines().filter_map(|line| line.split("yes ").nth(1)) {
        let (name, step) = line.split_once(' ').ok_or("no step")?;
        let step = step.trim().parse().map_err(|_| format!("no step: {step}"))?;
        while host.step() < step {
            host.wait(1);
        }
        if is_yes(&host.verify(name, step)) {
            return Err(format!("{name}: {step} is good again"));
        }
    }
    let windows = host.opened.store.void_windows();
    if !has_failed && windows.iter().next().is_some() {
        return Err(format!("void without a reason: {windows:?}"));
    }
    let until = windows.iter().map(|window| window.until() / 30).max().unwrap_or_default();
    // A restoration closes some steps ahead, too.
    host.at(until.max(host.step()) + 20);
    match host.verify("alice", host.step()) {
        verdict if is_yes(&verdict) => Ok(()),
        verdict => Err(format!("a fresh code is refused: {verdict:?}")),
    }
}

#[test]
fn a_disk_fault_breaks_no_promise() {
    let fault = |at, how_many, error| Fault { at, how_many, error, is_short: false };
    let calls = run_with(fault(0, 1, Errno::EIO)).unwrap();
    let errors = [Errno::ENOSPC, Errno::EIO, Errno::EDQUOT, Errno::EROFS];
    // Each call alone, and each with some after it: a disk that recovers by and by.
    let runs = [(1, 1), (2, 5), (7, 30)];
    let faults = runs.into_iter().flat_map(|(step, how_many)| {
        let calls = (1..=calls).step_by(step);
        calls.flat_map(move |at| errors.map(|error| fault(at, how_many, error)))
    });
    let short = (1..=calls).map(|at| Fault { is_short: true, ..fault(at, 1, Errno::ENOSPC) });
    let faults: Vec<_> = faults.chain(short).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut broken = Vec::new();
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(reason) = run_with(*fault) {
                broken.push(format!("{fault:?}: {reason}"));
            }
        }
        broken
    };
    let broken: Vec<_> = thread::scope(|scope| {
        // Some wait for a mark that is not made.
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("{} faults injected in {calls} calls, {} broken", faults.len(), broken.len());
    assert!(broken.is_empty(), "{} broken: {:#?}", broken.len(), &broken[..broken.len().min(3)]);
    assert!(faults.len() >= 5000, "only {} faults", faults.len());
}
