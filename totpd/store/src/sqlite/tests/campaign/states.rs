//! The states that a power cut may have left of a disk. Everything flushed is there, and any part
//! of the rest.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::content::{Content, Write, sectors};
use super::recording::{Event, keep_mounts_to_this_thread, run, unmount};
use crate::mutex::lock;

/// How many states were visited.
#[derive(Clone, Default)]
pub(super) struct States {
    /// Contents of the disk, with what was promised before.
    pub(super) all: usize,
    /// Contents of the disk.
    disks: usize,
    /// Contents of the disk, with what was promised before and each view of what is beside it.
    starts: usize,
    /// The states of each phase.
    pub(super) phases: BTreeMap<&'static str, usize>,
}

impl fmt::Display for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, disks, starts, phases } = self;
        write!(f, "{all} crash states, {disks} contents of the disk, {starts} starts, {phases:?}")
    }
}

/// What makes a state another one, beside the content of the disk.
pub(super) struct Seen {
    /// What was promised.
    pub(super) promises: u64,
    /// What a start may find beside the disk.
    pub(super) views: [u64; 2],
    /// What the host was doing.
    pub(super) phase: &'static str,
}

/// A state that is to be started.
struct Crash {
    image: PathBuf,
    /// How many marks were made before it.
    marks: usize,
    /// The views that are new.
    views: Vec<usize>,
}

/// Visits the states that a power cut may have left, each with the marks made before it. It cuts
/// after each event. Everything unflushed is gone, or there, or there in part: up to a write, or
/// some writes, or up to a sector, or some sectors. It calls `check` with the mounted disk, for
/// each view that is new there. Returns what is broken.
pub(super) fn each_crash<M: Clone + Sync>(
    base: Vec<u8>,
    events: &[Event<M>],
    seen: impl Fn(&[M]) -> Seen,
    check: impl Fn(&Path, &[M], usize) -> Result<(), String> + Sync,
) -> (States, Vec<String>) {
    let marks = events.iter().filter_map(|event| match event {
        Event::Mark(mark) => Some(mark.clone()),
        _ => None,
    });
    let marks: Vec<M> = marks.collect();
    let images = tempfile::tempdir_in("/dev/shm").unwrap();
    let (sender, crashes) = sync_channel::<Crash>(STARTERS);
    let crashes = Mutex::new(crashes);
    let start = || {
        keep_mounts_to_this_thread();
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let mut broken = Vec::new();
        loop {
            let next = lock(&crashes).recv();
            let Ok(Crash { image, marks: count, views }) = next else { return broken };
            run(Command::new("/bin/mount")
                .args(["-o", "loop,noatime"])
                .args([&*image, folder.path()]));
            let check = |view| check(folder.path(), &marks[..count], view).err();
            broken.extend(views.into_iter().filter_map(check));
            unmount(folder.path());
            fs::remove_file(&image).unwrap();
        }
    };
    thread::scope(|scope| {
        let starters: Vec<_> = (0..STARTERS).map(|_| scope.spawn(start)).collect();
        let states = Walk::new(&marks, seen, sender).walk(images.path(), base, events);
        let broken = starters.into_iter().flat_map(|starter| starter.join().unwrap());
        (states, broken.collect())
    })
}

/// The walk through all events.
struct Walk<'a, M, S> {
    marks: &'a [M],
    seen: S,
    sender: SyncSender<Crash>,
    random: u64,
}

impl<'a, M, S: Fn(&[M]) -> Seen> Walk<'a, M, S> {
    fn new(marks: &'a [M], seen: S, sender: SyncSender<Crash>) -> Self {
        Self { marks, seen, sender, random: 1 }
    }

    /// Writes an image of each state into `folder`, and sends it. Returns how many there are.
    fn walk(mut self, folder: &Path, base: Vec<u8>, events: &[Event<M>]) -> States {
        let mut stable = Content::new(base);
        let (mut pending, mut marks) = (Vec::<Write<'_>>::new(), 0);
        let (mut disks, mut all, mut starts) = (HashSet::new(), HashSet::new(), HashSet::new());
        let (mut states, mut images) = (States::default(), 0);
        for event in events {
            match event {
                Event::Write(offset, data) => pending.push((*offset, data)),
                Event::Mark(_) => marks += 1,
                Event::Flush => stable.apply(&std::mem::take(&mut pending)),
            }
            if marks == 0 {
                continue;
            }
            let now = (self.seen)(&self.marks[..marks]);
            for subset in self.subsets(&pending) {
                let pages = stable.changed(&subset);
                let disk = stable.digest_with(&pages);
                disks.insert(disk);
                if all.insert((disk, now.promises)) {
                    *states.phases.entry(now.phase).or_default() += 1;
                }
                let views = now.views.into_iter().enumerate();
                let new = views.filter(|view| starts.insert((disk, now.promises, *view)));
                let views: Vec<_> = new.map(|(view, _)| view).collect();
                if views.is_empty() {
                    continue;
                }
                images += 1;
                // Each state has a file of its own. While the kernel holds the loop device of a
                // file, mounting the file again would show the old mount.
                let image = folder.join(format!("image-{images}"));
                stable.write(&image, &pages);
                self.sender.send(Crash { image, marks, views }).unwrap();
            }
        }
        (states.all, states.disks, states.starts) = (all.len(), disks.len(), starts.len());
        states
    }

    /// Returns what may be there of the writes that were not flushed.
    fn subsets<'w>(&mut self, pending: &[Write<'w>]) -> Vec<Vec<Write<'w>>> {
        let mut subsets = vec![Vec::new()];
        if !pending.is_empty() {
            subsets.push(pending.to_vec());
            subsets.push(pending[..pending.len() / 2].to_vec());
            subsets.push(pending.iter().copied().filter(|_| self.tosses_heads()).collect());
            subsets.push(sectors(pending).filter(|_| self.tosses_heads()).collect());
            let cut = self.random() % sectors(pending).count() as u64;
            subsets.push(sectors(pending).take(cut as usize).collect());
        }
        subsets
    }

    fn tosses_heads(&mut self) -> bool {
        self.random() & 1 == 1
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.random >> 33
    }
}

/// Threads that start states. Most of a start is waiting for a disk to be mounted.
const STARTERS: usize = 6;
