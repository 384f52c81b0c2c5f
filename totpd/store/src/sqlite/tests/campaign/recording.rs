//! A disk that records every write and flush.
//!
//! One file in a FUSE file system is the disk. A loop device makes a block device of it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation,
    INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyWrite,
    Request, WriteFlags,
};
use nix::mount::MsFlags;
use nix::sched::CloneFlags;

use crate::mutex::lock;

/// Gives this thread a mount namespace of its own. Otherwise a namespace that another test makes
/// copies each mount, and keeps the copy after this thread has unmounted the disk.
pub(super) fn keep_mounts_to_this_thread() {
    nix::sched::unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    nix::mount::mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
}

/// The events on the disk, in order.
pub(super) enum Event<M> {
    Flush,
    Mark(M),
    Write(u64, Vec<u8>),
}

/// The disk while something writes on it.
pub(super) struct Recording<M> {
    pub(super) mount: PathBuf,
    fuse: PathBuf,
    base: Vec<u8>,
    state: Arc<Mutex<State<M>>>,
    device: String,
    session: Option<BackgroundSession>,
    _folder: tempfile::TempDir,
}

struct State<M> {
    content: Vec<u8>,
    events: Vec<Event<M>>,
    recording: bool,
    /// Returns what changed beside the disk.
    watch: Box<dyn FnMut() -> Option<M> + Send>,
}

impl<M> State<M> {
    /// Records an event, after what changed beside the disk before it.
    fn record(&mut self, event: Event<M>) {
        if self.recording {
            self.events.extend((self.watch)().map(Event::Mark));
            self.events.push(event);
        }
    }
}

impl<M: Clone + Send + 'static> Recording<M> {
    /// Returns an ext4 of `mib` MiB, empty and mounted. `watch` returns a mark if something changed
    /// beside the disk.
    pub(super) fn new(mib: usize, watch: impl FnMut() -> Option<M> + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let image = path("image");
        fs::write(&image, vec![0; mib << 20]).unwrap();
        run(Command::new("/sbin/mkfs.ext4")
            .args(["-q", "-F", "-b", "4096", "-J", "size=4"])
            .arg(&image));
        let content = fs::read(&image).unwrap();
        let watch = Box::new(watch);
        let state = State { content: content.clone(), events: Vec::new(), recording: true, watch };
        let state = Arc::new(Mutex::new(state));
        fs::create_dir(path("fuse")).unwrap();
        fs::create_dir(path("mount")).unwrap();
        let session =
            fuser::spawn_mount(Disk(Arc::clone(&state)), path("fuse"), &Config::default()).unwrap();
        let device =
            run(Command::new("/sbin/losetup").args(["-f", "--show"]).arg(path("fuse/disk")));
        let device = device.trim().to_owned();
        run(Command::new("/bin/mount").args(["-o", "noatime", &device]).arg(path("mount")));
        let (mount, fuse) = (path("mount"), path("fuse"));
        Self { mount, fuse, base: content, state, device, session: Some(session), _folder: folder }
    }

    /// Records a mark: from now on this is promised.
    pub(super) fn mark(&self, mark: M) {
        lock(&self.state).record(Event::Mark(mark));
    }

    /// Ends the recording: the disk as it was at first, and what happened on it.
    pub(super) fn end(mut self) -> (Vec<u8>, Vec<Event<M>>) {
        let mut state = lock(&self.state);
        state.recording = false;
        let events = std::mem::take(&mut state.events);
        drop(state);
        (std::mem::take(&mut self.base), events)
    }
}

impl<M> Drop for Recording<M> {
    fn drop(&mut self) {
        unmount(&self.mount);
        run(Command::new("/sbin/losetup").args(["-d", &self.device]));
        // The kernel gives the device up a moment later, and until then the file is open.
        unmount(&self.fuse);
        drop(self.session.take());
    }
}

/// Unmounts, once the last file there was closed.
pub(super) fn unmount(mount: &Path) {
    for _ in 0..1000 {
        let ended = Command::new("/bin/umount").arg(mount).output().unwrap();
        if ended.status.success() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{} cannot be unmounted", mount.display());
}

pub(super) fn run(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{command:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The file system with the one file.
struct Disk<M>(Arc<Mutex<State<M>>>);

impl<M> Disk<M> {
    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let is_disk = inode == DISK;
        FileAttr {
            ino: inode,
            size: if is_disk { lock(&self.0).content.len() as u64 } else { 0 },
            blocks: 1,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_disk { FileType::RegularFile } else { FileType::Directory },
            perm: if is_disk { 0o600 } else { 0o700 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4096,
        }
    }
}

impl<M: Send + 'static> Filesystem for Disk<M> {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == "disk" {
            reply.entry(&FOREVER, &self.attributes(DISK), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &self.attributes(inode));
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = lock(&self.0);
        let from = (offset as usize).min(state.content.len());
        let to = (from + size as usize).min(state.content.len());
        reply.data(&state.content[from..to]);
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut state = lock(&self.0);
        let at = offset as usize;
        state.content[at..at + data.len()].copy_from_slice(data);
        state.record(Event::Write(offset, data.to_vec()));
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        lock(&self.0).record(Event::Flush);
        reply.ok();
    }
}

const DISK: INodeNo = INodeNo(2);
const FOREVER: Duration = Duration::from_secs(3600);
