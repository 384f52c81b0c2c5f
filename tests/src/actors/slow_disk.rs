//! `slow_disk FOLDER MICROSECONDS` mounts a disk in memory on FOLDER. Each of its flushes takes so
//! long, and nothing else waits during it. The program prints a line for each flush: the folder of
//! FOLDER in which the file is, and the microseconds that the flush took.

use std::ffi::OsStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow,
    WriteFlags,
};

use tree::{Change, Tree};

mod tree;

/// The kernel keeps what it knows, since nobody else changes the disk.
const FOREVER: Duration = Duration::from_secs(3600);
/// Blocks of 4 KiB that are free, always.
const FREE: u64 = 1 << 20;

pub fn run() {
    let arguments: Vec<_> = std::env::args().collect();
    let flush = Duration::from_micros(arguments[2].parse().unwrap());
    let mut options = Config::default();
    options.mount_options = vec![MountOption::DefaultPermissions];
    let disk = SlowDisk { flush, tree: Mutex::new(Tree::new()) };
    fuser::mount(disk, &arguments[1], &options).unwrap();
}

struct SlowDisk {
    flush: Duration,
    tree: Mutex<Tree>,
}

impl SlowDisk {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers later. The thread that answers other requests does not wait.
    fn answer_late(&self, inode: INodeNo, reply: ReplyEmpty) {
        let (start, flush) = (Instant::now(), self.flush);
        let top = self.tree().top(inode).to_owned();
        thread::spawn(move || {
            // This is the flush. No test waits for it by time.
            thread::sleep(flush);
            println!("{} {}", top.display(), start.elapsed().as_micros());
            reply.ok();
        });
    }
}

impl Filesystem for SlowDisk {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.tree().find(parent, name), reply);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &self.tree().attributes(inode));
    }

    fn setattr(
        &self,
        _: &Request,
        inode: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let change = Change { mode, uid, gid, size };
        reply.attr(&FOREVER, &self.tree().change(inode, &change));
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        entry(self.tree().make(parent, name, FileType::Directory, mode & !umask), reply);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.tree().make(parent, name, FileType::RegularFile, mode & !umask) {
            Ok(file) => reply.created(
                &FOREVER,
                &file,
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_KEEP_CACHE,
            ),
            Err(error) => reply.error(error),
        }
    }

    fn link(&self, _: &Request, inode: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.tree().link(inode, parent, name), reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.tree().remove(parent, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.tree().remove(parent, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        empty(self.tree().rename((parent, name), (new_parent, new_name)), reply);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        reply.data(self.tree().read(inode, offset, size));
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.tree().write(inode, offset, data);
        reply.written(data.len() as u32);
    }

    /// A file is closed, which flushes nothing.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.answer_late(inode, reply);
    }

    fn fsyncdir(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.answer_late(inode, reply);
    }

    fn readdir(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let tree = self.tree();
        for (number, (name, file)) in (offset + 1..).zip(tree.list(inode, offset as usize)) {
            if reply.add(file.ino, number, file.kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(FREE, FREE, FREE, FREE, FREE, 4096, 255, 4096);
    }
}

fn entry(result: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match result {
        Ok(file) => reply.entry(&FOREVER, &file, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}
