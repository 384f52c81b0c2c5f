//! The sshd that listens: whether it has read its files since they changed.

use std::cmp::max;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use super::super::door::CodeNeed;
use super::super::finding::{Finding, FindingId};
use super::super::report::Report;
use super::effective::Effective;
use super::process::{Time, command_of_listener, listeners, started};
use super::question::Answer;
use super::stack::PamStack;
use super::way::{Way, Who, ways};

/// Adds that the sshd that listens has an older configuration than its files, if so. `stack` is the
/// stack of its PAM service. `asks`: whether a stack of sshd asks for a code. If none asks, it is a
/// note.
pub(super) fn check(answer: &Answer, stack: &PamStack, asks: bool, report: &mut Report) {
    let pid_file = answer.config.pid_file.as_deref();
    let mut tries_left = MAX_TRIES;
    let (state, file) = loop {
        let Some(change) = last_change(answer) else { return };
        let state = judge(&listener(pid_file), change.time);
        let is_over = matches!(state, State::Current) || tries_left == 0 || pid_file.is_none();
        if is_over {
            break (state, change.file);
        }
        // A reload has just been asked for, and sshd takes a moment.
        tries_left -= 1;
        thread::sleep(POLL_INTERVAL);
    };
    match state {
        State::Current => {}
        State::Outdated => {
            let message = format!("{NOT_RELOADED}, so {}", until_reload(&answer.config, stack));
            let finding = Finding::new(FindingId::SshdNotReloaded, message);
            let finding = finding.fix(reload_command(pid_file)).in_file(file);
            if asks { report.problems.push(finding) } else { report.notes.push(finding) }
        }
        State::Unknown if !asks => {}
        State::Unknown => {
            let finding = Finding::new(FindingId::SshdReloadUnknown, RELOAD_UNKNOWN);
            let fix = format!("to be sure, {}", reload_command(pid_file));
            report.notes.push(finding.fix(fix).in_file(file));
        }
    }
}

/// Returns what may be enough until the reload: PAM alone, if the files require more.
fn until_reload(config: &Effective, stack: &PamStack) -> &'static str {
    let is_alone = |way: &Way| way.is_pam_alone && way.is_usable();
    if ways(config, stack, Who::Anybody, None).iter().any(is_alone) {
        return "logins may differ from what is said here";
    }
    match stack.code {
        CodeNeed::Asked if stack.is_code_alone => "until the reload a code alone may let users in",
        CodeNeed::NotAsked if stack.has_password => {
            "until the reload a password alone may let users in"
        }
        _ => "logins may differ from what is said here",
    }
}

/// The sshd that listens.
#[derive(Debug)]
enum Listener {
    /// None runs. One that starts later reads its files then, as does one for a single connection.
    Absent,
    /// It read its files at this time.
    ReadFiles(Time),
    /// It was started at this time, and may have read its files again.
    Started(Time),
}

/// Whether the sshd that listens has its files as they are.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Current,
    Outdated,
    Unknown,
}

/// Compares with the last change of a file.
fn judge(listener: &Listener, change: Time) -> State {
    match listener {
        Listener::Absent => State::Current,
        Listener::ReadFiles(time) | Listener::Started(time) if change <= *time => State::Current,
        Listener::ReadFiles(_) => State::Outdated,
        Listener::Started(_) => State::Unknown,
    }
}

/// The last change of what sshd reads when it starts.
struct Change {
    time: Time,
    file: String,
}

fn last_change(answer: &Answer) -> Option<Change> {
    let trace = &answer.trace;
    let files = trace.files.iter().chain(&answer.config.host_keys).cloned();
    // A file that is gone has no time, but its folder does.
    let folders = trace.includes.iter().filter_map(|pattern| folder_of(pattern));
    let changes = files
        .filter_map(|file| Some(Change { time: changed(&file)?, file }))
        .chain(folders.filter_map(|file| folder_change(file, &trace.files)));
    changes.max_by_key(|change| change.time)
}

/// Returns the last change of a folder. There is none if it came with a new file that sshd does not
/// read: the swap file of an editor, or a copy with another name. A file that only got another name
/// was perhaps read before, and is no reason.
fn folder_change(folder: String, read: &[String]) -> Option<Change> {
    let time = modified(&folder)?;
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
fn changed(file: &str) -> Option<Time> {
    let time = |data: fs::Metadata| (data.ctime(), data.ctime_nsec());
    Some(max(time(fs::metadata(file).ok()?), time(fs::symlink_metadata(file).ok()?)))
}

fn modified(folder: &str) -> Option<Time> {
    let data = fs::metadata(folder).ok()?;
    Some((data.mtime(), data.mtime_nsec()))
}

/// Returns the folder whose files a pattern selects.
pub(super) fn folder_of(pattern: &str) -> Option<String> {
    let (folder, name) = pattern.rsplit_once('/')?;
    let is_wild = |text: &str| text.contains(['*', '?', '[']);
    (is_wild(name) && !is_wild(folder)).then(|| folder.to_owned())
}

/// Looks for the sshd that listens. sshd writes its file again after each reload.
fn listener(pid_file: Option<&str>) -> Listener {
    let written = || {
        let file = pid_file?;
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        // The clock may have been set since.
        let started = started(pid).filter(|_| command_of_listener(pid).is_some())?;
        Some(Listener::ReadFiles(max(modified(file)?, started)))
    };
    written().unwrap_or_else(|| {
        let times = listeners().into_iter().filter_map(|listener| started(listener.pid));
        times.min().map_or(Listener::Absent, Listener::Started)
    })
}

/// Returns the change to make: an imperative with the command of this host.
fn reload_command(pid_file: Option<&str>) -> String {
    let units = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    let has_unit = |folder: &str| Path::new(folder).join("ssh.service").exists();
    let unit = if units.into_iter().any(has_unit) { "ssh" } else { "sshd" };
    let reload = match Path::new("/run/systemd/system").is_dir() {
        // An sshd that has its socket from systemd cannot bind it again, and ends at a reload.
        true => format!("systemctl try-restart {unit}"),
        false => format!("kill -HUP $(cat {})", pid_file.unwrap_or("PIDFILE")),
    };
    format!("reload sshd: sshd -t && {reload}")
}

const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// An editor creates its swap file, and tries its name at the same moment.
const ONE_CHANGE: Duration = Duration::from_millis(100);
/// Two seconds.
const MAX_TRIES: u32 = 20;
const NOT_RELOADED: &str =
    "sshd runs with an older configuration: it was last started or reloaded before this changed";
const RELOAD_UNKNOWN: &str = "this changed after sshd was started, and nothing tells whether sshd was reloaded since \
                              (no PidFile)";

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::stack::of_text;
    use super::*;

    #[test]
    fn what_may_be_enough_until_the_reload_is_said() {
        let base = "usepam yes\npubkeyauthentication yes\nkbdinteractiveauthentication yes\n";
        let key = format!("{base}authenticationmethods publickey,keyboard-interactive\n");
        let (code, password) = ("auth required pam_totp.so\n", "auth requisite pam_unix.so\n");
        let no_password = "usepam yes\npubkeyauthentication yes\n";
        for (config, stack, expected) in [
            (key.as_str(), code, "a code alone may let users in"),
            (&key, password, "a password alone may let users in"),
            (no_password, password, "a password alone may let users in"),
            (&key, &format!("{password}{code}"), "logins may differ"),
            (&key, "auth required pam_deny.so\n", "logins may differ"),
            // The files let them in too, which another finding tells.
            (base, code, "logins may differ"),
            (base, password, "logins may differ"),
        ] {
            let told = until_reload(&Effective::parse(config), &of_text(stack));
            assert!(told.contains(expected), "{config} {stack}: {told}");
        }
    }

    #[test]
    fn a_change_after_the_last_start_is_not_in_effect() {
        for (listener, change, expected) in [
            (Listener::Absent, (9, 0), State::Current),
            (Listener::ReadFiles((5, 1)), (5, 1), State::Current),
            (Listener::ReadFiles((5, 1)), (5, 2), State::Outdated),
            (Listener::ReadFiles((5, 1)), (4, 9), State::Current),
            (Listener::Started((5, 1)), (4, 0), State::Current),
            (Listener::Started((5, 1)), (6, 0), State::Unknown),
        ] {
            assert_eq!(judge(&listener, change), expected, "{listener:?} {change:?}");
        }
    }

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
        let before = changed(&path("link")).unwrap();
        assert!(before >= changed(&path("old")).unwrap());
        // A copy that keeps its times is a change.
        let kept = fs::metadata(path("old")).unwrap().modified().unwrap();
        let replace = || {
            fs::write(path("new"), "y").unwrap();
            fs::File::options().append(true).open(path("new")).unwrap().set_modified(kept).unwrap();
            fs::rename(path("new"), path("old")).unwrap();
        };
        // The kernel counts these times in steps of some milliseconds.
        let deadline = Instant::now() + Duration::from_secs(10);
        while changed(&path("link")).unwrap() <= before {
            assert!(Instant::now() < deadline);
            replace();
        }
        assert_eq!(changed(&path("gone")), None);
    }
}
