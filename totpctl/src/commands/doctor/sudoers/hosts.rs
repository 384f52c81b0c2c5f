//! Lists of hosts in sudoers.

use std::net::IpAddr;

use super::super::sshd::pattern::matches;

/// Returns whether a list names this host, if its name tells. The last name that fits decides.
/// `host` is the name of this host up to its first dot.
pub(super) fn is_this_host(hosts: &[String], host: &str) -> Option<bool> {
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

/// Returns whether one name is of this host; nothing for addresses and netgroups.
fn fits(name: &str, host: &str) -> Option<bool> {
    let base = name.split_once('/').map_or(name, |(base, _)| base);
    if name.starts_with('+') || base.parse::<IpAddr>().is_ok() {
        return None;
    }
    let short = name.split_once('.').map_or(name, |(short, _)| short);
    Some(name == "ALL" || matches(&host.to_lowercase(), &short.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_that_fits_decides() {
        for (hosts, expected) in [
            (&["web"][..], Some(true)),
            (&["WEB.example.org"], Some(true)),
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
            assert_eq!(is_this_host(&hosts, "web"), expected, "{hosts:?}");
        }
    }
}
