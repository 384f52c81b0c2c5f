//! The folders and files of a disk in memory, by their inodes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fuser::{Errno, FileAttr, FileType, INodeNo};

/// An inode. A file that has no name any more stays, because a program may have it open.
struct Node {
    attributes: FileAttr,
    names: BTreeMap<OsString, INodeNo>,
    bytes: Vec<u8>,
    /// The folder under the root that it was made in.
    top: OsString,
}

/// The changes of `setattr` that are kept. Nothing here looks at times.
#[derive(Default)]
pub(super) struct Change {
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) size: Option<u64>,
}

pub(super) struct Tree(Vec<Node>);

impl Tree {
    /// Returns a tree with an empty root.
    pub(super) fn new() -> Self {
        let root = attributes(INodeNo::ROOT, FileType::Directory, 0o755);
        Self(vec![Node {
            attributes: root,
            names: BTreeMap::new(),
            bytes: Vec::new(),
            top: OsString::new(),
        }])
    }

    pub(super) fn attributes(&self, inode: INodeNo) -> FileAttr {
        self.node(inode).attributes
    }

    /// Returns the name of the folder under the root that this inode was made in.
    pub(super) fn top(&self, inode: INodeNo) -> &OsStr {
        &self.node(inode).top
    }

    pub(super) fn find(&self, parent: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        let found = self.node(parent).names.get(name).ok_or(Errno::ENOENT)?;
        Ok(self.attributes(*found))
    }

    pub(super) fn make(
        &mut self,
        parent: INodeNo,
        name: &OsStr,
        kind: FileType,
        mode: u32,
    ) -> Result<FileAttr, Errno> {
        if self.node(parent).names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        let inode = INodeNo(self.0.len() as u64 + 1);
        let top = if parent == INodeNo::ROOT { name } else { self.top(parent) }.to_owned();
        let attributes = attributes(inode, kind, mode);
        self.0.push(Node { attributes, names: BTreeMap::new(), bytes: Vec::new(), top });
        self.node_mut(parent).names.insert(name.to_owned(), inode);
        Ok(attributes)
    }

    pub(super) fn link(
        &mut self,
        inode: INodeNo,
        parent: INodeNo,
        name: &OsStr,
    ) -> Result<FileAttr, Errno> {
        if self.node(parent).names.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.node_mut(parent).names.insert(name.to_owned(), inode);
        self.node_mut(inode).attributes.nlink += 1;
        Ok(self.attributes(inode))
    }

    pub(super) fn remove(&mut self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        let inode = self.find(parent, name)?.ino;
        if !self.node(inode).names.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.node_mut(parent).names.remove(name);
        self.node_mut(inode).attributes.nlink -= 1;
        Ok(())
    }

    /// Renames, over a file of the new name if there is one.
    pub(super) fn rename(
        &mut self,
        from: (INodeNo, &OsStr),
        to: (INodeNo, &OsStr),
    ) -> Result<(), Errno> {
        let inode = self.find(from.0, from.1)?.ino;
        if self.find(to.0, to.1).is_ok() {
            self.remove(to.0, to.1)?;
        }
        self.node_mut(from.0).names.remove(from.1);
        self.node_mut(to.0).names.insert(to.1.to_owned(), inode);
        Ok(())
    }

    pub(super) fn change(&mut self, inode: INodeNo, change: &Change) -> FileAttr {
        let node = self.node_mut(inode);
        let attributes = &mut node.attributes;
        attributes.perm = change.mode.map_or(attributes.perm, permissions);
        attributes.uid = change.uid.unwrap_or(attributes.uid);
        attributes.gid = change.gid.unwrap_or(attributes.gid);
        if let Some(size) = change.size {
            node.bytes.resize(size as usize, 0);
            attributes.size = size;
        }
        *attributes
    }

    /// Returns the bytes of a file from `offset`, `size` at most.
    pub(super) fn read(&self, inode: INodeNo, offset: u64, size: u32) -> &[u8] {
        let bytes = &self.node(inode).bytes;
        let from = (offset as usize).min(bytes.len());
        &bytes[from..(from + size as usize).min(bytes.len())]
    }

    pub(super) fn write(&mut self, inode: INodeNo, offset: u64, data: &[u8]) {
        let node = self.node_mut(inode);
        let (from, to) = (offset as usize, offset as usize + data.len());
        node.bytes.resize(to.max(node.bytes.len()), 0);
        node.bytes[from..to].copy_from_slice(data);
        node.attributes.size = node.bytes.len() as u64;
    }

    /// Returns what is in a folder, from entry number `skip` on.
    pub(super) fn list(
        &self,
        inode: INodeNo,
        skip: usize,
    ) -> impl Iterator<Item = (&OsStr, FileAttr)> {
        let names = self.node(inode).names.iter().skip(skip);
        names.map(|(name, inode)| (name.as_os_str(), self.attributes(*inode)))
    }

    fn node(&self, inode: INodeNo) -> &Node {
        &self.0[inode.0 as usize - 1]
    }

    fn node_mut(&mut self, inode: INodeNo) -> &mut Node {
        &mut self.0[inode.0 as usize - 1]
    }
}

fn permissions(mode: u32) -> u16 {
    (mode & 0o7777) as u16
}

fn attributes(ino: INodeNo, kind: FileType, mode: u32) -> FileAttr {
    let time = SystemTime::now();
    FileAttr {
        ino,
        size: 0,
        blocks: 1,
        atime: time,
        mtime: time,
        ctime: time,
        crtime: time,
        kind,
        perm: permissions(mode),
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        blksize: 4096,
    }
}
