//! The accounts in files of this host.

use std::fs;

use crate::name_services;

/// A local account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) shell: String,
    /// The names of its groups, the primary one first.
    pub(crate) groups: Vec<String>,
}

impl Account {
    /// Reports whether it can use a shell. An empty field means `/bin/sh`.
    pub(crate) fn has_shell(&self) -> bool {
        !self.shell.ends_with("/nologin") && !self.shell.ends_with("/false")
    }
}

/// Returns the accounts of this host, without those of directories.
pub(crate) fn local() -> Vec<Account> {
    let mut folders = vec!["/etc"];
    let sources = name_services::sources_of("passwd");
    let has = |name: &str| sources.iter().any(|source| source == name);
    folders.extend(has("extrausers").then_some("/var/lib/extrausers"));
    folders.extend(has("altfiles").then_some("/usr/lib"));
    let read = |name: &str| {
        let texts = folders.iter().map(|folder| fs::read(format!("{folder}/{name}")));
        let texts = texts.map(|text| text.unwrap_or_default());
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect::<Vec<_>>().join("\n")
    };
    parse(&read("passwd"), &read("group"))
}

/// Reads the texts of `passwd` and `group`. A name counts once. Lines that libc does not read are
/// left out.
pub(crate) fn parse(passwd: &str, group: &str) -> Vec<Account> {
    let groups: Vec<(&str, Option<u32>, Vec<&str>)> = group
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
            Some((name, gid.parse().ok(), fields.next().unwrap_or_default().split(',').collect()))
        })
        .collect();
    let mut accounts: Vec<Account> = Vec::new();
    for line in passwd.lines() {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, uid, gid, .., shell] = fields.as_slice() else { continue };
        let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse::<u32>()) else { continue };
        if name.starts_with(['+', '-']) || accounts.iter().any(|account| account.name == *name) {
            continue;
        }
        let primary = groups.iter().filter(|(_, id, _)| *id == Some(gid));
        let others =
            groups.iter().filter(|(_, id, members)| *id != Some(gid) && members.contains(name));
        let groups = primary.chain(others).map(|(name, ..)| (*name).to_owned()).collect();
        accounts.push(Account {
            name: (*name).to_owned(),
            uid,
            shell: (*shell).to_owned(),
            groups,
        });
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_their_groups() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n+::::::\nbroken\n\
                      drop:x:1002:100::/srv:/usr/sbin/nologin\nroot:x:0:0::/:/bin/sh\nempty:x:5:5::/:\n";
        let group = "root:x:0:\nusers:x:100:\nsftponly:x:200:bob,drop\nbad:x:nonsense:drop\n";
        let accounts = parse(passwd, group);
        let names: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["root", "drop", "empty"]);
        assert_eq!(accounts[1].groups, ["users", "sftponly", "bad"]);
        assert!(accounts[0].has_shell() && !accounts[1].has_shell() && accounts[2].has_shell());
    }
}
