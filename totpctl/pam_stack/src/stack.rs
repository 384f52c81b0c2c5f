//! The stack of a service: the lines of its file, with the included lines inserted.

use std::fmt;

use crate::ambiguous_lines::{AmbiguousLine, INCLUDED_TOO_DEEP, ambiguous_line};
use crate::control::{Control, JUMP_OVERFLOW};
use crate::factor::FACTOR_MODULE;
use crate::parse::{Directive, Kind, Line, parse_lines_of};
use crate::root_program::runs_as_root;

/// The position of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file, as the stack names it.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The content of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RuleKind {
    /// Calls a module.
    Module {
        /// The file of the module.
        path: String,
        /// Its options.
        args: Vec<String>,
    },
    /// Fails, for this reason.
    MustFail(&'static str),
    /// Fails, because the included file cannot be read. The text names the file and the reason.
    FailedInclude(String),
    /// Begins a substack: the rules that follow have a higher level.
    Substack,
}

/// A line of a stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its position.
    pub place: Place,
    /// The number of substacks around it.
    pub level: u8,
    /// Its content.
    pub kind: RuleKind,
    /// The effect of each result.
    pub control: Control,
    /// The control word, or the text in brackets, as it was written.
    pub word: String,
    /// True if the program of the service runs as root for every user.
    pub runs_as_root: bool,
}

impl Rule {
    /// Returns why its file cannot be included, if so.
    #[must_use]
    pub fn failed_include(&self) -> Option<&str> {
        match &self.kind {
            RuleKind::FailedInclude(reason) => Some(reason),
            _ => None,
        }
    }

    /// Reports whether it is a line of the second factor.
    #[must_use]
    pub fn is_factor(&self) -> bool {
        self.module() == FACTOR_MODULE
    }

    /// Returns the name of its module without folder and `.so`; empty if it has none.
    #[must_use]
    pub fn module(&self) -> &str {
        match &self.kind {
            RuleKind::Module { path, .. } => {
                let name = path.rsplit('/').next().unwrap_or_default();
                // A person sees no carriage return, and means this module.
                let name = name.trim_end_matches('\r');
                name.strip_suffix(".so").unwrap_or(name)
            }
            _ => "",
        }
    }
}

/// The lines that libpam runs for a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stack {
    /// These rules, in this order.
    Rules(Vec<Rule>),
    /// Nothing, because a file cannot be read. The text names the file and the reason.
    Unreadable(String),
    /// A file includes itself. libpam recurses without end, and may crash its program.
    IncludeCycle(Place),
    /// The stack has more lines, or includes more files, than this crate reads.
    TooLong(Place),
    /// Versions of libpam read a line differently, for this reason.
    Ambiguous(Place, &'static str),
}

/// The reason why a file cannot be loaded.
enum LoadError {
    IncludeCycle(Place),
    TooLong(Place),
    Ambiguous(Place, &'static str),
    Unreadable(String),
}

impl Stack {
    /// Parses the stack of `service` under `kind`. `read` returns the text of a file in
    /// `/etc/pam.d`, or of a file with an absolute path, if it exists.
    #[must_use]
    pub fn parse(service: &str, kind: Kind, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let own = Self::in_file(service, service, kind, read);
        match own {
            Ok(rules) if !rules.is_empty() => Self::Rules(rules),
            // A service without rules gets those of "other".
            Ok(_) => match Self::in_file(OTHER, service, kind, read) {
                Ok(rules) => Self::Rules(rules),
                Err(error) => error.into(),
            },
            Err(error) => error.into(),
        }
    }

    fn in_file(
        name: &str,
        service: &str,
        kind: Kind,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<Rule>, LoadError> {
        let Some(text) = read(name) else { return Ok(Vec::new()) };
        let runs_as_root = runs_as_root(service);
        let rules = Vec::new();
        let mut loading =
            Loading { kind, read, runs_as_root, rules, file_count: 0, too_deep: None };
        loading.text(name, &text, None, 0, 0)?;
        match loading.too_deep {
            Some(place) => Err(LoadError::Ambiguous(place, INCLUDED_TOO_DEEP)),
            None => Ok(loading.rules),
        }
    }
}

struct Loading<'a> {
    kind: Kind,
    read: &'a dyn Fn(&str) -> Option<String>,
    runs_as_root: bool,
    rules: Vec<Rule>,
    /// The number of files that were included.
    file_count: usize,
    /// The first line that includes a file deeper than all versions of libpam read.
    too_deep: Option<Place>,
}

impl Loading<'_> {
    /// Adds the lines of a file: of one kind (`only`), or of all.
    fn text(
        &mut self,
        file: &str,
        text: &str,
        only: Option<Kind>,
        level: u8,
        depth: u8,
    ) -> Result<(), LoadError> {
        if let Some(AmbiguousLine { number, reason }) = ambiguous_line(text) {
            let place = Place { file: file.to_owned(), line: number };
            return Err(LoadError::Ambiguous(place, reason));
        }
        let lines = parse_lines_of(text, self.kind)
            .ok_or_else(|| LoadError::Unreadable(format!("{file}: the last line is unfinished")))?;
        for line in lines {
            self.line(file, line, only, level, depth)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        file: &str,
        line: Line,
        only: Option<Kind>,
        level: u8,
        depth: u8,
    ) -> Result<(), LoadError> {
        let place = Place { file: file.to_owned(), line: line.number };
        self.check_size(&line, &place)?;
        let is_wanted = |kind: Kind| kind == self.kind && only.is_none_or(|only| only == kind);
        let at = Position { place, level, depth, runs_as_root: self.runs_as_root };
        match line.directive {
            Directive::IncludeAll(name) => self.include_all(&at, &name, only),
            Directive::Include { kind, file: name, substack } if is_wanted(kind) => {
                self.include(&at, &name, kind, substack)
            }
            Directive::Module { kind, control, word, path, args } if is_wanted(kind) => {
                if control.fault == Some(JUMP_OVERFLOW) {
                    return Err(LoadError::Ambiguous(at.place, JUMP_OVERFLOW));
                }
                self.rules.push(at.rule(RuleKind::Module { path, args }, control, &word));
                Ok(())
            }
            Directive::Malformed { kind, control, reason } if kind.is_none_or(&is_wanted) => {
                self.rules.push(at.rule(RuleKind::MustFail(reason), control, ""));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Checks that the stack does not grow without end. A few files that include each other twice
    /// become more lines than any machine can hold.
    fn check_size(&mut self, line: &Line, place: &Place) -> Result<(), LoadError> {
        if matches!(line.directive, Directive::Include { .. } | Directive::IncludeAll(_)) {
            self.file_count += 1;
        }
        if self.file_count > MAX_FILES || self.rules.len() >= MAX_LINES {
            return Err(LoadError::TooLong(place.clone()));
        }
        Ok(())
    }

    /// Adds the lines of an `@include`, which belongs to the file that has it.
    fn include_all(
        &mut self,
        at: &Position,
        name: &str,
        only: Option<Kind>,
    ) -> Result<(), LoadError> {
        let Some(text) = (self.read)(name) else {
            let reason = format!("{}: cannot include {name}: no such file", at.place);
            return Err(LoadError::Unreadable(reason));
        };
        self.check_depth(at)?;
        self.text(name, &text, only, at.level, at.depth + 1)
    }

    /// Adds the lines of an `include` or a `substack`. One that cannot be read is a rule that
    /// fails.
    fn include(
        &mut self,
        at: &Position,
        name: &str,
        kind: Kind,
        substack: bool,
    ) -> Result<(), LoadError> {
        if substack {
            self.rules.push(at.rule(RuleKind::Substack, Control::bad(), "substack"));
        }
        match self.included(at, name, kind, at.level + u8::from(substack)) {
            // libpam keeps the lines that it read before the failure.
            Err(LoadError::Unreadable(reason)) => {
                let kind = RuleKind::FailedInclude(reason);
                self.rules.push(at.rule(kind, Control::bad(), "include"));
                Ok(())
            }
            loaded => loaded,
        }
    }

    fn included(
        &mut self,
        at: &Position,
        name: &str,
        kind: Kind,
        level: u8,
    ) -> Result<(), LoadError> {
        // There all versions of libpam stop.
        if level < MAX_SUBSTACK_DEPTH {
            self.check_depth(at)?;
        }
        let reason = match (self.read)(name) {
            Some(text) if level < MAX_SUBSTACK_DEPTH => {
                return self.text(name, &text, Some(kind), level, at.depth + 1);
            }
            Some(_) => format!("{name}: too many substacks"),
            None if name.is_empty() => "the line names no file to include".to_owned(),
            None => format!("cannot include {name}: no such file"),
        };
        Err(LoadError::Unreadable(reason))
    }

    /// Checks the depth of a line that includes a file.
    fn check_depth(&mut self, at: &Position) -> Result<(), LoadError> {
        if at.depth >= MAX_INCLUDE_DEPTH {
            return Err(LoadError::IncludeCycle(at.place.clone()));
        }
        if at.depth + 1 >= MAX_COMMON_DEPTH && self.too_deep.is_none() {
            self.too_deep = Some(at.place.clone());
        }
        Ok(())
    }
}

/// Where a line stands.
struct Position {
    place: Place,
    /// The number of substacks around it.
    level: u8,
    /// The number of files that include each other down to it.
    depth: u8,
    runs_as_root: bool,
}

impl Position {
    fn rule(&self, kind: RuleKind, control: Control, word: &str) -> Rule {
        Rule {
            place: self.place.clone(),
            level: self.level,
            kind,
            control,
            word: word.to_owned(),
            runs_as_root: self.runs_as_root,
        }
    }
}

impl From<LoadError> for Stack {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::IncludeCycle(place) => Self::IncludeCycle(place),
            LoadError::TooLong(place) => Self::TooLong(place),
            LoadError::Ambiguous(place, reason) => Self::Ambiguous(place, reason),
            LoadError::Unreadable(reason) => Self::Unreadable(reason),
        }
    }
}

/// The service whose rules apply to services that have none.
pub(crate) const OTHER: &str = "other";
/// The limit of nested includes. No real configuration has as many.
const MAX_INCLUDE_DEPTH: u8 = 64;
/// The depth from which newer versions of libpam read no file. Earlier ones, as of Debian 12, do.
const MAX_COMMON_DEPTH: u8 = 16;
/// The files of one stack, counted each time that they are included.
const MAX_FILES: usize = 4096;
/// The lines of one stack.
const MAX_LINES: usize = 100_000;
/// Nested substacks; libpam stops there.
const MAX_SUBSTACK_DEPTH: u8 = 16;

#[cfg(test)]
mod tests;
