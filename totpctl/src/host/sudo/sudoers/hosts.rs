//! Lists of hosts in sudoers.

use std::net::IpAddr;

use super::words::is_doubtful;
use crate::host::sshd::pattern::matches;

/// Returns whether a list names this host, if all names of this host, with their domains, tell the
/// same.
pub(super) fn is_this_host(hosts: &[String], names: &[String]) -> Option<bool> {
    let mut answers = names.iter().map(|name| is_named(hosts, name));
    let first = answers.next().flatten();
    first.filter(|_| answers.all(|answer| answer == first))
}

/// Returns whether a list names a host, if its name tells. The last name that fits decides.
fn is_named(hosts: &[String], host: &str) -> Option<bool> {
    let mut found = Some(false);
    for name in hosts {
        let (name, is_negated) = match name.strip_prefix('!') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        match fits(name, host) {
            Some(true) => found = Some(!is_negated),
            Some(false) => {}
            // It may fit, and then it decides.
            None if found != Some(!is_negated) => found = None,
            None => {}
        }
    }
    found
}

/// Returns whether one name is of this host; nothing for addresses, netgroups, and domains that the
/// host does not know itself (sudo may ask a resolver).
fn fits(name: &str, host: &str) -> Option<bool> {
    let base = name.split_once('/').map_or(name, |(base, _)| base);
    // A class of characters has more rules than `matches` knows.
    let is_class = name.contains(['[', '\\']);
    if name.starts_with('+') || base.parse::<IpAddr>().is_ok() || is_class || is_doubtful(name) {
        return None;
    }
    if name == "ALL" {
        return Some(true);
    }
    let (name, host) = (name.to_lowercase(), host.to_lowercase());
    let short = host.split_once('.').map_or(host.as_str(), |(short, _)| short);
    match name.split_once('.') {
        _ if name == host => Some(true),
        None => Some(matches(short, &name)),
        Some((label, _)) => (label != short && !label.contains(['*', '?'])).then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_that_fits_decides() {
        for (hosts, expected) in [
            (&["web"][..], Some(true)),
            (&["WEB"], Some(true)),
            (&["all"], Some(false)),
            (&["WEB.example.org"], None),
            (&["web.other.example"], None),
            (&["*.example.org"], None),
            (&["db.example.org"], Some(false)),
            (&["we[b]"], None),
            (&["ALL", "!we[b]"], None),
            (&["db"], Some(false)),
            (&["w*", "!web"], Some(false)),
            (&["!web", "ALL"], Some(true)),
            (&["192.0.2.0/24"], None),
            (&["fe80::1"], None),
            (&["+servers"], None),
            (&["web", "+servers"], Some(true)),
            (&["web", "!+servers"], None),
            (&["+servers", "!web"], Some(false)),
        ] {
            let hosts: Vec<_> = hosts.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(is_this_host(&hosts, &["web".to_owned()]), expected, "{hosts:?}");
        }
        for (name, expected) in [
            ("web.example.org", Some(true)),
            ("web", Some(true)),
            ("web.example.com", None),
            ("db.example.org", Some(false)),
        ] {
            let names = ["web.example.org".to_owned()];
            assert_eq!(is_this_host(&[name.to_owned()], &names), expected, "{name}");
        }
    }
}
