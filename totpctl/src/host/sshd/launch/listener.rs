//! The sshd that listens, and the last change of its files.

use std::cmp::max;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::process::{Time, command_of_listener, listeners, start_time};
use crate::host::sshd::question::Answer;

/// The sshd that listens.
#[derive(Debug)]
pub(crate) enum Listener {
    /// None runs. One that starts later reads its files then, as does one for a single connection.
    Absent,
    /// It read its files at this time.
    ReadFiles(Time),
    /// It was started at this time, and may have read its files again.
    Started(Time),
}

/// The last change of what sshd reads when it starts.
pub(crate) struct Change {
    pub(crate) time: Time,
    pub(crate) file: String,
}

pub(crate) fn last_change(answer: &Answer) -> Option<Change> {
    let trace = &answer.trace;
    let files = trace.files.iter().chain(&answer.config.host_keys).cloned();
    // A file that is gone has no time, but its folder does.
    let folders = trace.includes.iter().filter_map(|pattern| folder_of(pattern));
    let changes = files
        .filter_map(|file| Some(Change { time: change_time(&file)?, file }))
        .chain(folders.filter_map(|file| folder_change(file, &trace.files)));
    changes.max_by_key(|change| change.time)
}

/// Returns the last change of a folder. There is none if it came with a new file that sshd does not
/// read: the swap file of an editor, or a copy with another name. A file that only got another name
/// was perhaps read before, and is no reason.
fn folder_change(folder: String, read: &[String]) -> Option<Change> {
    let time = modification_time(&folder)?;
    let folder_time = fs::metadata(&folder).ok()?.modified().ok()?;
    let came_with = |created: SystemTime| {
        let distance =
            folder_time.duration_since(created).or_else(|_| created.duration_since(folder_time));
        distance.is_ok_and(|distance| distance < ONE_CHANGE)
    };
    let is_unread = |entry: &fs::DirEntry| !read.iter().any(|file| Path::new(file) == entry.path());
    let mut unread = fs::read_dir(&folder).ok()?.flatten().filter(is_unread);
    let is_explained =
        unread.any(|entry| entry.metadata().and_then(|data| data.created()).is_ok_and(came_with));
    (!is_explained).then_some(Change { time, file: folder })
}

/// Returns when a file, or the link to it, changed. A copy that keeps its time of modification
/// counts.
fn change_time(file: &str) -> Option<Time> {
    let time = |data: fs::Metadata| (data.ctime(), data.ctime_nsec());
    Some(max(time(fs::metadata(file).ok()?), time(fs::symlink_metadata(file).ok()?)))
}

fn modification_time(folder: &str) -> Option<Time> {
    let data = fs::metadata(folder).ok()?;
    Some((data.mtime(), data.mtime_nsec()))
}

/// Returns the folder whose files a pattern selects.
pub(crate) fn folder_of(pattern: &str) -> Option<String> {
    let (folder, name) = pattern.rsplit_once('/')?;
    let is_wild = |text: &str| text.contains(['*', '?', '[']);
    (is_wild(name) && !is_wild(folder)).then(|| folder.to_owned())
}

/// Looks for the sshd that listens. sshd writes its file again after each reload.
pub(crate) fn listener(pid_file: Option<&str>) -> Listener {
    let written = || {
        let file = pid_file?;
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        // The clock may have been set since.
        let started = start_time(pid).filter(|_| command_of_listener(pid).is_some())?;
        Some(Listener::ReadFiles(max(modification_time(file)?, started)))
    };
    written().unwrap_or_else(|| {
        let times = listeners().into_iter().filter_map(|listener| start_time(listener.pid));
        times.min().map_or(Listener::Absent, Listener::Started)
    })
}

/// An editor creates its swap file, and tries its name at the same moment.
const ONE_CHANGE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn only_a_folder_with_a_pattern_counts() {
        assert_eq!(
            folder_of("/etc/ssh/sshd_config.d/*.conf").as_deref(),
            Some("/etc/ssh/sshd_config.d")
        );
        assert_eq!(folder_of("/etc/crypto-policies/back-ends/opensshserver.config"), None);
        assert_eq!(folder_of("/etc/*/x/*.conf"), None);
    }

    #[test]
    fn a_new_file_that_sshd_does_not_read_is_no_change_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("1.conf"), "").unwrap();
        let is_change =
            |read: &[String]| folder_change(folder.path().display().to_string(), read).is_some();
        let read = [path("1.conf")];
        assert!(is_change(&read), "a file that sshd reads came");
        fs::write(path(".1.conf.swp"), "").unwrap();
        assert!(!is_change(&read), "a swap file came");
        // A file that sshd may have read got another name, some time after it was created.
        fs::write(path("2.conf"), "").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_change(&read) {
            assert!(Instant::now() < deadline);
            fs::rename(path("2.conf"), path("2.conf.dpkg-old")).unwrap();
            fs::rename(path("2.conf.dpkg-old"), path("2.conf")).unwrap();
        }
    }

    #[test]
    fn a_link_changes_with_what_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("old"), "x").unwrap();
        std::os::unix::fs::symlink(path("old"), path("link")).unwrap();
        let before = change_time(&path("link")).unwrap();
        assert!(before >= change_time(&path("old")).unwrap());
        // A copy that keeps its times is a change.
        let kept = fs::metadata(path("old")).unwrap().modified().unwrap();
        let replace = || {
            fs::write(path("new"), "y").unwrap();
            fs::File::options().append(true).open(path("new")).unwrap().set_modified(kept).unwrap();
            fs::rename(path("new"), path("old")).unwrap();
        };
        // The kernel counts these times in steps of some milliseconds.
        let deadline = Instant::now() + Duration::from_secs(10);
        while change_time(&path("link")).unwrap() <= before {
            assert!(Instant::now() < deadline);
            replace();
        }
        assert_eq!(change_time(&path("gone")), None);
    }
}
