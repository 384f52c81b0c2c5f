//! The rules of doas. Pure.

use crate::host::accounts::Account;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The line on which it begins.
    pub(super) line: usize,
    /// `permit`, and not `deny`.
    is_permit: bool,
    /// `nopass`: it lets users pass without a password.
    is_without_password: bool,
    /// A user, or a group behind a colon.
    identity: String,
    /// The user that it is for, if it is not for all.
    target: Option<String>,
    /// The command and its arguments, if it is not for all.
    command: Vec<String>,
}

/// Returns the rules of a text, in order. A line that is none is left out.
pub(super) fn rules(text: &str) -> Vec<Rule> {
    lines(text).into_iter().filter_map(|(line, words)| rule(line, &words)).collect()
}

/// Returns the users that the rules, each with its place, let pass without a password. Of the rules
/// that match, the last one counts.
pub(super) fn exempt(rules: &[(String, Rule)], accounts: &[Account]) -> Vec<String> {
    let phrase = |(index, (place, rule)): (usize, &(String, Rule))| {
        if !rule.is_permit || !rule.is_without_password || rule.is_for_root(accounts) {
            return None;
        }
        let later = rules.iter().skip(index + 1).map(|(_, later)| later);
        let later: Vec<_> = later.filter(|later| later.covers_actions(rule)).collect();
        let is_same = |later: &&Rule| later.identity == rule.identity;
        let covered = |account: &&Account| later.iter().any(|later| later.fits(account));
        if later.iter().any(is_same) {
            return None;
        }
        let mut users = accounts.iter().filter(|account| rule.fits(account));
        let who = match rule.identity.strip_prefix(':') {
            // A directory may list more members.
            Some(group) => {
                let others = users.filter(covered).map(|account| format!(", not {}", account.name));
                format!("members of {group}{}", others.collect::<String>())
            }
            None if users.any(|account| covered(&account)) => return None,
            None => rule.identity.clone(),
        };
        Some(format!("{who} by nopass ({place})"))
    };
    rules.iter().enumerate().filter_map(phrase).collect()
}

impl Rule {
    /// Reports whether it is for a user.
    fn fits(&self, account: &Account) -> bool {
        match self.identity.strip_prefix(':') {
            Some(group) => account.groups.iter().any(|name| name == group),
            None => {
                account.name == self.identity || Ok(account.uid) == self.identity.parse::<u32>()
            }
        }
    }

    fn is_for_root(&self, accounts: &[Account]) -> bool {
        let is_root = |account: &Account| account.uid == 0 && self.fits(account);
        !self.identity.starts_with(':') && (self.identity == "root" || accounts.iter().any(is_root))
    }

    /// Reports whether it is for all targets and commands of another rule.
    fn covers_actions(&self, other: &Self) -> bool {
        (self.target.is_none() || self.target == other.target)
            && (self.command.is_empty()
                || self.command == other.command
                || (self.command.len() == 1 && self.command.first() == other.command.first()))
    }
}

fn rule(line: usize, words: &[Word]) -> Option<Rule> {
    let mut words = words.iter();
    let is_permit = match words.next()?.keyword()? {
        "permit" => true,
        "deny" => false,
        _ => return None,
    };
    let mut is_without_password = false;
    let identity = loop {
        let word = words.next()?;
        match word.keyword() {
            Some("nopass") => is_without_password = true,
            Some("keepenv" | "nolog" | "persist" | "setenv") => {}
            Some("{") => while words.next()?.keyword() != Some("}") {},
            _ => break word.text.clone(),
        }
    };
    let (mut target, mut command) = (None, Vec::new());
    while let Some(word) = words.next() {
        match word.keyword() {
            Some("as") => target = Some(words.next()?.text.clone()),
            Some("cmd") => {
                command = words
                    .filter(|word| word.keyword() != Some("args"))
                    .map(|word| word.text.clone())
                    .collect();
                break;
            }
            _ => return None,
        }
    }
    Some(Rule { line, is_permit, is_without_password, identity, target, command })
}

/// A word of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Word {
    text: String,
    /// Whether it has a quote or a backslash. It is no keyword then.
    is_quoted: bool,
}

impl Word {
    fn keyword(&self) -> Option<&str> {
        (!self.is_quoted).then_some(self.text.as_str())
    }
}

/// Splits a text into rules, each with the line on which it begins. A backslash joins two lines,
/// and quotes keep words together.
fn lines(text: &str) -> Vec<(usize, Vec<Word>)> {
    let (mut lines, mut words, mut word) = (Vec::new(), Vec::new(), None::<Word>);
    let (mut number, mut first, mut in_quotes) = (1, 1, false);
    let mut letters = text.chars().chain(['\n']).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('\n') => number += 1,
                Some(next) => {
                    let word = word.get_or_insert_default();
                    word.text.push(next);
                    word.is_quoted = true;
                }
                None => {}
            },
            '"' => {
                in_quotes = !in_quotes;
                word.get_or_insert_default().is_quoted = true;
            }
            '\n' => {
                words.extend(word.take());
                if !words.is_empty() {
                    lines.push((first, std::mem::take(&mut words)));
                }
                number += 1;
                (first, in_quotes) = (number, false);
            }
            _ if in_quotes => word.get_or_insert_default().text.push(letter),
            '#' => {
                words.extend(word.take());
                while letters.next_if(|letter| *letter != '\n').is_some() {}
            }
            ' ' | '\t' => words.extend(word.take()),
            '{' | '}' => {
                words.extend(word.take());
                words.push(Word { text: letter.into(), is_quoted: false });
            }
            letter => word.get_or_insert_default().text.push(letter),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_asked(text: &str) -> Vec<String> {
        let accounts = crate::host::accounts::parse(
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n",
            "sudo:x:27:alice,bob\n",
        );
        let rules: Vec<_> =
            rules(text).into_iter().map(|rule| (rule.line.to_string(), rule)).collect();
        exempt(&rules, &accounts)
    }

    #[test]
    fn the_last_rule_that_matches_counts() {
        for (text, expected) in [
            ("permit nopass bob\n", &["bob by nopass (1)"][..]),
            ("permit nopass bob\npermit bob\n", &[]),
            ("permit bob\npermit nopass bob", &["bob by nopass (2)"]),
            ("permit nopass bob\npermit :sudo\n", &[]),
            ("permit nopass 1001\ndeny bob\n", &[]),
            ("permit nopass bob\npermit bob as root\n", &["bob by nopass (1)"]),
            ("permit nopass bob as root\npermit bob as root\n", &[]),
            ("permit nopass bob cmd a args b\npermit bob cmd a\n", &[]),
            ("permit nopass bob cmd a\npermit bob cmd a args b\n", &["bob by nopass (1)"]),
            ("permit nopass :sudo\ndeny bob\n", &["members of sudo, not bob by nopass (1)"]),
            ("permit nopass :sudo\npermit persist :sudo\n", &[]),
            ("permit nopass root\npermit nopass 0\n", &[]),
            ("permit persist :sudo\ndeny bob\n", &[]),
        ] {
            assert_eq!(not_asked(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_those_of_doas() {
        for (text, expected) in [
            (
                "# one\n\npermit nopass setenv { \\\n FOO \\\n} bob\npermit nopass alice\n",
                &["bob by nopass (3)", "alice by nopass (6)"][..],
            ),
            ("permit nopass \"bob\" # him\n", &["bob by nopass (1)"]),
            ("permit \\\n nopass bob\n", &["bob by nopass (1)"]),
            ("permit \"nopass\" bob\n", &[]),
            (
                "permit setenv{A B=\"}\"} nopass keepenv alice as root cmd /bin/x\n",
                &["alice by nopass (1)"],
            ),
            ("\tpermit\tnopass\tbob\n", &["bob by nopass (1)"]),
            ("#permit nopass bob\n", &[]),
            ("permit nopass b\\ob", &["bob by nopass (1)"]),
        ] {
            assert_eq!(not_asked(text), expected, "{text}");
        }
    }
}
