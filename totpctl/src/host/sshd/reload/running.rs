//! The sshd that listen and read the files of this host, and whether they read them again.

use std::fs;

use crate::host::sshd::launch::Launch;
use crate::host::sshd::launch::process::listeners;

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: u32,
    /// Where the kernel put its program. It differs after each start of a program, also after a
    /// reload, for which sshd starts itself in the same process.
    image: Vec<u8>,
    /// Whether its title says that it listens, as of OpenSSH 8.2.
    says_so: bool,
}

/// Returns those of this host. One that has other files, or another program, is left alone.
pub(super) fn running() -> Vec<Running> {
    let launch = Launch::of_host();
    let all = listeners().into_iter().filter(|found| launch.reads_same_files(&found.command));
    let all: Vec<_> = all.collect();
    let is_child = |pid: u32| parent(pid).is_some_and(|parent| all.iter().any(|p| p.pid == parent));
    // A new connection is a child, which looks like its parent for a moment.
    let own = all.iter().filter(|found| !is_child(found.pid)).filter_map(|found| {
        let image = fs::read(format!("/proc/{}/auxv", found.pid)).ok()?;
        Some(Running { pid: found.pid, image, says_so: found.command.contains(" [listener] ") })
    });
    own.collect()
}

/// Reports whether all of them read their files after `before` was seen.
pub(super) fn are_renewed(before: &[Running], now: &[Running]) -> bool {
    let all_said_so = before.iter().all(|one| one.says_so);
    let is_new = |one: &Running| !before.iter().any(|old| old.is_same(one));
    now.len() >= before.len() && now.iter().all(|one| is_new(one) && (one.says_so || !all_said_so))
}

impl Running {
    /// Reports whether it has not started again since.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.pid == other.pid && self.image == other.image
    }

    /// Returns its unit, if systemd started it by one of sshd.
    pub(super) fn unit(&self) -> Option<&'static str> {
        unit_in(&fs::read_to_string(format!("/proc/{}/cgroup", self.pid)).ok()?)
    }
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Reads `/proc/PID/cgroup`. A unit of another name may end its sessions at a restart.
fn unit_in(text: &str) -> Option<&'static str> {
    text.lines().find_map(|line| match line.rsplit('/').next()? {
        "ssh.service" => Some("ssh"),
        "sshd.service" => Some("sshd"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pid: u32, image: u8, says_so: bool) -> Running {
        Running { pid, image: vec![image], says_so }
    }

    #[test]
    fn an_sshd_reads_its_files_when_its_program_starts() {
        let before = [one(7, 1, true), one(8, 1, true)];
        for (now, expected) in [
            (vec![one(7, 2, true), one(8, 2, true)], true),
            (vec![one(9, 1, true), one(8, 2, true)], true),
            (vec![one(7, 2, true), one(8, 1, true)], false),
            (vec![one(7, 2, true)], false),
            (vec![one(7, 2, true), one(8, 2, false)], false),
            (vec![], false),
        ] {
            assert_eq!(are_renewed(&before, &now), expected, "{now:?}");
        }
        assert!(are_renewed(&[one(7, 1, false)], &[one(7, 2, false)]), "before OpenSSH 8.2");
    }

    #[test]
    fn only_a_unit_of_sshd_is_restarted() {
        for (text, expected) in [
            ("0::/system.slice/ssh.service\n", Some("ssh")),
            ("4:cpu:/\n1:name=systemd:/system.slice/sshd.service\n", Some("sshd")),
            ("0::/system.slice/cron.service\n", None),
            ("0::/user.slice/user-0.slice/session-3.scope\n", None),
            ("0::/\n", None),
        ] {
            assert_eq!(unit_in(text), expected, "{text}");
        }
    }
}
