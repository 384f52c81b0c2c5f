//! The stack of a service: the lines of its file, with those that it includes in their places.

use std::fmt;

use crate::control::Control;
use crate::parse::{Kind, Line, Says, lines};

/// Where a line stands.
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

/// What a rule does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// It asks a module.
    Module {
        /// The file of the module.
        path: String,
        /// Its options.
        args: Vec<String>,
    },
    /// It fails, because something is wrong with it.
    MustFail(&'static str),
    /// It begins a substack: the rules of a higher level that follow.
    Substack,
}

/// A line in its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// In how many substacks.
    pub level: u8,
    /// What it does.
    pub what: What,
    /// What its results do.
    pub control: Control,
    /// The control word, or what stands in brackets, as it was written.
    pub word: String,
}

impl Rule {
    /// The name of its module, without folder and ending; empty if it has none.
    #[must_use]
    pub fn module(&self) -> &str {
        match &self.what {
            What::Module { path, .. } => {
                let name = path.rsplit('/').next().unwrap_or_default();
                name.strip_suffix(".so").unwrap_or(name)
            }
            _ => "",
        }
    }
}

/// What libpam does for a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stack {
    /// It works these off.
    Rules(Vec<Rule>),
    /// It cannot start: the file, and what is wrong with it.
    Refused(String),
    /// A file leads to itself. libpam has no end there, and may take its program with it.
    Endless(Place),
}

/// Why a file is not read to its end.
enum Trouble {
    Endless(Place),
    Refused(String),
}

impl Stack {
    /// What is done under `kind` for `service`. `read` answers the text of a file of `/etc/pam.d`, or of
    /// one with a whole path; nothing where there is none.
    #[must_use]
    pub fn of(service: &str, kind: Kind, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let own = Self::in_file(service, kind, read);
        match own {
            Ok(rules) if !rules.is_empty() => Self::Rules(rules),
            // What a service does not have is that of "other".
            Ok(_) => match Self::in_file(OTHER, kind, read) {
                Ok(rules) => Self::Rules(rules),
                Err(trouble) => trouble.into(),
            },
            Err(trouble) => trouble.into(),
        }
    }

    fn in_file(
        name: &str,
        kind: Kind,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<Rule>, Trouble> {
        let Some(text) = read(name) else { return Ok(Vec::new()) };
        let mut loading = Loading { kind, read, rules: Vec::new() };
        loading.text(name, &text, None, 0, 0)?;
        Ok(loading.rules)
    }
}

struct Loading<'a> {
    kind: Kind,
    read: &'a dyn Fn(&str) -> Option<String>,
    rules: Vec<Rule>,
}

impl Loading<'_> {
    /// Takes in the lines of a file: of `only` one kind, or of all.
    fn text(
        &mut self,
        file: &str,
        text: &str,
        only: Option<Kind>,
        level: u8,
        depth: u8,
    ) -> Result<(), Trouble> {
        let lines = lines(text)
            .ok_or_else(|| Trouble::Refused(format!("{file} ends in a line that goes on")))?;
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
    ) -> Result<(), Trouble> {
        let place = Place { file: file.to_owned(), line: line.number };
        let wanted = |kind: Kind| kind == self.kind && only.is_none_or(|only| only == kind);
        let rule = |what, control, word: &str| Rule {
            place: place.clone(),
            level,
            what,
            control,
            word: word.to_owned(),
        };
        match line.says {
            Says::All(name) => {
                let text = (self.read)(&name);
                let text = text.ok_or_else(|| {
                    Trouble::Refused(format!("{place}: there is no {name} to include"))
                })?;
                endless(&place, depth)?;
                self.text(&name, &text, only, level, depth + 1)?;
            }
            Says::Include { kind, file: name, substack } if wanted(kind) => {
                if substack {
                    self.rules.push(rule(What::Substack, Control::bad(), "substack"));
                }
                endless(&place, depth)?;
                let inner = level + u8::from(substack);
                let text = (self.read)(&name).filter(|_| inner < MOST_SUBSTACKS);
                let loaded = match text {
                    Some(text) => self.text(&name, &text, Some(kind), inner, depth + 1),
                    None => Err(Trouble::Refused(String::new())),
                };
                if let Err(Trouble::Endless(place)) = loaded {
                    return Err(Trouble::Endless(place));
                }
                if loaded.is_err() {
                    // What was read of it stays before that.
                    let what = What::MustFail("what it includes cannot be read");
                    self.rules.push(rule(what, Control::bad(), "include"));
                }
            }
            Says::Module { kind, control, word, path, args } if wanted(kind) => {
                self.rules.push(rule(What::Module { path, args }, control, &word));
            }
            Says::Wrong { kind, control, why } if kind.is_none_or(&wanted) => {
                self.rules.push(rule(What::MustFail(why), control, ""));
            }
            _ => {}
        }
        Ok(())
    }
}

impl From<Trouble> for Stack {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Endless(place) => Self::Endless(place),
            Trouble::Refused(why) => Self::Refused(why),
        }
    }
}

fn endless(place: &Place, depth: u8) -> Result<(), Trouble> {
    if depth < MOST_DEEP { Ok(()) } else { Err(Trouble::Endless(place.clone())) }
}

/// Whose rules hold where a service has none.
const OTHER: &str = "other";
/// Files in files, more than anybody has.
const MOST_DEEP: u8 = 64;
/// Substacks in substacks, after which libpam gives up.
const MOST_SUBSTACKS: u8 = 16;
