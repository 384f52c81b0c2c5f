//! Where users and rules come from: nsswitch.conf.

use std::fs;
use std::path::Path;

/// A source of users that the files of this host do not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    /// The name in nsswitch.conf, `sss` for example.
    pub(crate) source: String,
    /// Whether the process that asks reaches a network itself.
    pub(crate) needs_network: bool,
}

/// Returns the path of nsswitch.conf: that of the administrator, or that of the distribution.
pub(crate) fn configuration() -> &'static str {
    let paths = ["/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"];
    paths.into_iter().find(|path| Path::new(path).is_file()).unwrap_or("/etc/nsswitch.conf")
}

/// Returns the sources of a database of this host, in order.
pub(crate) fn sources_of(database: &str) -> Vec<String> {
    sources(&fs::read_to_string(configuration()).unwrap_or_default(), database)
}

/// Returns the directories among the sources of users.
pub(crate) fn directories() -> Vec<Directory> {
    let nsswitch = fs::read_to_string(configuration()).unwrap_or_default();
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    parse(&nsswitch, &String::from_utf8_lossy(&passwd))
}

/// Returns the sources that have users of this host, but no file that is read here.
pub(crate) fn without_files() -> Vec<String> {
    let mut sources = sources_of("passwd");
    sources.retain(|source| LISTED_BY_NSS.contains(&source.as_str()));
    sources
}

/// Reads nsswitch.conf and passwd.
fn parse(nsswitch: &str, passwd: &str) -> Vec<Directory> {
    let mut found: Vec<Directory> = Vec::new();
    for source in sources(nsswitch, "passwd") {
        // compat reads files, and asks another source for lines with + in passwd.
        let asked = match source.as_str() {
            "compat" if passwd.lines().any(|line| line.starts_with('+')) => {
                let others = sources(nsswitch, "passwd_compat");
                if others.is_empty() { vec!["nis".to_owned()] } else { others }
            }
            _ => vec![source],
        };
        for source in asked.into_iter().filter(|source| !FILES.contains(&source.as_str())) {
            let needs_network = !LOCAL_SERVICES.contains(&source.as_str());
            if found.iter().all(|directory| directory.source != source) {
                found.push(Directory { source, needs_network });
            }
        }
    }
    found
}

/// Returns the sources of a database. Without a line, libc reads files.
fn sources(nsswitch: &str, database: &str) -> Vec<String> {
    let line = nsswitch.lines().find_map(|line| {
        let line = line.split('#').next()?;
        let (name, rest) = line.split_once(':')?;
        (name.trim() == database).then_some(rest)
    });
    let Some(line) = line else { return Vec::new() };
    // [NOTFOUND=return] and the like say what follows a result, and may contain blanks.
    let mut in_brackets = false;
    let mut names = Vec::new();
    for word in line.replace('[', " [ ").replace(']', " ] ").split_whitespace() {
        match word {
            "[" => in_brackets = true,
            "]" => in_brackets = false,
            _ if in_brackets => {}
            name => names.push(name.to_owned()),
        }
    }
    names
}

/// Sources that have files on this host, or users that nobody logs in as.
const FILES: [&str; 7] =
    ["altfiles", "compat", "db", "extrausers", "files", "mymachines", "systemd"];
/// Those of them that only the name service switch lists.
const LISTED_BY_NSS: [&str; 3] = ["db", "mymachines", "systemd"];
/// Sources that ask a service of this host over a socket, or read its cache.
const LOCAL_SERVICES: [&str; 7] =
    ["authd", "cache_oslogin", "himmelblau", "kanidm", "sss", "vas4", "winbind"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_found_and_need_a_network_or_not() {
        for (nsswitch, passwd, expected) in [
            ("", "", &[][..]),
            ("passwd: files systemd\n", "+::::::\n", &[]),
            ("passwd: files [NOTFOUND = return] sss # ldap\n", "", &[("sss", false)]),
            (
                "passwd:files cache_oslogin oslogin\n",
                "",
                &[("cache_oslogin", false), ("oslogin", true)],
            ),
            ("# passwd: sss\n passwd : compat\n", "root:x:0:0::/:/bin/sh\n", &[]),
            ("passwd: compat\n", "+::::::\n", &[("nis", true)]),
            ("passwd: compat\npasswd_compat: ldap\n", "+@admins\n", &[("ldap", true)]),
            ("passwd: files extrausers altfiles db\ngroup: ldap\n", "", &[]),
            ("passwd: files newfangled ldap ldap\n", "", &[("newfangled", true), ("ldap", true)]),
        ] {
            let found = parse(nsswitch, passwd);
            let found: Vec<_> = found
                .iter()
                .map(|directory| (directory.source.as_str(), directory.needs_network))
                .collect();
            assert_eq!(found, expected, "{nsswitch}");
        }
    }
}
