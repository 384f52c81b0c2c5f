//! One line of sudoers.

use super::alias_line::{AliasKind, aliases};
use super::targets::Targets;
use super::words::{BLANKS, Words, is_alias, is_doubtful, unquote};

/// The content of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Aliases of one kind, with their members.
    Aliases(AliasKind, Vec<(String, Vec<String>)>),
    /// What these users and groups may run, for each list of hosts, and the reason why sudo cannot
    /// read the rest of the line.
    Grants(Vec<String>, Vec<Grant>, Option<&'static str>),
    /// Settings.
    Settings {
        /// The users, hosts, commands or targets that they are for.
        scope: Option<String>,
        /// Each with its value, and whether it is turned off.
        settings: Vec<(String, Option<String>, bool)>,
    },
}

/// The commands on a list of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    /// The hosts, as the line names them.
    pub(super) hosts: Vec<String>,
    /// The commands without a password.
    pub(super) exempt: Vec<Command>,
    /// The commands with a password, without other conditions.
    pub(super) asked: Vec<Command>,
    /// Those of them for which it turns the password on (`PASSWD`), whatever the settings say.
    pub(super) turned_on: Vec<Command>,
    /// All commands but those that are negated. An alias may be negated.
    pub(super) granted: Vec<Command>,
}

/// A command, and the users as which it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// The command with its arguments, or an alias. An alias may be negated.
    pub(super) name: String,
    pub(super) targets: Targets,
}

impl Command {
    /// Reports whether it is `other` too, as far as the names tell.
    pub(super) fn includes(&self, other: &Self) -> bool {
        let is_same = self.name == other.name && !is_doubtful(&self.name);
        (self.name == "ALL" || is_same) && self.targets.include(&other.targets)
    }
}

/// Parses a line that includes no file.
///
/// # Errors
/// The reason why sudo cannot read it.
pub(super) fn rule(line: &str) -> Result<Rule, &'static str> {
    if let Some(rest) = line.strip_prefix("Defaults")
        && rest.starts_with([' ', '\t', ':', '@', '!', '>'])
    {
        return settings(rest);
    }
    match aliases(line) {
        Some(found) => found.map(|(kind, aliases)| Rule::Aliases(kind, aliases)),
        None => grants(line),
    }
}

fn settings(rest: &str) -> Result<Rule, &'static str> {
    let mut words = Words(rest);
    let scope = words.0.chars().next().filter(|c| SCOPES.contains(c)).map(|sign| {
        words.skip(sign);
        format!("{sign}{}", words.list().join(","))
    });
    let mut settings = Vec::new();
    while !words.is_at_end() {
        let is_negated = words.skip_negations();
        let text = words.until(&[',']);
        words.skip(',');
        let mut parts = Words(text);
        let name = parts.until(&['=', '+', '-', ' ', '\t']).to_owned();
        parts.skip('+');
        parts.skip('-');
        let value = parts.skip('=').then(|| unquote(parts.0.trim_matches(BLANKS)));
        if name.is_empty() || (value.is_none() && !parts.is_at_end()) {
            return Err("the setting cannot be read");
        }
        settings.push((name, value, is_negated));
    }
    match settings.is_empty() {
        true => Err("Defaults without a setting"),
        false => Ok(Rule::Settings { scope, settings }),
    }
}

fn grants(line: &str) -> Result<Rule, &'static str> {
    let mut words = Words(line);
    let users = words.list();
    let mut grants = Vec::new();
    loop {
        match grant(&mut words) {
            Ok(grant) => grants.push(grant),
            // sudo keeps those before the colon.
            Err(reason) if !grants.is_empty() => {
                return Ok(Rule::Grants(users, grants, Some(reason)));
            }
            Err(reason) => return Err(reason),
        }
        if !words.skip(':') {
            return Ok(Rule::Grants(users, grants, None));
        }
    }
}

fn grant(words: &mut Words<'_>) -> Result<Grant, &'static str> {
    // A list of hosts stands before each list of commands.
    let hosts = words.until(&['=']);
    if hosts.is_empty() || !words.skip('=') {
        return Err("it has no =, with hosts before and commands behind it");
    }
    let mut hosts = Words(hosts);
    let mut grant = Grant { hosts: hosts.list_until(&[',', ' ', '\t']), ..Grant::default() };
    if !hosts.is_at_end() {
        return Err("its hosts cannot be read");
    }
    // Tags, targets and options are valid for the commands behind them too.
    let (mut needs_password, mut has_condition) = (None, false);
    let mut targets = Targets::default();
    loop {
        if words.skip('(') {
            targets = Targets::parse(words.until(&[')', '=']));
            if !words.skip(')') {
                return Err("a bracket is not closed");
            }
        }
        loop {
            match tag(words) {
                Some("NOPASSWD") => needs_password = Some(false),
                Some("PASSWD") => needs_password = Some(true),
                Some(_) => {}
                None if option(words) => has_condition = true,
                None => break,
            }
        }
        let mut has_digest = false;
        while words.skip_digest() {
            has_digest = true;
        }
        let is_negated = words.skip_negations();
        words.is_at_end();
        let name = words.command()?;
        if name.is_empty() {
            return Err("a command is missing");
        }
        let sign = if is_negated { "!" } else { "" };
        let command = Command { name: format!("{sign}{name}"), targets: targets.clone() };
        // The members of an alias may be negated too.
        let is_granted = !is_negated || is_alias(name);
        grant.granted.extend(is_granted.then(|| command.clone()));
        if needs_password == Some(false) {
            grant.exempt.extend(is_granted.then_some(command));
        } else if is_granted && !has_condition && !has_digest {
            // The last command of a list that fits counts.
            grant.exempt.retain(|exempt| !command.includes(exempt));
            grant.turned_on.extend((needs_password == Some(true)).then(|| command.clone()));
            grant.asked.push(command);
        }
        if !words.skip(',') {
            break;
        }
    }
    Ok(grant)
}

/// Returns the tag that is next, without its colon.
fn tag<'a>(words: &mut Words<'a>) -> Option<&'a str> {
    let rest = words.0.trim_start_matches(BLANKS);
    let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_')?;
    let (name, after) = rest.split_at(end);
    words.0 =
        TAGS.contains(&name).then(|| after.trim_start_matches(BLANKS).strip_prefix(':'))??;
    Some(name)
}

/// Skips an option (`TIMEOUT=5m`), if it is next.
fn option(words: &mut Words<'_>) -> bool {
    let rest = words.0.trim_start_matches(BLANKS);
    let Some((name, _)) = rest.split_once('=') else { return false };
    let is_option = OPTIONS.contains(&name.trim_end_matches(BLANKS));
    if is_option {
        words.until(&['=']);
        words.skip('=');
        words.is_at_end();
        words.until(&[' ', '\t']);
    }
    is_option
}

/// What begins the scope of settings: users, hosts, targets, commands.
const SCOPES: [char; 4] = [':', '@', '>', '!'];
const OPTIONS: [&str; 10] = [
    "APPARMOR_PROFILE",
    "CHROOT",
    "CWD",
    "LIMITPRIVS",
    "NOTAFTER",
    "NOTBEFORE",
    "PRIVS",
    "ROLE",
    "TIMEOUT",
    "TYPE",
];
const TAGS: [&str; 16] = [
    "EXEC",
    "FOLLOW",
    "INTERCEPT",
    "LOG_INPUT",
    "LOG_OUTPUT",
    "MAIL",
    "NOEXEC",
    "NOFOLLOW",
    "NOINTERCEPT",
    "NOLOG_INPUT",
    "NOLOG_OUTPUT",
    "NOMAIL",
    "NOPASSWD",
    "NOSETENV",
    "PASSWD",
    "SETENV",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn exempt(line: &str) -> (Vec<String>, Vec<String>) {
        match rule(line) {
            Ok(Rule::Grants(users, grants, None)) => {
                let commands = grants.into_iter().flat_map(|grant| grant.exempt);
                (users, commands.map(|command| command.name).collect())
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn commands_without_a_password_are_found() {
        for (line, users, commands) in [
            ("root ALL=(ALL:ALL) ALL", &["root"][..], &[][..]),
            ("%wheel ALL=(ALL) NOPASSWD: ALL", &["%wheel"], &["ALL"]),
            (
                "alice,bob ALL = NOPASSWD:/bin/a, PASSWD: /bin/b, NOPASSWD : SETENV: /bin/c",
                &["alice", "bob"],
                &["/bin/a", "/bin/c"],
            ),
            ("a ALL=NOPASSWD: /bin/x, PASSWD: ALL, NOPASSWD: /bin/y", &["a"], &["/bin/y"]),
            ("a ALL=(root) NOPASSWD: ALL, (www) PASSWD: ALL", &["a"], &["ALL"]),
            ("a ALL=(root) NOPASSWD: ALL, (ALL) PASSWD: ALL", &["a"], &[]),
            ("a ALL=NOPASSWD: /x, NOTAFTER=20200101000000Z PASSWD: /y, ALL", &["a"], &["/x"]),
            ("a ALL=NOPASSWD: !!/bin/x, ! /bin/y, !SOME", &["a"], &["/bin/x", "!SOME"]),
            ("a ALL=/bin/echo \", NOPASSWD: /bin/x", &["a"], &["/bin/x"]),
            ("a h1=NOPASSWD: /bin/x : h2, h3 = (root) ALL", &["a"], &["/bin/x"]),
            ("a ALL=NOPASSWD: /bin/x -p a\\:b\\=c, !/bin/y", &["a"], &["/bin/x -p a\\:b\\=c"]),
            ("#1000 ALL=(ALL) NOPASSWD:NOEXEC: sudoedit /etc/x", &["#1000"], &["sudoedit /etc/x"]),
            ("\"domain admins\" ALL=NOPASSWD: SHELLS", &["domain admins"], &["SHELLS"]),
            (
                "a ALL=(root) TIMEOUT=5m CWD = /x NOPASSWD: sha256:ab+/c=, sha512 : x /bin/x",
                &["a"],
                &["/bin/x"],
            ),
        ] {
            let (found_users, found_commands) = exempt(line);
            assert_eq!(found_users, users, "{line}");
            assert_eq!(found_commands, commands, "{line}");
        }
    }

    #[test]
    fn each_list_of_hosts_has_commands() {
        let line = "a h1, 2001:db8::/32 = NOPASSWD: /x, PASSWD: /y : ALL = (ALL:ALL) /z, !/q";
        let Ok(Rule::Grants(_, grants, None)) = rule(line) else { panic!("{line}") };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let command = |name: &str, targets| Command { name: name.to_owned(), targets };
        let first = Grant {
            hosts: names(&["h1", "2001:db8::/32"]),
            exempt: vec![command("/x", Targets::default())],
            asked: vec![command("/y", Targets::default())],
            turned_on: vec![command("/y", Targets::default())],
            granted: vec![command("/x", Targets::default()), command("/y", Targets::default())],
        };
        let second = Grant {
            hosts: names(&["ALL"]),
            asked: vec![command("/z", Targets::parse("ALL:ALL"))],
            granted: vec![command("/z", Targets::parse("ALL:ALL"))],
            ..Grant::default()
        };
        assert_eq!(grants, [first, second]);
    }

    #[test]
    fn settings_have_scopes_and_values() {
        for (line, scope, expected) in [
            ("Defaults targetpw", None, ("targetpw", None, false)),
            ("Defaults !authenticate", None, ("authenticate", None, true)),
            (
                "Defaults:alice,%ops !authenticate",
                Some(":alice,%ops"),
                ("authenticate", None, true),
            ),
            ("Defaults!/bin/x !authenticate", Some("!/bin/x"), ("authenticate", None, true)),
            ("Defaults@h pam_service = foo", Some("@h"), ("pam_service", Some("foo"), false)),
            ("Defaults secure_path=\"/a:/b\"", None, ("secure_path", Some("/a:/b"), false)),
            ("Defaults env_keep += \"A B\"", None, ("env_keep", Some("A B"), false)),
        ] {
            let (name, value, is_negated) = expected;
            let expected = Rule::Settings {
                scope: scope.map(ToOwned::to_owned),
                settings: vec![(name.to_owned(), value.map(ToOwned::to_owned), is_negated)],
            };
            assert_eq!(rule(line), Ok(expected), "{line}");
        }
        let Ok(Rule::Settings { settings, .. }) = rule("Defaults env_reset, rootpw, x=\"a,b\", !y")
        else {
            panic!()
        };
        let names: Vec<_> = settings.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["env_reset", "rootpw", "x", "y"]);
    }
}
