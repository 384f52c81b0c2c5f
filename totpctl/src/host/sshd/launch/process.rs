//! The processes of sshd that listen, and when they started.

use std::fs;

/// Seconds and nanoseconds since 1970.
pub(crate) type Time = (i64, i64);

/// An sshd that listens.
pub(crate) struct ListeningProcess {
    pub(crate) pid: u32,
    /// The text of its `/proc/PID/cmdline`.
    pub(crate) command: String,
}

/// Returns all of this host, the one that started first before others.
pub(crate) fn listeners() -> Vec<ListeningProcess> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let listening =
        pids.filter_map(|pid| Some(ListeningProcess { pid, command: command_of_listener(pid)? }));
    let mut listening: Vec<_> = listening.collect();
    listening.sort_by_key(|listener| start_time(listener.pid));
    listening
}

/// Returns the command of a process of this host, and not of a container on it, if it is an sshd
/// that listens. Any user may give a process the name sshd, so that the user and the program count.
pub(crate) fn command_of_listener(pid: u32) -> Option<String> {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let text = |name: &str| String::from_utf8_lossy(&read(name)).into_owned();
    if text("comm").trim_end() != "sshd" || !is_of_root(&text("status")) {
        return None;
    }
    let link = |pid: &str, name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    let pid = pid.to_string();
    let program = link(&pid, "exe")?;
    let name = program.file_name()?.to_str()?.trim_end_matches(" (deleted)");
    let is_of_host = link(&pid, "ns/pid") == link("self", "ns/pid");
    let command = text("cmdline");
    (name == "sshd" && is_of_host && is_command_of_listener(&command)).then_some(command)
}

/// Reads `/proc/PID/status`: reports whether all four users of the process are root.
fn is_of_root(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.is_some_and(|line| line.split_whitespace().eq(["0"; 4]))
}

/// Reads `/proc/PID/cmdline`. One for a single connection says `sshd: alice [priv]`, or has `-i`.
fn is_command_of_listener(command: &str) -> bool {
    let is_single = command.split(['\0', ' ']).any(|word| word == "-i");
    !is_single && (!command.starts_with("sshd: ") || command.contains(" [listener] "))
}

/// Returns when a process started, by the clock as it is now.
pub(crate) fn start_time(pid: u32) -> Option<Time> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: i64 = start_ticks(&stat)?;
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let nanoseconds = |time: rustix::time::Timespec| {
        i128::from(time.tv_sec) * NANOSECONDS + i128::from(time.tv_nsec)
    };
    let start = i128::from(ticks) * NANOSECONDS / i128::from(per_second);
    let time = nanoseconds(now) - nanoseconds(since_boot) + start;
    let part = |number: i128| i64::try_from(number).ok();
    Some((part(time.div_euclid(NANOSECONDS))?, part(time.rem_euclid(NANOSECONDS))?))
}

/// Returns field 22 of `/proc/PID/stat`. The name in field 2 may have spaces.
fn start_ticks(stat: &str) -> Option<i64> {
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

const NANOSECONDS: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_known_by_its_command() {
        for (command, expected) in [
            ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", true),
            ("/usr/sbin/sshd\0-D\0", true),
            ("sshd: alice [priv]", false),
            ("sshd: alice@pts/0", false),
            ("sshd: [accepted]", false),
            ("/usr/sbin/sshd\0-i\0", false),
        ] {
            assert_eq!(is_command_of_listener(command), expected, "{command}");
        }
    }

    #[test]
    fn a_process_of_another_user_is_no_listener() {
        for (status, expected) in [
            ("Name:\tsshd\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", true),
            ("Uid:\t1000\t0\t0\t0\n", false),
            ("Uid:\t1000\t1000\t1000\t1000\n", false),
            ("Uid:\t0\n", false),
            ("", false),
        ] {
            assert_eq!(is_of_root(status), expected, "{status}");
        }
    }

    #[test]
    fn a_process_has_the_time_of_its_start() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0\n";
        assert_eq!(start_ticks(stat), Some(4711));
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        let (start, _) = start_time(std::process::id()).unwrap();
        assert!((now - 3600..=now).contains(&start), "{start} {now}");
        assert_eq!(command_of_listener(std::process::id()), None);
    }
}
