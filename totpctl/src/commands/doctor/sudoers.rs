//! The rules of sudo that decide who gives a password, and whose (sudoers(5)). Pure.

mod alias_line;
mod aliases;
mod hosts;
mod lines;
mod rules;
mod setting;
mod words;

use std::collections::BTreeMap;

use self::alias_line::AliasKind;
use self::aliases::Aliases;
pub(super) use self::lines::Place;
use self::lines::{Include, Line, logical_lines};
use self::rules::{Rule, rule};
pub(super) use self::setting::{Reach, Scope, Setting};

/// What the files of sudoers say about passwords.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sudoers {
    /// The commands for which sudo asks for nothing.
    pub(super) exempt: Vec<Exempt>,
    /// The settings, in order.
    pub(super) settings: Vec<Setting>,
    /// The lines that cannot be read, with the reason.
    pub(super) faults: Vec<(Place, String)>,
    aliases: Aliases,
    /// The other lines.
    lines: BTreeMap<Place, String>,
    /// The number of files that were read.
    file_count: usize,
    /// The short name of this host.
    host: String,
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
        let mut sudoers = Self { host: files.host.to_owned(), ..Self::default() };
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
            Ok(Rule::Aliases(..)) => {}
            _ => drop(self.lines.insert(place.clone(), text.to_owned())),
        }
        match rule {
            Ok(Rule::Aliases(kind, aliases)) => self.aliases.add(text, kind, aliases),
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
        self.aliases.expanded(AliasKind::User, users)
    }

    /// Returns the lines of the aliases that a line names, also through other aliases. Returns
    /// nothing if it names none.
    pub(super) fn aliases_at(&self, place: &Place) -> Option<String> {
        self.aliases.named_by(self.lines.get(place)?)
    }

    /// Returns the scope of a setting, as the line says.
    pub(super) fn scope(&self, setting: &Setting) -> Scope {
        setting.scope_of(&self.aliases)
    }

    fn reach(&self, setting: &Setting) -> Reach {
        setting.reach(&self.aliases, &self.host)
    }

    /// Returns the last setting of this name for everybody on this host.
    pub(super) fn global(&self, name: &str) -> Option<&Setting> {
        self.named(name).rfind(|setting| self.reach(setting) == Reach::Everybody)
    }

    /// Returns the settings of this name that are not for every host and user, without those for
    /// other hosts.
    pub(super) fn scoped(&self, name: &str) -> impl Iterator<Item = &Setting> {
        self.named(name)
            .filter(|setting| setting.scope.is_some() && self.reach(setting) != Reach::Nobody)
    }

    /// Returns the settings of this name that turn it on, or off, on this host, and that no later
    /// line takes back.
    pub(super) fn in_force(&self, name: &str, is_negated: bool) -> Vec<(Reach, &Setting)> {
        let named: Vec<_> =
            self.named(name).map(|setting| (self.reach(setting), setting)).collect();
        let is_taken_back = |at: usize, (reach, setting): (Reach, &Setting)| {
            let later = named.iter().skip(at + 1);
            let mut opposite = later.filter(|(_, other)| other.is_negated != is_negated);
            opposite.any(|(of, other)| match of {
                Reach::Nobody => false,
                // sudo looks at targets and commands after all others.
                Reach::Everybody => reach == Reach::Everybody || !setting.is_of_target_or_command(),
                Reach::Some => reach == Reach::Some && other.scope == setting.scope,
            })
        };
        let is_meant = |(reach, setting): (Reach, &Setting)| {
            reach != Reach::Nobody && setting.is_negated == is_negated
        };
        let all = named.iter().copied().enumerate();
        all.filter(|(at, found)| is_meant(*found) && !is_taken_back(*at, *found))
            .map(|(_, found)| found)
            .collect()
    }

    fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Setting> {
        self.settings.iter().filter(move |setting| setting.name == name)
    }
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

    fn rules(text: &str) -> Sudoers {
        let read = |_: &str| Ok(text.to_owned());
        Sudoers::read("/s", &Files { read: &read, list: &|_| Vec::new(), host: "web" })
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

    #[test]
    fn a_scope_has_the_members_of_its_aliases() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (line, expected) in [
            ("Defaults rootpw", Scope::All),
            ("Defaults:OPS,%adm rootpw", Scope::Users(names(&["alice", "bob", "%adm"]))),
            ("Defaults>OPS rootpw", Scope::Targets(names(&["operator"]))),
            ("Defaults!OPS rootpw", Scope::Commands(names(&["/bin/a", "/bin/b"]))),
            ("Defaults@OPS rootpw", Scope::Hosts(names(&["web", "db"]))),
            ("Defaults:!OPS rootpw", Scope::Users(names(&["!alice", "!bob"]))),
        ] {
            let found = rules(&format!(
                "{line}\nUser_Alias OPS = alice, bob\nRunas_Alias OPS = operator\n\
                 Cmnd_Alias OPS = /bin/a, /bin/b\nHost_Alias OPS = web, db\n"
            ));
            assert_eq!(found.scope(&found.settings[0]), expected, "{line}");
            assert_eq!(found.faults, [], "{line}");
        }
    }

    #[test]
    fn a_setting_for_this_host_is_for_everybody() {
        for (scope, expected) in [
            ("", Reach::Everybody),
            ("@web", Reach::Everybody),
            ("@ALL", Reach::Everybody),
            ("@db", Reach::Nobody),
            ("@10.0.0.0/8", Reach::Some),
            (":alice", Reach::Some),
            (":ALL", Reach::Everybody),
            (">root", Reach::Some),
            ("!/bin/a", Reach::Some),
        ] {
            let found = rules(&format!("Defaults{scope} rootpw\n"));
            assert_eq!(found.reach(&found.settings[0]), expected, "{scope}");
        }
    }

    #[test]
    fn a_setting_that_a_later_line_takes_back_is_not_in_force() {
        for (text, expected) in [
            ("Defaults rootpw\n", &[1][..]),
            ("Defaults rootpw\nDefaults !rootpw\n", &[]),
            ("Defaults:a rootpw\nDefaults !rootpw\n", &[]),
            ("Defaults>a rootpw\nDefaults !rootpw\n", &[1]),
            ("Defaults!/a rootpw\nDefaults:b !rootpw\n", &[1]),
            ("Defaults:a rootpw\nDefaults:a !rootpw\n", &[]),
            ("Defaults:a rootpw\nDefaults:b !rootpw\n", &[1]),
            ("Defaults !rootpw\nDefaults:a rootpw\n", &[2]),
            ("Defaults rootpw\nDefaults@db !rootpw\n", &[1]),
            ("Defaults rootpw\nDefaults@web !rootpw\n", &[]),
        ] {
            let found = rules(text);
            let lines: Vec<_> =
                found.in_force("rootpw", false).iter().map(|(_, one)| one.place.1).collect();
            assert_eq!(lines, expected, "{text}");
        }
    }
}
