//! The rules of sudo that decide who gives a password, and whose (sudoers(5)). Pure.

mod lines;
mod rules;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use self::lines::{Include, Line, logical_lines};
use self::rules::{Rule, rule};

/// A place in a file.
pub(super) type Place = (String, usize);

/// What the files of sudoers say about passwords.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sudoers {
    /// The commands for which sudo asks for nothing.
    pub(super) exempt: Vec<Exempt>,
    /// The settings, in order.
    pub(super) settings: Vec<Setting>,
    /// The lines that cannot be read, with the reason.
    pub(super) faults: Vec<(Place, String)>,
    /// The members of each user alias.
    aliases: BTreeMap<String, Vec<String>>,
    /// The lines of aliases of all kinds, each with the names that it defines.
    alias_lines: Vec<(Vec<String>, String)>,
    /// The other lines.
    lines: BTreeMap<Place, String>,
    /// The number of files that were read.
    file_count: usize,
}

/// Users who are asked for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exempt {
    /// The users and groups as the line names them.
    pub(super) users: Vec<String>,
    /// The commands as the line names them.
    pub(super) commands: Vec<String>,
    /// The line.
    pub(super) place: Place,
}

/// A setting (`Defaults`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The users, hosts, commands or targets that it is for, as the line writes them (`:alice`);
    /// nothing if it is for all.
    pub(super) scope: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// Its value; `None` for a flag.
    pub(super) value: Option<String>,
    /// True if it is turned off (`!name`).
    pub(super) is_negated: bool,
    /// The line.
    pub(super) place: Place,
}

/// The files, as the caller reads them.
pub(super) struct Files<'a> {
    /// Returns the text of a file.
    pub(super) read: &'a dyn Fn(&str) -> Result<String, String>,
    /// Returns the names in a folder.
    pub(super) list: &'a dyn Fn(&str) -> Vec<String>,
    /// The name of this host (`%h` in the name of an included file).
    pub(super) host: &'a str,
}

impl Sudoers {
    /// Reads a file and all that it includes.
    pub(super) fn read(path: &str, files: &Files<'_>) -> Self {
        let mut sudoers = Self::default();
        sudoers.file(path, files, None, 0);
        sudoers
    }

    /// Reads one file. `from` is the line that includes it.
    fn file(&mut self, path: &str, files: &Files<'_>, from: Option<&Place>, depth: u8) {
        let place = from.cloned().unwrap_or_else(|| (path.to_owned(), 1));
        self.file_count += 1;
        // Two lines that include their own file would double the work at each depth.
        if self.file_count > MAX_FILES {
            return;
        }
        if depth > MAX_DEPTH || self.file_count == MAX_FILES {
            self.faults.push((place, "too many files include each other".to_owned()));
            return;
        }
        let text = match (files.read)(path) {
            Ok(text) => text,
            Err(reason) => {
                self.faults.push((place, format!("cannot read {path}: {reason}")));
                return;
            }
        };
        for Line { number, text } in logical_lines(&text) {
            let place = (path.to_owned(), number);
            match lines::include(&text, path, files.host) {
                Some(Include::File(name)) => self.file(&name, files, Some(&place), depth + 1),
                Some(Include::Folder(name)) => {
                    for file in lines::included(&(files.list)(&name)) {
                        self.file(&format!("{name}/{file}"), files, Some(&place), depth + 1);
                    }
                }
                None => self.line(&text, place),
            }
        }
    }

    fn line(&mut self, text: &str, place: Place) {
        let rule = rule(text);
        match rule {
            Ok(Rule::Aliases(_)) => self.alias_lines.push((defined(text), text.to_owned())),
            _ => drop(self.lines.insert(place.clone(), text.to_owned())),
        }
        match rule {
            Ok(Rule::Aliases(aliases)) => self.aliases.extend(aliases),
            Ok(Rule::Exempt { users, commands }) if commands.is_empty() || users.is_empty() => {}
            Ok(Rule::Exempt { users, commands }) => {
                self.exempt.push(Exempt { users, commands, place });
            }
            Ok(Rule::Settings { scope, settings }) => {
                self.settings.extend(settings.into_iter().map(|(name, value, is_negated)| {
                    Setting { scope: scope.clone(), name, value, is_negated, place: place.clone() }
                }));
            }
            Err(reason) => self.faults.push((place, reason.to_owned())),
        }
    }

    /// Returns the users and groups of a list, with aliases replaced by their members.
    pub(super) fn members(&self, users: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        self.expand(users, &mut found, 0);
        found
    }

    /// Returns the lines of the aliases that a line names, also through other aliases. Returns
    /// nothing if it names none.
    pub(super) fn aliases_at(&self, place: &Place) -> Option<String> {
        let mut texts: Vec<&str> = self.lines.get(place).map(String::as_str).into_iter().collect();
        let mut found = BTreeMap::new();
        while let Some(text) = texts.pop() {
            let words: BTreeSet<_> = words_of(text).collect();
            for (index, (names, line)) in self.alias_lines.iter().enumerate() {
                let is_named = names.iter().any(|name| words.contains(name.as_str()));
                if is_named && found.insert(index, line.as_str()).is_none() {
                    texts.push(line);
                }
            }
        }
        let found: Vec<_> = found.into_values().collect();
        (!found.is_empty()).then(|| found.join("\n"))
    }

    fn expand(&self, users: &[String], found: &mut Vec<String>, depth: u8) {
        for user in users {
            match self.aliases.get(user).filter(|_| depth < MAX_DEPTH) {
                Some(members) => self.expand(members, found, depth + 1),
                None if found.contains(user) => {}
                None => found.push(user.clone()),
            }
        }
    }

    /// Returns the last setting of this name for all users.
    pub(super) fn global(&self, name: &str) -> Option<&Setting> {
        self.named(name).rfind(|setting| setting.scope.is_none())
    }

    /// Returns the settings of this name for some users only.
    pub(super) fn scoped(&self, name: &str) -> impl Iterator<Item = &Setting> {
        self.named(name).filter(|setting| setting.scope.is_some())
    }

    fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Setting> {
        self.settings.iter().filter(move |setting| setting.name == name)
    }
}

/// Returns the names that a line of aliases defines: the word before each `=`. An option of a
/// command (`--a=b`) is no name, but nothing is named like it either.
fn defined(line: &str) -> Vec<String> {
    let mut parts: Vec<_> = line.split('=').collect();
    parts.pop();
    parts.iter().filter_map(|part| words_of(part).last()).map(ToOwned::to_owned).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// sudo stops there too.
const MAX_DEPTH: u8 = 128;
const MAX_FILES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn sudoers(files: &[(&str, &str)]) -> Sudoers {
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
        };
        let list = |folder: &str| {
            let inside =
                |name: &str| name.strip_prefix(folder)?.strip_prefix('/').map(ToOwned::to_owned);
            files.iter().filter_map(|(name, _)| inside(name)).collect()
        };
        Sudoers::read("/etc/sudoers", &Files { read: &read, list: &list, host: "h" })
    }

    #[test]
    fn included_files_are_read_in_order() {
        let found = sudoers(&[
            ("/etc/sudoers", "@include extra.%h\n#includedir /etc/sudoers.d\nDefaults !targetpw\n"),
            ("/etc/extra.h", "Defaults targetpw\n"),
            ("/etc/sudoers.d/20", "bob ALL=(ALL) NOPASSWD: ALL\n"),
            (
                "/etc/sudoers.d/10",
                "User_Alias OPS = alice, %ops\nOPS ALL = NOPASSWD: /bin/a, /bin/b\n",
            ),
            ("/etc/sudoers.d/30.off", "carol ALL=NOPASSWD: ALL\n"),
            ("/etc/sudoers.d/40~", "carol ALL=NOPASSWD: ALL\n"),
        ]);
        let places: Vec<_> = found.exempt.iter().map(|exempt| exempt.place.clone()).collect();
        assert_eq!(places, [("/etc/sudoers.d/10".into(), 2), ("/etc/sudoers.d/20".into(), 1)]);
        assert_eq!(found.members(&found.exempt[0].users), ["alice", "%ops"]);
        assert_eq!(found.exempt[0].commands, ["/bin/a", "/bin/b"]);
        assert!(found.global("targetpw").is_some_and(|setting| setting.is_negated));
        assert_eq!(found.faults, []);
    }

    #[test]
    fn a_loop_and_a_missing_file_are_told() {
        let found = sudoers(&[("/etc/sudoers", "@include /etc/sudoers\n@include /gone\n")]);
        assert_eq!(found.faults[0].1, "too many files include each other");
        let last = found.faults.last().map(|(_, reason)| reason.as_str());
        assert_eq!(last, Some("cannot read /gone: no such file"));
        let aliases =
            sudoers(&[("/etc/sudoers", "User_Alias A = B : B = A\nA ALL=NOPASSWD: ALL\n")]);
        assert!(aliases.members(&aliases.exempt[0].users).len() <= 2);
    }

    #[test]
    fn a_line_depends_on_the_aliases_that_it_names() {
        let rules = "User_Alias OPS = alice, SOME : SOME = bob\nCmnd_Alias RUN = /bin/a --b=c\n\
                     Host_Alias OTHER = h\nOPS ALL=NOPASSWD: RUN\nDefaults:OPS !authenticate\n\
                     carol ALL=NOPASSWD: ALL\n";
        let found = sudoers(&[("/etc/sudoers", rules)]);
        let at = |line| found.aliases_at(&("/etc/sudoers".into(), line));
        let users = "User_Alias OPS = alice, SOME : SOME = bob";
        let commands = "Cmnd_Alias RUN = /bin/a --b=c";
        assert_eq!(at(4), Some(format!("{users}\n{commands}")));
        assert_eq!(at(5).as_deref(), Some(users));
        assert_eq!((at(6), at(9)), (None, None));
        let chain = "User_Alias A = B\nUser_Alias B = A, x\nA ALL=NOPASSWD: ALL\n";
        let found = sudoers(&[("/etc/sudoers", chain)]);
        let expected = "User_Alias A = B\nUser_Alias B = A, x";
        assert_eq!(found.aliases_at(&("/etc/sudoers".into(), 3)).as_deref(), Some(expected));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told() {
        let found =
            sudoers(&[("/etc/sudoers", "\nalice everything\nbob ALL=(ALL NOPASSWD: ALL\n")]);
        let places: Vec<_> = found.faults.iter().map(|((_, line), _)| *line).collect();
        assert_eq!(places, [2, 3]);
    }
}
