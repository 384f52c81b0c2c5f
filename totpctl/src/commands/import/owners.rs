//! Whose an entry is: by the owner of its file, by its name, by a mapping, or by choosing. Never by
//! a guess.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use nix::unistd::{Uid, User};
use totpd_formats::reading::{Entry, ImportedFactor, Outcome};

use crate::commands::import::report::Report;
use crate::commands::import::source::Source;
use crate::error::Error;

/// What says whose an entry is.
pub(super) enum Matching {
    /// All entries are of this user.
    User(String),
    /// The users by the names of entries.
    Map(BTreeMap<String, String>),
    /// The names of the users in the file.
    Names,
}

/// The factors of a user, in the order of the files.
pub(super) struct Assigned {
    pub(super) user: String,
    pub(super) factors: Vec<ImportedFactor>,
}

/// A person who chooses.
pub(super) trait Chooser {
    /// Asks whose an entry is, of which nothing says it. Returns `None` if it is to be left.
    fn user_of(&mut self, source: &Source, entry: &Entry) -> Result<Option<String>, Error>;

    /// Asks whether an entry is of this user, if there are several.
    fn is_of(&mut self, user: &str, source: &Source, entry: &Entry) -> Result<bool, Error>;
}

/// The accounts of this host, each looked up once.
#[derive(Default)]
pub(super) struct Accounts {
    by_name: RefCell<HashMap<String, Option<(String, u32)>>>,
}

impl Accounts {
    /// Returns the name as NSS has it, and the uid.
    pub(super) fn find(&self, name: &str) -> Option<(String, u32)> {
        if let Some(known) = self.by_name.borrow().get(name) {
            return known.clone();
        }
        let found = User::from_name(name).ok().flatten();
        let found = found.map(|user| (user.name, user.uid.as_raw()));
        self.by_name.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    fn name_of(&self, uid: u32) -> Option<String> {
        User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
    }
}

/// Assigns the entries to users, and reports those that are left.
pub(super) fn assign(
    sources: Vec<Source>,
    matching: &Matching,
    accounts: &Accounts,
    chooser: &mut dyn Chooser,
    report: &mut Report,
) -> Result<Vec<Assigned>, Error> {
    let (mut assigned, mut places) = (Vec::<Assigned>::new(), HashMap::<String, usize>::new());
    for source in sources {
        let is_alone = source.entries.iter().filter(|entry| has_factor(entry)).count() == 1;
        for entry in &source.entries {
            let factor = match &entry.outcome {
                Outcome::Left(reason) => {
                    report.entry_left(&source, entry, &reason.to_string())?;
                    continue;
                }
                Outcome::Factor(factor) => factor,
            };
            let user = match user_of(&source, entry, is_alone, matching, accounts, chooser)? {
                Ok(user) => user,
                Err(reason) => {
                    report.entry_unmatched(&source, entry, &reason)?;
                    continue;
                }
            };
            report.entry_taken(&user, &source, entry, factor);
            let place = *places.entry(user.clone()).or_insert_with(|| {
                assigned.push(Assigned { user, factors: Vec::new() });
                assigned.len() - 1
            });
            if let Some(assigned) = assigned.get_mut(place) {
                assigned.factors.push((**factor).clone());
            }
        }
    }
    Ok(assigned)
}

fn has_factor(entry: &Entry) -> bool {
    matches!(entry.outcome, Outcome::Factor(_))
}

/// Returns the user of an entry, or why it is left.
fn user_of(
    source: &Source,
    entry: &Entry,
    is_alone: bool,
    matching: &Matching,
    accounts: &Accounts,
    chooser: &mut dyn Chooser,
) -> Result<Result<String, String>, Error> {
    let name = match matching {
        Matching::User(user) => match &entry.owner {
            Some(owner) if owner != user => {
                return Ok(Err(format!("it is of {owner:?}, not of {user}")));
            }
            None if !is_alone && !chooser.is_of(user, source, entry)? => {
                return Ok(Err("the file has several entries, and it was not chosen".into()));
            }
            _ => user.clone(),
        },
        Matching::Map(map) => match names(entry).find_map(|name| map.get(name)) {
            Some(user) => user.clone(),
            None => return Ok(Err("the mapping does not name it".into())),
        },
        Matching::Names => match &entry.owner {
            Some(owner) => owner.clone(),
            None if source.is_of_one_user => match accounts.name_of(source.owner) {
                Some(user) => user,
                None => return Ok(Err(format!("no user has uid {}", source.owner))),
            },
            None => match chooser.user_of(source, entry)? {
                Some(user) => user,
                None => return Ok(Err(NOBODY_NAMED.into())),
            },
        },
    };
    let Some((user, uid)) = accounts.find(&name) else {
        return Ok(Err(format!("there is no user {name:?} on this host")));
    };
    // What a user wrote says nothing about others.
    if source.owner != 0 && source.owner != uid {
        return Ok(Err(format!(
            "the file belongs to uid {}, and {user} is uid {uid}: a file of a user has factors of that user alone",
            source.owner
        )));
    }
    Ok(Ok(user))
}

/// Returns what a mapping may call an entry.
fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.owner.as_deref().into_iter().chain([entry.label.as_str()])
}

const NOBODY_NAMED: &str = "the file does not say whose it is; use --user or --map, or a terminal";

#[cfg(test)]
mod tests;
