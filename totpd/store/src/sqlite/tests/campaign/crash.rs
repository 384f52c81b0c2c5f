//! The campaign of crashes. A power cut at any moment leaves a state that keeps every promise made
//! before it. Without the flushes the same campaign finds a broken promise.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::content::hash;
use super::promises::{Act, Mark, Promises};
use super::recording::{Recording, keep_mounts_to_this_thread};
use super::states::{Seen, States, each_crash};
use super::writer::{PHASES, write};
use crate::backup::Signer;
use crate::master_key::{KeyOrigin, MasterKey};
use crate::owner::tests::this_user;
use crate::sqlite::tests::host::{Host, is_yes};

/// Records the writer on a disk, and checks every state that a power cut may have left. Answers how
/// many there were, and what was broken.
fn campaign(leave_out: Option<&str>, rounds: usize) -> (States, Vec<String>) {
    keep_mounts_to_this_thread();
    let witness = tempfile::tempdir_in("/dev/shm").unwrap();
    let (file, mut before) = (witness.path().join("last"), Vec::new());
    let watch = move || {
        let says = fs::read(&file).ok().filter(|says| *says != before)?;
        before.clone_from(&says);
        Some(Mark::Witness(says))
    };
    let disk = Recording::new(24, watch);
    let folder = disk.mount.join("totpd");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    // The log begins again many times.
    fs::write(folder.join("test-small-log"), "").unwrap();
    if let Some(name) = leave_out {
        fs::write(folder.join(name), "").unwrap();
    }
    nix::unistd::sync();
    write((&folder, witness.path()), rounds, &|mark| disk.mark(mark));
    let (base, events) = disk.end();
    // The power was cut, or the storage was lost and the tmpfs kept.
    let seen = |marks: &[Mark]| {
        let answers = |mark: &&Mark| matches!(mark, Mark::Begun(_) | Mark::Done(_));
        let witness = last_witness(marks);
        Seen {
            promises: hash(&marks.iter().filter(answers).count()),
            views: [hash(&None::<&[u8]>), hash(&witness)],
            phase: last_phase(marks),
        }
    };
    each_crash(base, &events, seen, |mount, marks, view| {
        let is_kept = view == 1;
        let copy = tempfile::tempdir_in("/dev/shm").unwrap();
        copy_folder(&mount.join("totpd"), copy.path());
        let witness = tempfile::tempdir_in("/dev/shm").unwrap();
        if is_kept && let Some(says) = last_witness(marks) {
            fs::write(witness.path().join("last"), says).unwrap();
        }
        check(copy.path(), witness.path(), marks).map_err(|reason| {
            let last =
                marks.iter().rev().find(|mark| matches!(mark, Mark::Begun(_) | Mark::Done(_)));
            let phase = last_phase(marks);
            format!("{phase}, after {last:?}, witness kept: {is_kept}: {reason}")
        })
    })
}

fn last_phase(marks: &[Mark]) -> &'static str {
    let phase = |mark: &Mark| if let Mark::Phase(phase) = mark { Some(*phase) } else { None };
    marks.iter().rev().find_map(phase).unwrap_or("no mark")
}

fn last_witness(marks: &[Mark]) -> Option<&[u8]> {
    marks.iter().rev().find_map(|mark| match mark {
        Mark::Witness(says) => Some(says.as_slice()),
        _ => None,
    })
}

fn copy_folder(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        // The disk of the next start is a good one.
        if !["test-failed-flush", "test-stalled-flush"].iter().any(|name| file.file_name() == *name)
        {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Checks that the content of the disk, and what the witness says, keep the promises.
fn check(folder: &Path, witness: &Path, marks: &[Mark]) -> Result<(), String> {
    let (mut promises, mut under_way) = (Promises::default(), None);
    for mark in marks {
        match mark {
            Mark::Begun(act) => {
                if let (Act::Remove(_), true) = (act, promises.backup.is_empty()) {
                    // The backup was made just before the first removal.
                    promises.backup.clone_from(&promises.confirmed);
                }
                under_way = Some(act);
            }
            Mark::Done(act) => {
                promises.keep(act);
                under_way = None;
            }
            Mark::Phase(_) | Mark::Witness(_) => {}
        }
    }
    // An opened store must not leave its mark on the promises of the next state.
    let host = Host::open_with(folder, Some(witness))
        .map_err(|error| format!("it does not open: {error}"))?;
    let record = |name: &str| host.record(name).map_err(|error| error.to_string());
    if under_way == Some(&Act::Restore) {
        // All of the old store, or all of the new one.
        let is_new = record("late")?.is_none_or(|record| record.factors.is_empty());
        if is_new {
            promises.keep(&Act::Restore);
        }
    }
    let touched = |name: &str| match under_way {
        Some(Act::Approve(one, _) | Act::Confirm(one, _) | Act::Deny(one) | Act::Enroll(one)) => {
            one == name
        }
        Some(Act::Recover(one, _) | Act::Remove(one)) => one == name,
        _ => false,
    };
    for name in &promises.confirmed {
        let is_enrolled = record(name)?.is_some_and(|record| record.is_enrolled());
        if !is_enrolled && !matches!(under_way, Some(Act::Remove(one)) if one == name) {
            return Err(format!(
                "{name} was confirmed and is not there: {:?} of {:?}",
                record(name)?,
                host.opened.local.count()
            ));
        }
    }
    for name in &promises.removed {
        if record(name)?.is_some_and(|record| record.is_enrolled()) && !touched(name) {
            return Err(format!("{name} was removed and is there"));
        }
    }
    for (name, denied) in &promises.denied {
        let counted =
            record(name)?.map_or(0, |record| record.throttle.unknown_sources().failures());
        let known = record(name)?.map_or(0, |record| {
            record.throttle.known_sources().iter().map(|known| known.budget.failures()).sum()
        });
        if counted + known < *denied && !touched(name) {
            return Err(format!("{name}: {denied} denials, {} counted", counted + known));
        }
    }
    if let Some(key) = &promises.key {
        let file = MasterKey::read(&folder.join("store.key"), KeyOrigin::StoreFile, this_user())
            .map_err(|e| e.to_string())?;
        let key_id = file.map(|key| key.id().to_string());
        if key_id.as_ref() != Some(key) && !matches!(under_way, Some(Act::Rekey(_))) {
            return Err(format!("the key is {key_id:?} after a rekey to {key}"));
        }
    }
    for (name, codes) in &promises.recovered {
        for code in codes {
            if is_yes(&host.recover(name, code)) {
                return Err(format!("{name}: a recovery code is good a second time"));
            }
        }
    }
    let mut used: Vec<_> = promises
        .used
        .iter()
        .flat_map(|(name, steps)| steps.iter().map(move |step| (*step, name)))
        .collect();
    used.sort_unstable();
    let last = used.last().map_or(0, |(step, _)| *step);
    // The test tries the code at the very time when it was right. The earlier ones lie before all
    // that can be lost.
    let tried = if scale() < 1.0 { TRIED } else { MANY_TRIED };
    for (step, name) in &used[used.len().saturating_sub(tried)..] {
        host.at(*step);
        if is_yes(&host.verify(name, *step)) {
            return Err(format!("{name}: the code of step {step} is good a second time"));
        }
    }
    // A right code that was never used is good at the first step that is not void. A restoration
    // closes more: the skew, and the steps of a phone that runs ahead.
    let windows = host.opened.store.void_windows();
    let void = windows.iter().map(|window| window.until() / 30).max().unwrap_or_default();
    let closed = if promises.is_restored || under_way == Some(&Act::Restore) { 20 } else { 1 };
    if void > last + LONGEST_VOID + closed {
        return Err(format!("people wait until {void}, and the last login was at {last}"));
    }
    let attempt = match under_way {
        Some(Act::Approve(_, step) | Act::Confirm(_, step)) => *step,
        _ => 0,
    };
    host.at(void.max(last).max(attempt) + closed);
    for name in promises.confirmed.iter().filter(|name| !touched(name)) {
        let verdict = host.verify(name, host.step());
        if !is_yes(&verdict) && under_way != Some(&Act::Restore) {
            return Err(format!("{name}: a fresh code is refused: {verdict:?}"));
        }
    }
    let known = host.opened.local.known_backups().map_err(|error| error.to_string())?;
    if let Some(lost) =
        promises.signers.iter().find(|key| matches!(known.signer(Some(key)), Signer::Stranger(_)))
    {
        return Err(format!("the backups of {} are a stranger's", lost.fingerprint()));
    }
    if known.newest < promises.newest_backup {
        return Err(format!("the newest backup is forgotten: {:?}", known.newest));
    }
    Ok(())
}

fn print(states: &States, broken: &[String]) {
    println!("{states}, {} broken: {:#?}", broken.len(), &broken[..broken.len().min(3)]);
}

#[test]
fn a_power_cut_at_any_moment_breaks_no_promise() {
    let (rounds, least) = match scale() {
        1.0.. => (FULL_ROUNDS, 5000),
        0.1.. => (ROUNDS, 3000),
        _ => (ROUNDS_OF_EACH_PHASE, 0),
    };
    let (states, broken) = campaign(None, rounds);
    print(&states, &broken);
    assert!(broken.is_empty(), "{} broken: {:#?}", broken.len(), &broken[..broken.len().min(5)]);
    assert!(states.all >= least, "only {states}");
    for phase in PHASES {
        assert!(states.phases.contains_key(phase), "no state while {phase}: {states}");
    }
}

#[test]
fn the_campaign_finds_missing_flushes_of_commits() {
    let (states, broken) = campaign(Some("test-no-flush"), FEW_ROUNDS);
    print(&states, &broken);
    for what in ["the code of step", "a recovery code is good a second time"] {
        assert!(broken.iter().any(|reason| reason.contains(what)), "{what}: {broken:#?}");
    }
}

#[test]
fn the_campaign_finds_missing_flushes_of_the_directory() {
    let (states, broken) = campaign(Some("test-no-folder-sync"), FEW_ROUNDS);
    print(&states, &broken);
    assert!(!broken.is_empty());
}

#[expect(clippy::disallowed_methods, reason = "the one who runs the tests says how much")]
fn scale() -> f64 {
    std::env::var("TEST_SCALE").map_or(0.1, |scale| scale.parse().expect("a number"))
}

/// Rounds of the writer.
const ROUNDS: usize = 38;
/// Those of a full TEST_SCALE.
const FULL_ROUNDS: usize = 70;
/// Those of less than a tenth.
const ROUNDS_OF_EACH_PHASE: usize = 7;
/// Enough for what the campaign finds without a flush.
const FEW_ROUNDS: usize = 3;
/// The used codes that each start tries: those of more than a round.
const TRIED: usize = 10;
/// Those of a full TEST_SCALE.
const MANY_TRIED: usize = 50;
/// The time steps after a login that its mark, and one that was made without a login, can last.
const LONGEST_VOID: u64 = 8;
