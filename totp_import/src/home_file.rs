//! A file in the home of a user, opened with the rights of that user. Homes are hostile ground: a
//! name may lead anywhere, and what it leads to may change at any time.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, open, openat, readlinkat, statat};
use rustix::io::Errno;
use zeroize::Zeroizing;

/// A file in a home, and what it has to be.
#[derive(Clone, Debug)]
pub struct HomeFile {
    /// The absolute path.
    pub path: PathBuf,
    /// The uid of the user whose file it has to be.
    pub owner: u32,
    /// The greatest mode that it may have.
    pub mode: u32,
}

/// Why a file in a home is not read.
#[derive(Debug)]
pub enum NotRead {
    /// There is no such file.
    Absent,
    /// It is not what it has to be, or cannot be read. The sentence says which.
    Refused(String),
}

impl HomeFile {
    /// Opens and reads the file, `limit` bytes at most. No link is followed that anybody but root
    /// can change, in no part of the path.
    ///
    /// # Errors
    /// [`NotRead`].
    pub fn read(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>, NotRead> {
        let mut file = File::from(self.open()?);
        let before = self.check(&file, limit)?;
        let length = usize::try_from(before.st_size).unwrap_or(limit).saturating_add(1);
        // It never grows, so it leaves no copy of a seed.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        let read = file.by_ref().take(length as u64).read_to_end(&mut bytes);
        read.map_err(|error| refused(format!("it cannot be read: {error}")))?;
        let after = self.check(&file, limit)?;
        if bytes.len() as u64 != size(&before) || state(&before) != state(&after) {
            return Err(refused("it changed while it was read; try again".into()));
        }
        Ok(bytes)
    }

    /// Opens one part of the path after the other. A folder may be a link that only root can
    /// change, such as that from `/home` to another disk. No other link is followed.
    fn open(&self) -> Result<OwnedFd, NotRead> {
        let mut parts = names(&self.path)?;
        let name = parts.pop_back().filter(|_| self.path.is_absolute());
        let name = name.ok_or_else(|| refused("its path is not absolute".into()))?;
        let root = || open("/", FOLDER, Mode::empty()).map_err(|error| cause(error, &self.path));
        let (mut place, mut links) = (root()?, 0);
        while let Some(part) = parts.pop_front() {
            match openat(&place, &part, FOLDER, Mode::empty()) {
                Ok(folder) => place = folder,
                Err(Errno::LOOP | Errno::NOTDIR) if links < MAX_LINKS => {
                    links += 1;
                    let target = roots_link(&place, &part)?;
                    if target.is_absolute() {
                        place = root()?;
                    }
                    let mut through = names(&target)?;
                    through.append(&mut parts);
                    parts = through;
                }
                Err(error) => return Err(cause(error, &self.path)),
            }
        }
        // A FIFO keeps nobody waiting, and a terminal becomes nobody's.
        let file =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        openat(&place, &name, file, Mode::empty()).map_err(|error| cause(error, &self.path))
    }

    /// Returns what the file is now, if it is what it has to be.
    fn check(&self, file: &File, limit: usize) -> Result<Stat, NotRead> {
        let unreadable = |error: Errno| refused(format!("it cannot be read: {error}"));
        let stat = fstat(file).map_err(unreadable)?;
        let mode = Mode::from_raw_mode(stat.st_mode).as_raw_mode();
        let fault = if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            "it is no regular file".into()
        } else if stat.st_uid != self.owner {
            format!("it belongs to uid {}, not to uid {}", stat.st_uid, self.owner)
        } else if mode & !self.mode != 0 {
            format!("its mode is {mode:04o}, and {:04o} is the most", self.mode)
        } else if stat.st_nlink != 1 {
            "it has another name too (a hard link), or none any more".into()
        } else if size(&stat) > limit as u64 {
            format!("it has {} bytes, and {limit} are the most", stat.st_size)
        } else {
            return Ok(stat);
        };
        Err(refused(fault))
    }
}

/// Returns the parts of a path.
fn names(path: &Path) -> Result<VecDeque<OsString>, NotRead> {
    let parts =
        path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Ok(name.to_owned()),
        _ => Err(refused("its path has \"..\" in it".into())),
    };
    parts.map(name).collect()
}

/// Returns where a link leads that only root can change.
fn roots_link(folder: &OwnedFd, name: &OsStr) -> Result<PathBuf, NotRead> {
    let shown = Path::new(name).display().to_string();
    let no_link = |_| refused(format!("{shown} in its path is no folder"));
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(no_link)?;
    let above = fstat(folder).map_err(no_link)?;
    let is_roots = stat.st_uid == 0 && above.st_uid == 0 && above.st_mode & 0o022 == 0;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink || !is_roots {
        return Err(refused(format!("{shown} in its path is a symbolic link, or no folder")));
    }
    let target = readlinkat(folder, name, Vec::new()).map_err(no_link)?;
    Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(u64::MAX)
}

/// Returns what changes when somebody writes to the file.
fn state(stat: &Stat) -> impl PartialEq + use<> {
    let changed = (stat.st_ctime, stat.st_ctime_nsec);
    (size(stat), changed, stat.st_mtime, stat.st_mtime_nsec)
}

fn refused(reason: String) -> NotRead {
    NotRead::Refused(reason)
}

fn cause(error: Errno, path: &Path) -> NotRead {
    match error {
        Errno::NOENT => NotRead::Absent,
        Errno::LOOP | Errno::NOTDIR => refused("it is a symbolic link, or no folder".into()),
        other => {
            refused(format!("{} cannot be opened: {}", path.display(), io::Error::from(other)))
        }
    }
}

const FOLDER: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// The links of root in a path.
const MAX_LINKS: u32 = 8;

#[cfg(test)]
mod tests;
