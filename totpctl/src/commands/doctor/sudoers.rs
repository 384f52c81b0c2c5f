//! The rules of sudo that decide who gives a password, and whose (sudoers(5)). Pure.

mod alias_line;
mod aliases;
mod callers;
mod hosts;
mod lines;
mod permissions;
mod rejection;
mod rules;
mod setting;
mod targets;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::slice;

use self::alias_line::AliasKind;
use self::aliases::Aliases;
pub(super) use self::callers::Callers;
use self::callers::Share;
use self::hosts::is_this_host;
pub(super) use self::lines::Place;
use self::lines::{Include, Line, logical_lines};
pub(super) use self::permissions::{Ignored, Permissions};
use self::rules::{Command, Grant, Rule, rule};
pub(super) use self::setting::{Reach, Scope, Setting};

/// What the files of sudoers say about passwords.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sudoers {
    /// The users of each line of rules, with what they may run on a list of hosts, in order.
    grants: Vec<(Vec<String>, Grant, Place)>,
    /// The settings, in order.
    pub(super) settings: Vec<Setting>,
    /// The lines that cannot be read, with the reason.
    pub(super) faults: Vec<(Place, String)>,
    /// The files and folders that sudo ignores.
    pub(super) ignored: Vec<Ignored>,
    aliases: Aliases,
    /// The other lines.
    lines: BTreeMap<Place, String>,
    /// The number of files that were read.
    file_count: usize,
    /// The short name of this host.
    host: String,
    /// The accounts of this host; none if they are not known.
    callers: Callers,
}

/// Users who are asked for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exempt {
    /// The users and groups, without aliases. `!` stands before those that a later line asks.
    pub(super) users: Vec<String>,
    /// The commands as the line names them.
    pub(super) commands: Vec<String>,
    /// True if a later line may ask some of these users, and the names do not tell.
    pub(super) may_be_asked: bool,
    /// The line.
    pub(super) place: Place,
}

/// The files, as the caller reads them.
pub(super) struct Files<'a> {
    /// Returns why sudo ignores a file or folder, if it does.
    pub(super) refusal: &'a dyn Fn(&str) -> Option<String>,
    /// Returns the text of a file.
    pub(super) read: &'a dyn Fn(&str) -> Result<String, String>,
    /// Returns the names in a folder.
    pub(super) list: &'a dyn Fn(&str) -> Vec<String>,
    /// The lines that visudo calls wrong, with its words. They may be parts of a longer line.
    pub(super) rejected: &'a [(Place, String)],
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

    /// Adds the accounts of this host.
    pub(super) fn with_callers(self, callers: Callers) -> Self {
        Self { callers, ..self }
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
        if self.ignores(path, files, from.is_none()) {
            return;
        }
        let text = match (files.read)(path) {
            Ok(text) => text,
            Err(reason) => {
                self.faults.push((place, format!("cannot read {path}: {reason}")));
                return;
            }
        };
        for Line { number, last, text } in logical_lines(&text) {
            let is_here = |(file, at): &Place| file == path && (number..=last).contains(at);
            let rejected = files.rejected.iter().find(|(place, _)| is_here(place));
            let rejection = rejected.map(|(_, words)| words.as_str());
            let place = (path.to_owned(), number);
            match lines::include(&text, path, files.host) {
                Some(Include::File(name)) => self.file(&name, files, Some(&place), depth + 1),
                Some(Include::Folder(name)) if self.ignores(&name, files, false) => {}
                Some(Include::Folder(name)) => {
                    for file in lines::included(&(files.list)(&name)) {
                        self.file(&format!("{name}/{file}"), files, Some(&place), depth + 1);
                    }
                }
                None => self.line(&text, place, rejection),
            }
        }
    }

    /// Reports whether sudo ignores a file or folder.
    fn ignores(&mut self, path: &str, files: &Files<'_>, is_main: bool) -> bool {
        let refusal = (files.refusal)(path);
        let is_ignored = refusal.is_some();
        self.ignored.extend(refusal.map(|reason| Ignored {
            path: path.to_owned(),
            reason,
            is_main,
        }));
        is_ignored
    }

    /// Reads one line. `rejection` has the words of visudo if it calls the line wrong.
    fn line(&mut self, text: &str, place: Place, rejection: Option<&str>) {
        let rule = match (rule(text), rejection) {
            (Ok(rule), Some(words)) => match rejection::rest(rule, words) {
                Some(rule) => Ok(rule),
                None => return,
            },
            (rule, _) => rule,
        };
        match rule {
            Ok(Rule::Aliases(..)) => {}
            _ => drop(self.lines.insert(place.clone(), text.to_owned())),
        }
        match rule {
            Ok(Rule::Aliases(kind, aliases)) => self.aliases.add(text, kind, aliases),
            Ok(Rule::Grants(users, ..)) if users.is_empty() => {}
            Ok(Rule::Grants(users, grants, fault)) => {
                self.faults.extend(fault.map(|reason| (place.clone(), reason.to_owned())));
                let grants = grants.into_iter();
                self.grants.extend(grants.map(|grant| (users.clone(), grant, place.clone())));
            }
            Ok(Rule::Settings { scope, settings }) => {
                self.settings.extend(settings.into_iter().map(|(name, value, is_negated)| {
                    Setting { scope: scope.clone(), name, value, is_negated, place: place.clone() }
                }));
            }
            Err(reason) => self.faults.push((place, reason.to_owned())),
        }
    }

    /// Reports whether sudo ignores a file, or its folder.
    pub(super) fn ignores_file(&self, file: &str) -> bool {
        let is_at = |ignored: &Ignored| Path::new(file).starts_with(&ignored.path);
        self.ignored.iter().any(is_at)
    }

    /// Returns the users that sudo does not ask on this host, in order. Of the lines for a user,
    /// the last one counts.
    pub(super) fn exempt(&self) -> Vec<Exempt> {
        let grants = self.grants.iter().enumerate();
        grants.filter_map(|(index, grant)| self.exempt_by(grant, index + 1)).collect()
    }

    /// Returns the users that a line exempts, without those that a line from `later` on asks.
    fn exempt_by(
        &self,
        (users, grant, place): &(Vec<String>, Grant, Place),
        later: usize,
    ) -> Option<Exempt> {
        if self.is_here(grant) == Some(false) {
            return None;
        }
        let mut users = self.members(users);
        let mut commands = grant.exempt.clone();
        let mut may_be_asked = false;
        for (others, grant, _) in self.grants.iter().skip(later) {
            let is_here = self.is_here(grant);
            let is_asked = |command: &Command| self.asks_for(grant, command);
            if is_here == Some(false) || !commands.iter().any(is_asked) {
                continue;
            }
            let others = self.members(others);
            let shares = users.iter().filter(|user| !user.starts_with('!'));
            let shares: Vec<_> = shares.map(|user| self.callers.share(user, &others)).collect();
            if !commands.iter().all(is_asked) {
                // It asks all of them for some of the commands.
                if is_here == Some(true) && shares.iter().all(|share| *share == Share::All) {
                    commands.retain(|command| !is_asked(command));
                }
                continue;
            }
            let is_part = |share: &Share| *share != Share::These(Vec::new());
            if is_here.is_none() {
                may_be_asked |= shares.iter().any(is_part);
                continue;
            }
            may_be_asked |= shares.contains(&Share::Unknown);
            let mut asked = Vec::new();
            let mut shares = shares.into_iter();
            users.retain(|user| {
                user.starts_with('!')
                    || match shares.next() {
                        Some(Share::All) => false,
                        Some(Share::These(names)) => {
                            asked.extend(names.into_iter().map(|name| format!("!{name}")));
                            true
                        }
                        _ => true,
                    }
            });
            asked.retain(|name| !users.contains(name));
            users.extend(asked);
        }
        let has_users = users.iter().any(|user| !user.starts_with('!'));
        let commands: Vec<_> = commands.into_iter().map(|command| command.name).collect();
        (has_users && !commands.is_empty()).then(|| Exempt {
            users,
            commands,
            may_be_asked,
            place: place.clone(),
        })
    }

    /// Reports whether sudo asks nobody for a password, by a line for all users and commands.
    pub(super) fn exempts_everybody(&self) -> bool {
        // A later line may ask a user again.
        let here =
            |(_, grant, _): &&(Vec<String>, Grant, Place)| self.is_here(grant) != Some(false);
        self.grants.iter().rfind(here).is_some_and(|(users, grant, _)| {
            self.members(users) == ["ALL"]
                && grant.exempt.iter().any(|command| command.name == "ALL")
        })
    }

    /// Reports whether a line asks for a password before a command, as far as the names tell.
    fn asks_for(&self, grant: &Grant, command: &Command) -> bool {
        let members = |command: &Command| {
            let names = self.aliases.expanded(AliasKind::Command, slice::from_ref(&command.name));
            let targets = command.targets.clone();
            names.into_iter().map(move |name| Command { name, targets: targets.clone() })
        };
        let asked: Vec<_> = grant.asked.iter().flat_map(members).collect();
        members(command).all(|command| asked.iter().any(|asked| asked.includes(&command)))
    }

    /// Returns whether a line is for this host, if its names tell.
    fn is_here(&self, grant: &Grant) -> Option<bool> {
        is_this_host(&self.aliases.expanded(AliasKind::Host, &grant.hosts), &self.host)
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
        self.in_force_if(name, &|setting| setting.is_negated == is_negated)
    }

    /// Returns the settings of this name with a value that is meant, on this host, which no later
    /// line replaces.
    pub(super) fn in_force_if(
        &self,
        name: &str,
        is_meant: &dyn Fn(&Setting) -> bool,
    ) -> Vec<(Reach, &Setting)> {
        let named: Vec<_> =
            self.named(name).map(|setting| (self.reach(setting), setting)).collect();
        let is_taken_back = |at: usize, (reach, setting): (Reach, &Setting)| {
            let later = named.iter().skip(at + 1);
            let mut opposite = later.filter(|(_, other)| !is_meant(other));
            opposite.any(|(of, other)| match of {
                Reach::Nobody => false,
                // sudo looks at targets and commands after all others.
                Reach::Everybody => reach == Reach::Everybody || !setting.is_of_target_or_command(),
                Reach::Some => reach == Reach::Some && other.scope == setting.scope,
            })
        };
        let is_found =
            |(reach, setting): (Reach, &Setting)| reach != Reach::Nobody && is_meant(setting);
        let all = named.iter().copied().enumerate();
        all.filter(|(at, found)| is_found(*found) && !is_taken_back(*at, *found))
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
