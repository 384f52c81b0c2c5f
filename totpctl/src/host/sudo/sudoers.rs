//! The rules of sudo that decide who gives a password, and whose (sudoers(5)). Pure.

mod alias_line;
mod aliases;
mod callers;
mod exemption;
mod hosts;
mod in_force;
mod line_part;
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

use self::alias_line::AliasKind;
use self::aliases::Aliases;
pub(crate) use self::callers::Callers;
pub(crate) use self::lines::Place;
use self::lines::{Include, Line, logical_lines};
pub(crate) use self::permissions::{Ignored, Owner, Permissions};
use self::rules::{Grant, Rule, rule};
pub(crate) use self::setting::{Reach, Scope, Setting};

/// What the files of sudoers say about passwords.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sudoers {
    /// The users of each line of rules, with what they may run on a list of hosts, in order.
    grants: Vec<(Vec<String>, Grant, Place)>,
    /// The settings, in order.
    pub(crate) settings: Vec<Setting>,
    /// The lines that cannot be read, with the reason.
    pub(crate) faults: Vec<(Place, String)>,
    /// The files and folders that sudo ignores.
    pub(crate) ignored: Vec<Ignored>,
    aliases: Aliases,
    /// The other lines.
    lines: BTreeMap<Place, String>,
    /// The number of files that were read.
    file_count: usize,
    /// The names of this host, each with its domain if it is known. sudo goes by one of them.
    hosts: Vec<String>,
    /// The accounts of this host; none if they are not known.
    callers: Callers,
}

/// The files, as the caller reads them.
pub(crate) struct Files<'a> {
    /// Returns why sudo ignores a file or folder, if it does.
    pub(crate) refusal: &'a dyn Fn(&str) -> Option<String>,
    /// Returns the text of a file.
    pub(crate) read: &'a dyn Fn(&str) -> Result<String, String>,
    /// Returns the names in a folder. What is not UTF-8 is replaced.
    pub(crate) list: &'a dyn Fn(&str) -> Vec<String>,
    /// The lines that visudo calls wrong, with its words. They may be parts of a longer line.
    pub(crate) rejected: &'a [(Place, String)],
    /// The name of this host (`%h` in the name of an included file).
    pub(crate) host: &'a str,
}

impl Sudoers {
    /// Reads a file and all that it includes.
    pub(crate) fn read(path: &str, files: &Files<'_>) -> Self {
        let mut sudoers = Self { hosts: vec![files.host.to_owned()], ..Self::default() };
        sudoers.file(path, files, None, 0);
        sudoers
    }

    /// Adds another name, by which sudo may go on this host.
    pub(super) fn with_other_name(mut self, name: Option<String>) -> Self {
        self.hosts.extend(name);
        self
    }

    /// Adds the accounts of this host.
    pub(crate) fn with_callers(self, callers: Callers) -> Self {
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
            self.faults.push((
                place,
                format!("too many files of sudoers include each other, here {path}"),
            ));
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
        for Line { number, last, text, is_indented } in logical_lines(&text) {
            let is_here = |(file, at): &Place| file == path && (number..=last).contains(at);
            let rejected = files.rejected.iter().find(|(place, _)| is_here(place));
            let rejection = rejected.map(|(_, words)| words.as_str());
            let place = (path.to_owned(), number);
            let Some((include, has_more)) = lines::include(&text, path, files.host) else {
                self.line(&text, place, rejection);
                continue;
            };
            if is_indented && text.starts_with('#') {
                let reason = "versions of sudo differ on a blank before #include";
                self.faults.push((place, reason.to_owned()));
                continue;
            }
            if has_more && rejection.is_none() {
                self.faults.push((place.clone(), "more than one name is included".to_owned()));
            }
            match include {
                Include::File(name) => self.file(&name, files, Some(&place), depth + 1),
                Include::Folder(name) if self.ignores(&name, files, false) => {}
                Include::Folder(name) => self.folder(&name, files, &place, depth + 1),
            }
        }
    }

    /// Reads the files of a folder, which the line at `place` includes.
    fn folder(&mut self, folder: &str, files: &Files<'_>, place: &Place, depth: u8) {
        for name in lines::included_names(&(files.list)(folder)) {
            let path = format!("{folder}/{name}");
            match name.contains(char::REPLACEMENT_CHARACTER) {
                true => {
                    self.faults.push((place.clone(), format!("the name of {path} is not UTF-8")));
                }
                false => self.file(&path, files, Some(place), depth),
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
            // visudo tells it.
            (Err(_), Some(_)) => return,
            (rule, None) => rule,
        };
        match rule {
            Ok(Rule::Aliases(..)) => {}
            _ => drop(self.lines.insert(place.clone(), text.to_owned())),
        }
        match rule {
            Ok(Rule::Aliases(kind, aliases)) => self.aliases.add(text, kind, aliases),
            Ok(Rule::Grants(users, ..)) if users.is_empty() => {}
            Ok(Rule::Grants(users, grants, fault)) => {
                let fault = fault.filter(|_| rejection.is_none());
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
    pub(crate) fn ignores_file(&self, file: &str) -> bool {
        let is_at = |ignored: &Ignored| Path::new(file).starts_with(&ignored.path);
        self.ignored.iter().any(is_at)
    }

    /// Returns the users and groups of a list, with aliases replaced by their members.
    pub(crate) fn members(&self, users: &[String]) -> Vec<String> {
        self.aliases.expand(AliasKind::User, users)
    }

    /// Returns the lines of the aliases that a line names, also through other aliases. Returns
    /// nothing if it names none.
    pub(crate) fn aliases_at(&self, place: &Place) -> Option<String> {
        self.aliases.lines_named_by(self.lines.get(place)?)
    }
}

/// sudo stops there too.
const MAX_DEPTH: u8 = 128;
const MAX_FILES: usize = 1024;
