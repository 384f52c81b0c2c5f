//! A line of sudoers that defines aliases.

use super::words::{BLANKS, Words};

/// What an alias is a list of. A name may be in use once for each kind.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum AliasKind {
    /// Commands.
    Command,
    /// Hosts.
    Host,
    /// Users that a command runs as.
    RunAs,
    /// Users who run sudo.
    User,
}

/// The aliases of a line, with their members.
pub(super) type Aliases = (AliasKind, Vec<(String, Vec<String>)>);

/// Returns the aliases of a line, each with its members; nothing if the line defines none.
pub(super) fn aliases(line: &str) -> Option<Result<Aliases, &'static str>> {
    let alias = WORDS.iter().find_map(|(word, kind)| Some((*kind, line.strip_prefix(word)?)));
    let (kind, rest) = alias.filter(|(_, rest)| rest.starts_with(BLANKS))?;
    Some(parse(kind, rest).map(|found| (kind, found)))
}

fn parse(kind: AliasKind, rest: &str) -> Result<Vec<(String, Vec<String>)>, &'static str> {
    let mut found = Vec::new();
    let mut words = Words(rest);
    loop {
        let name = words.until(&['=']).to_owned();
        if !words.skip('=') || name.is_empty() || name.contains(BLANKS) {
            return Err("the alias cannot be read");
        }
        let members = match kind {
            AliasKind::Command => commands(&mut words)?,
            // An address of IPv6 has colons, and no blank before one.
            AliasKind::Host => words.list_until(&[',', ' ', '\t']),
            AliasKind::RunAs | AliasKind::User => words.list(),
        };
        found.push((name, members));
        if !words.skip(':') {
            break;
        }
    }
    match words.is_at_end() {
        true => Ok(found),
        false => Err("the alias cannot be read"),
    }
}

/// Returns a list of commands, each with its digest and its arguments.
fn commands(words: &mut Words<'_>) -> Result<Vec<String>, &'static str> {
    let mut found = Vec::new();
    loop {
        let is_negated = words.skip_negations();
        words.is_at_end();
        let start = words.0;
        while words.skip_digest() {}
        // The file that is run may have another digest.
        let digest = start.strip_suffix(words.0).unwrap_or_default();
        let sign = if is_negated { "!" } else { "" };
        found.push(format!("{sign}{digest}{}", words.command()?));
        if !words.skip(',') {
            return Ok(found);
        }
    }
}

const WORDS: [(&str, AliasKind); 5] = [
    ("User_Alias", AliasKind::User),
    ("Runas_Alias", AliasKind::RunAs),
    ("Host_Alias", AliasKind::Host),
    ("Cmnd_Alias", AliasKind::Command),
    ("Cmd_Alias", AliasKind::Command),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_have_members() {
        let list = |found: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
            let texts = |members: &[&str]| members.iter().map(|text| (*text).to_owned()).collect();
            found.iter().map(|(name, members)| ((*name).to_owned(), texts(members))).collect()
        };
        for (line, kind, expected) in [
            (
                "User_Alias A = x, %y : B = z",
                AliasKind::User,
                &[("A", &["x", "%y"][..]), ("B", &["z"])][..],
            ),
            (
                "Cmnd_Alias C = /bin/a b\\:c, sha256:ab= /bin/d : E = F",
                AliasKind::Command,
                &[("C", &["/bin/a b\\:c", "sha256:ab= /bin/d"]), ("E", &["F"])],
            ),
            (
                "Host_Alias H = h1, fe80::1, ! h2 : G = H",
                AliasKind::Host,
                &[("H", &["h1", "fe80::1", "!h2"]), ("G", &["H"])],
            ),
            ("Runas_Alias R = root, #0", AliasKind::RunAs, &[("R", &["root", "#0"])]),
        ] {
            assert_eq!(aliases(line), Some(Ok((kind, list(expected)))), "{line}");
        }
        assert!(aliases("User_Alias A x").unwrap().is_err());
        assert_eq!(aliases("User_Aliases ALL = ALL"), None);
    }
}
