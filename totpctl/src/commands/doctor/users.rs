//! The users who may log in on this host.

use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::sshd;
use crate::accounts::{self, Account};
use crate::name_services;

/// The users who may log in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
    /// The sources whose users no file lists, as nsswitch.conf names them.
    pub(crate) uncounted: Vec<String>,
}

/// A user who may log in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) reason: Reason,
}

/// Why a user counts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Root,
    /// The user has a shell and a uid of a person.
    Shell,
    /// sshd lets the user transfer files without a shell: the `Match` block, if not for everybody.
    Sftp(Option<String>),
    /// systemd-homed has the user.
    HomeArea,
}

/// Returns the users of this host who may log in.
pub(crate) fn people() -> People {
    let limits = uid_limits(&login_definitions());
    let mut people = with_shell(&accounts::local(), &limits);
    let sftp = sshd::sftp_users(|uid| limits.contains(&uid)).into_iter();
    people.extend(sftp.map(|(name, block)| Person { name, reason: Reason::Sftp(block) }));
    let areas = glob::glob("/var/lib/systemd/home/*.identity").into_iter().flatten().flatten();
    let names = areas.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    for name in names {
        if people.iter().all(|person| person.name != name) {
            people.push(Person { name, reason: Reason::HomeArea });
        }
    }
    let directories = name_services::directories().into_iter();
    People { people, uncounted: directories.map(|directory| directory.source).collect() }
}

/// Returns root, and the accounts of people with a shell.
fn with_shell(accounts: &[Account], limits: &RangeInclusive<u32>) -> Vec<Person> {
    let reason = |account: &Account| match account.uid {
        0 => Some(Reason::Root),
        uid if limits.contains(&uid) => Some(Reason::Shell),
        _ => None,
    };
    accounts
        .iter()
        .filter(|account| account.has_shell())
        .filter_map(|account| Some(Person { name: account.name.clone(), reason: reason(account)? }))
        .collect()
}

/// Returns login.defs: that of the administrator with its drop-ins, or that of the distribution.
fn login_definitions() -> String {
    let drop_ins = glob::glob("/etc/login.defs.d/*.defs").into_iter().flatten().flatten();
    let main = ["/etc/login.defs", "/usr/etc/login.defs"].map(PathBuf::from);
    let main = main.into_iter().find(|path| path.is_file());
    let texts = main.into_iter().chain(drop_ins).filter_map(|path| fs::read_to_string(path).ok());
    texts.collect::<Vec<_>>().join("\n")
}

/// Returns the uids of people (`UID_MIN`, `UID_MAX`). The last line of a keyword is in effect.
fn uid_limits(definitions: &str) -> RangeInclusive<u32> {
    let value = |key: &str| {
        definitions.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next()? == key).then(|| words.next()?.parse::<u32>().ok())?
        })
    };
    value("UID_MIN").unwrap_or(1000)..=value("UID_MAX").unwrap_or(60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_a_shell() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/:/usr/sbin/nologin\n\
                      alice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/:/bin/false\n\
                      nobody:x:65534:65534::/:/bin/sh\nold:x:500:500::/:/bin/sh\nbroken\n";
        let accounts = accounts::parse(passwd, "");
        let names = |definitions: &str| {
            let people = with_shell(&accounts, &uid_limits(definitions));
            people.into_iter().map(|person| person.name).collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["root", "alice"]);
        assert_eq!(
            names("# UID_MIN 1\nUID_MIN\t\t 500\nUID_MAX 60000\n"),
            ["root", "alice", "old"]
        );
        assert_eq!(
            names("UID_MIN 500\nUID_MIN 1000\nUID_MAX 70000\n"),
            ["root", "alice", "nobody"]
        );
        assert_eq!(with_shell(&accounts, &(1000..=60_000))[0].reason, Reason::Root);
    }
}
