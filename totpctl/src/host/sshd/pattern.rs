//! Patterns of sshd: wildcards, lists with negation, networks (PATTERNS in ssh_config(5)).

use std::net::IpAddr;

/// Reports whether a text matches a pattern with `*` and `?`.
pub(crate) fn matches(text: &str, pattern: &str) -> bool {
    let text: Vec<_> = text.chars().collect();
    let mut pattern: Vec<_> = pattern.chars().collect();
    // Many stars in a row would take exponential time.
    pattern.dedup_by(|one, other| *one == '*' && *other == '*');
    letters_match(&text, &pattern)
}

fn letters_match(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len())
            .any(|at| text.get(at..).is_some_and(|others| letters_match(others, rest))),
        Some((wanted, rest)) => text.split_first().is_some_and(|(letter, others)| {
            (*wanted == '?' || wanted == letter) && letters_match(others, rest)
        }),
    }
}

/// Returns whether a list matches: a negated pattern that matches excludes, and at least one other
/// has to match. `fits` compares one text with one pattern.
fn list_matches(patterns: &str, fits: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if fits(pattern) => return false,
            Some(_) => {}
            None => found |= fits(pattern),
        }
    }
    found
}

/// Reports whether a user or a host name matches a list.
pub(crate) fn name_matches(name: &str, patterns: &str) -> bool {
    list_matches(patterns, |pattern| matches(name, pattern))
}

/// Reports whether a user with these groups matches a list. A negated pattern excludes a user who
/// has one such group.
pub(crate) fn groups_match(groups: &[String], patterns: &str) -> bool {
    list_matches(patterns, |pattern| groups.iter().any(|group| matches(group, pattern)))
}

/// Reports whether an address matches a list of networks and patterns.
pub(crate) fn address_matches(address: &str, patterns: &str) -> bool {
    list_matches(patterns, |pattern| {
        in_network(address, pattern).unwrap_or_else(|| matches(address, pattern))
    })
}

/// Returns whether an address is in a network, or nothing if `network` is none.
fn in_network(address: &str, network: &str) -> Option<bool> {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
        None => (network, None),
    };
    let width = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    let base: IpAddr = base.parse().ok()?;
    let length = length.unwrap_or(width(base)).min(width(base));
    let address: IpAddr = address.parse().ok()?;
    let host_bits = width(base) - length;
    let network = |address| bits(address).checked_shr(host_bits).unwrap_or_default();
    Some(address.is_ipv4() == base.is_ipv4() && network(address) == network(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_sshd() {
        for (text, pattern, expected) in [
            ("git", "git", true),
            ("git", "gi", false),
            ("git", "g*", true),
            ("git", "*t*", true),
            ("git", "g?t", true),
            ("git", "g?", false),
            ("", "*", true),
            ("", "?", false),
            ("aab", "a*b*", true),
            ("Git", "git", false),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn lists_have_negation() {
        assert!(name_matches("bob", "!root,*"));
        assert!(!name_matches("root", "*,!root"));
        assert!(!name_matches("bob", "!root"));
        let groups = ["users".to_owned(), "wheel".to_owned()];
        assert!(groups_match(&groups, "w*"));
        assert!(!groups_match(&groups, "users,!wheel"));
    }

    #[test]
    fn addresses_match_networks_and_patterns() {
        for (address, patterns, expected) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.0.0.0/8,!10.1.0.0/16", false),
            ("10.1.2.3", "10.1.*", true),
            ("10.1.2.3", "*,!192.168.0.0/16", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "10.1.2.3", true),
        ] {
            assert_eq!(address_matches(address, patterns), expected, "{address} {patterns}");
        }
    }
}
