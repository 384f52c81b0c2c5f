//! The accounts that this host lists.

use std::collections::HashSet;
use std::fs;
use std::hash::Hash;
use std::path::Path;
use std::process::Stdio;

use super::name_services;
use super::shadow::{Password, Shadow};
use crate::program;

/// An account of the host, or of a source that lists its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) home: String,
    pub(crate) shell: String,
    /// The names of its groups, the primary one first.
    pub(crate) groups: Vec<String>,
}

impl Account {
    /// Reports whether it can use a shell. An empty field means `/bin/sh`.
    pub(crate) fn has_shell(&self) -> bool {
        !self.shell.ends_with("/nologin") && !self.shell.ends_with("/false")
    }

    /// Reports whether `/etc/shells` lists its shell. That of the account `sync`, for example, only
    /// runs a program.
    pub(crate) fn has_listed_shell(&self, shells: &str) -> bool {
        let shell = if self.shell.is_empty() { "/bin/sh" } else { &self.shell };
        self.has_shell() && shells.lines().any(|line| line.trim() == shell)
    }

    /// Reports whether somebody can log in to it: it has a password, or its home has keys for sshd.
    pub(crate) fn has_credential(&self, shadow: &Shadow) -> bool {
        let has_password =
            matches!(shadow.password_of(&self.name), Some(Password::Set | Password::Empty));
        let keys = ["authorized_keys", "authorized_keys2"];
        let has_key = |file| {
            fs::metadata(Path::new(&self.home).join(".ssh").join(file))
                .is_ok_and(|file| file.len() > 0)
        };
        has_password || (self.home.starts_with('/') && keys.into_iter().any(has_key))
    }
}

/// Returns the accounts that the sources in nsswitch.conf list; `None` if they do not answer.
///
/// These are also those of userdb, of databases, and of directories that list their users.
pub(crate) fn list_all() -> Option<Vec<Account>> {
    let mut getent = program::find("getent").ok()?;
    getent.arg("passwd").stdin(Stdio::null());
    let output = program::output_within(getent, program::ANSWER_TIMEOUT).ok()?;
    let passwd = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| parse(&passwd, ""))
}

/// Returns the accounts of this host, without those of directories.
pub(crate) fn list_local() -> Vec<Account> {
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
    let entries = passwd.lines().filter_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, uid, gid, .., home, shell] = fields.as_slice() else { return None };
        let (uid, gid) = (uid.parse().ok()?, gid.parse::<u32>().ok()?);
        (!name.starts_with(['+', '-'])).then_some((*name, uid, gid, *home, *shell))
    });
    let account = |(name, uid, gid, home, shell): (&str, u32, u32, &str, &str)| {
        let primary = groups.iter().filter(|(_, id, _)| *id == Some(gid));
        let others =
            groups.iter().filter(|(_, id, members)| *id != Some(gid) && members.contains(&name));
        let groups = primary.chain(others).map(|(name, ..)| (*name).to_owned()).collect();
        Account {
            name: name.to_owned(),
            uid,
            home: home.to_owned(),
            shell: shell.to_owned(),
            groups,
        }
    };
    first_of_each(entries, |(name, ..)| *name).map(account).collect()
}

/// Returns the first entry of each key. A search of all earlier ones would take minutes for a
/// directory.
fn first_of_each<T, K: Eq + Hash>(
    entries: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> impl Iterator<Item = T> {
    let mut seen = HashSet::new();
    entries.filter(move |entry| seen.insert(key(entry)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

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
        assert_eq!(accounts[1].home, "/srv");
        assert!(accounts[0].has_shell() && !accounts[1].has_shell() && accounts[2].has_shell());
    }

    /// A name that counts how often it is compared.
    struct Name<'a>(u32, &'a Cell<u32>);

    impl PartialEq for Name<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.1.set(self.1.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Name<'_> {}

    impl Hash for Name<'_> {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn a_name_of_a_large_directory_is_compared_with_few_others() {
        const COUNT: u32 = 10_000;
        let comparisons = Cell::new(0);
        let twice = (0..COUNT).chain(0..COUNT);
        let names: Vec<_> = first_of_each(twice, |name| Name(*name, &comparisons)).collect();
        assert_eq!(names.len(), 10_000);
        // A search of all earlier names compares 100 million times, and a table twice each.
        assert!((COUNT..10 * COUNT).contains(&comparisons.get()), "{}", comparisons.get());
        let line = |n: u32| format!("u{n}:x:{n}:100:User:/home/u{n}:/bin/bash\n");
        let passwd: String = (0..COUNT).chain(0..COUNT).map(line).collect();
        assert_eq!(parse(&passwd, "").len(), 10_000);
    }

    #[test]
    fn an_account_can_be_used_with_a_password_or_a_key() {
        let home = tempfile::tempdir().unwrap();
        let passwd = format!("git:x:5:5::{}:/bin/sh\n", home.path().display());
        let account = parse(&passwd, "").remove(0);
        for (shadow, expected) in [
            ("", false),
            ("git:!:1\n", false),
            ("git:*:1\n", false),
            ("git:!$6$x:1\n", false),
            ("root:$6$x:1\ngit:$6$x:1\n", true),
            ("git::1\n", true),
        ] {
            assert_eq!(account.has_credential(&Shadow::from(shadow)), expected, "{shadow}");
        }
        fs::create_dir(home.path().join(".ssh")).unwrap();
        fs::write(home.path().join(".ssh/authorized_keys"), "").unwrap();
        assert!(!account.has_credential(&Shadow::from("")), "an empty file");
        fs::write(home.path().join(".ssh/authorized_keys"), "ssh-ed25519 AAAA\n").unwrap();
        assert!(account.has_credential(&Shadow::from("")));
    }

    #[test]
    fn a_shell_is_one_of_etc_shells() {
        let shells = "# /etc/shells\n/bin/sh\n/bin/bash\n/usr/sbin/nologin\n";
        for (shell, expected) in
            [("/bin/bash", true), ("", true), ("/bin/sync", false), ("/usr/sbin/nologin", false)]
        {
            let account = parse(&format!("x:x:5:5::/:{shell}\n"), "").remove(0);
            assert_eq!(account.has_listed_shell(shells), expected, "{shell}");
        }
    }
}
