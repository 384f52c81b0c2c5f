//! The campaign of crashes. A power cut at any moment leaves a state that keeps every promise made
//! before it. Without the flushes the same campaign finds a broken promise.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use totpd_core::enrollment::Confirmation;

use super::promises::{Act, Mark, Promises};
use super::recording::{Recording, each_crash, keep_mounts_to_this_thread};
use crate::backup::Signer;
use crate::blocking;
use crate::master_key::{KeyOrigin, MasterKey};
use crate::owner::tests::this_user;
use crate::sqlite::tests::host::{Host, is_yes};

/// Works on the store in `folder`, and says before and after each step what it does.
fn write(folder: &Path, mark: &dyn Fn(Mark)) {
    let witness = tempfile::tempdir_in("/dev/shm").unwrap();
    let host = Host::open_with(folder, Some(witness.path())).unwrap();
    let mark_witness = || mark(Mark::Witness(fs::read(witness.path().join("last")).unwrap()));
    let act = |act: Act, work: &dyn Fn()| {
        mark_witness();
        mark(Mark::Begun(act.clone()));
        work();
        // What the witness says is there before the answer.
        mark_witness();
        mark(Mark::Done(act));
    };
    let enroll = |name: &str| {
        act(Act::Enroll(name.into()), &|| host.enroll(name).unwrap());
        act(Act::Confirm(name.into(), host.step()), &|| {
            assert_eq!(host.confirm(name).unwrap(), Confirmation::Verified)
        });
        host.wait(1);
    };
    let approve = |name: &str| {
        // The login leans.
        host.prompt();
        let step = host.step();
        act(Act::Approve(name.into(), step), &|| assert!(is_yes(&host.verify(name, step))));
    };
    let deny = |name: &str| {
        act(Act::Deny(name.into()), &|| {
            // As on the private socket: this thread commits and flushes.
            let _allowed = blocking::allow();
            assert!(!is_yes(&host.guess(name)));
        });
    };
    let recover = |name: &str, code: &str| {
        act(Act::Recover(name.into(), code.into()), &|| {
            let _allowed = blocking::allow();
            assert!(is_yes(&host.recover(name, code)));
        });
    };
    let rekey = || {
        mark(Mark::Begun(Act::Rekey(String::new())));
        let key = host.rekey().unwrap().key.to_string();
        mark(Mark::Done(Act::Rekey(key)));
    };
    let sign = || {
        let (signer, time) = host.signed().unwrap();
        mark(Mark::Done(Act::Sign(signer, time)));
    };
    for n in 0..6 {
        enroll(&format!("user{n}"));
    }
    sign();
    // Until a restore, which voids them.
    let codes = host.recovery_codes("user1", 4).unwrap();
    let later = host.recovery_codes("user4", 4).unwrap();
    for round in 0..13 {
        match round {
            0 | 1 => codes.iter().skip(2 * round).take(2).for_each(|code| recover("user1", code)),
            _ => {}
        }
        if let Some(code) = later.get(round).filter(|_| round < 2) {
            recover("user4", code);
        }
        for n in 0..6 {
            let name = format!("user{n}");
            approve(&name);
            deny(&name);
        }
        host.wait(2);
        match round {
            0 => {
                rekey();
                sign();
            }
            1 => {
                let backup = host.backup().unwrap();
                act(Act::Remove("user5".into()), &|| host.remove("user5").unwrap());
                enroll("late");
                approve("late");
                // Only the backup has user5 and not late.
                act(Act::Restore, &|| assert_eq!(host.restore(&backup).unwrap().users, 6));
                // Past the steps that it closes: the skew, and those of a phone that runs ahead.
                host.wait(13);
            }
            2 => {
                rekey();
                act(Act::Remove("user0".into()), &|| host.remove("user0").unwrap());
                enroll("user0");
            }
            _ => {}
        }
    }
}

/// Records the writer on a disk, and checks every state that a power cut may have left. Answers how
/// many there were, and what was broken.
fn campaign(leave_out: Option<&str>) -> (usize, Vec<String>) {
    keep_mounts_to_this_thread();
    let disk = Recording::new(24);
    let folder = disk.mount.join("totpd");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    // The log begins again many times.
    fs::write(folder.join("test-small-log"), "").unwrap();
    if let Some(name) = leave_out {
        fs::write(folder.join(name), "").unwrap();
    }
    nix::unistd::sync();
    write(&folder, &|mark| disk.mark(mark));
    let (base, events) = disk.end();
    let mut broken = Vec::new();
    let states = each_crash(base, &events, |mount, marks| {
        // The power was cut, or the storage was lost and the tmpfs kept.
        for is_kept in [false, true] {
            let copy = tempfile::tempdir_in("/dev/shm").unwrap();
            copy_folder(&mount.join("totpd"), copy.path());
            let witness = tempfile::tempdir_in("/dev/shm").unwrap();
            if is_kept && let Some(says) = last_witness(marks) {
                fs::write(witness.path().join("last"), says).unwrap();
            }
            if let Err(reason) = check(copy.path(), witness.path(), marks) {
                broken.push(format!(
                    "after {} marks, the last {:?}, witness kept: {is_kept}: {reason}",
                    marks.len(),
                    marks.last()
                ));
            }
        }
    });
    (states, broken)
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
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
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
            Mark::Witness(_) => {}
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
    for (name, steps) in &promises.used {
        for step in steps {
            // The test tries the code at the very time when it was right.
            while host.step() < *step {
                host.wait(1);
            }
            if is_yes(&host.verify(name, *step)) {
                return Err(format!("{name}: the code of step {step} is good a second time"));
            }
        }
    }
    // A right code that was never used is good, outside of void windows.
    let last = promises.used.values().flatten().max().copied().unwrap_or_default();
    host.at(last.max(host.step()) + 20);
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

#[test]
fn a_power_cut_at_any_moment_breaks_no_promise() {
    let (states, broken) = campaign(None);
    println!(
        "{states} crash states, {} broken: {:#?}",
        broken.len(),
        &broken[..broken.len().min(3)]
    );
    assert!(
        broken.is_empty(),
        "{} of {states} broken: {:#?}",
        broken.len(),
        &broken[..broken.len().min(5)]
    );
    assert!(states >= 1000, "only {states} crash states");
}

#[test]
fn the_campaign_finds_missing_flushes_of_commits() {
    let (states, broken) = campaign(Some("test-no-flush"));
    println!(
        "{states} crash states, {} broken: {:#?}",
        broken.len(),
        &broken[..broken.len().min(3)]
    );
    for what in ["the code of step", "a recovery code is good a second time"] {
        assert!(broken.iter().any(|reason| reason.contains(what)), "{what}: {broken:#?}");
    }
}

#[test]
fn the_campaign_finds_missing_flushes_of_the_directory() {
    let (states, broken) = campaign(Some("test-no-folder-sync"));
    println!(
        "{states} crash states, {} broken: {:#?}",
        broken.len(),
        &broken[..broken.len().min(3)]
    );
    assert!(!broken.is_empty());
}
