//! The users who may log in on this host.

use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::accounts::{self, Account};
use super::shadow::Shadow;
use super::{name_services, sshd};

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
    /// The account of a service has a shell, and a password or a key to log in with.
    Service,
    /// sshd lets the user transfer files without a shell: the `Match` block, if not for everybody.
    Sftp(Option<String>),
    /// systemd-homed has the user.
    HomeArea,
}

/// Returns the users of this host who may log in.
pub(crate) fn people() -> People {
    let limits = limits();
    let listed = accounts::list_all();
    let unlisted = if listed.is_some() { Vec::new() } else { name_services::without_files() };
    let accounts = listed.unwrap_or_else(accounts::list_local);
    let shells = fs::read_to_string("/etc/shells").unwrap_or_default();
    let shadow = Shadow::of_host();
    let is_used =
        |account: &Account| account.has_listed_shell(&shells) && account.has_credential(&shadow);
    let mut people = with_shell(&accounts, &limits, &is_used);
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
    let directories = directories.map(|directory| directory.source);
    People { people, uncounted: directories.chain(unlisted).collect() }
}

/// Returns root, the accounts of people with a shell, and those of services that `is_used` finds to
/// be open.
fn with_shell(
    accounts: &[Account],
    limits: &RangeInclusive<u32>,
    is_used: &dyn Fn(&Account) -> bool,
) -> Vec<Person> {
    let reason = |account: &Account| match account.uid {
        0 => Some(Reason::Root),
        uid if is_person(uid, limits) => Some(Reason::Shell),
        _ => is_used(account).then_some(Reason::Service),
    };
    accounts
        .iter()
        .filter(|account| account.has_shell())
        .filter_map(|account| Some(Person { name: account.name.clone(), reason: reason(account)? }))
        .collect()
}

/// Returns the names of root and of people among these accounts. `limits`: the uids of people.
pub(crate) fn names(accounts: Vec<Account>, limits: &RangeInclusive<u32>) -> Vec<String> {
    let is_meant = |account: &Account| account.uid == 0 || is_person(account.uid, limits);
    accounts.into_iter().filter(is_meant).map(|account| account.name).collect()
}

/// Reports whether a uid is that of a person. `limits`: the uids that login.defs gives to people.
fn is_person(uid: u32, limits: &RangeInclusive<u32>) -> bool {
    // Users of directories and of systemd-homed have higher numbers.
    limits.contains(&uid) || (uid > *limits.end() && !NO_PERSON.contains(&uid))
}

/// Returns the uids that login.defs of this host gives to people.
pub(crate) fn limits() -> RangeInclusive<u32> {
    uid_limits(&login_definitions())
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

/// Returns the people of this host whose password never matches, for root.
pub(crate) fn people_with_locked_password() -> Vec<String> {
    let locked = Shadow::of_host().locked();
    let people = people().people.into_iter().map(|person| person.name);
    people.filter(|name| locked.contains(name)).collect()
}

/// The uids of dynamic users of systemd, of nobody, and of nothing (65535).
const NO_PERSON: RangeInclusive<u32> = 61_184..=65_535;

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
            let people = with_shell(&accounts, &uid_limits(definitions), &|_| false);
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
        let found = with_shell(&accounts, &(1000..=60_000), &|_| false);
        assert_eq!(found[0].reason, Reason::Root);
    }

    #[test]
    fn open_accounts_of_services_and_high_uids_count() {
        let passwd = "git:x:110:110::/srv:/bin/sh\npostgres:x:111:111::/:/bin/bash\n\
                      dora:x:60001:60001::/:/bin/sh\ndyn:x:61500:61500::/:/bin/sh\n\
                      nobody:x:65534:65534::/:/bin/sh\neve:x:1200000001:1::/:/bin/sh\n";
        let accounts = accounts::parse(passwd, "");
        let people = with_shell(&accounts, &(1000..=60_000), &|account| account.name == "git");
        let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["git", "dora", "eve"]);
        assert_eq!(people[0].reason, Reason::Service);
        assert_eq!(people[1].reason, Reason::Shell);
    }

    #[test]
    fn people_have_names_and_system_accounts_have_not() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/:/usr/sbin/nologin\n\
                      alice:x:1000:1000::/home/alice:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nx\n";
        assert_eq!(super::names(accounts::parse(passwd, ""), &(1000..=60_000)), ["root", "alice"]);
    }
}
