//! The files of PAM at one moment. Each is read once, however many services include it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use super::files;

/// The files and modules that were looked up so far.
#[derive(Default)]
pub(crate) struct Snapshot {
    texts: RefCell<HashMap<String, Option<Result<String, String>>>>,
    modules: RefCell<HashMap<String, bool>>,
}

impl Snapshot {
    /// Returns the text of a file of PAM, if it can be read.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        let mut texts = self.texts.borrow_mut();
        let text = texts.entry(name.to_owned()).or_insert_with(|| files::read_or_reason(name));
        text.as_ref()?.as_ref().ok().cloned()
    }

    /// Reports whether a file of PAM exists, even if it cannot be read.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.read(name).is_some() || self.texts.borrow().get(name).is_some_and(Option::is_some)
    }

    /// Returns the names of the files that exist but could not be read so far, with the reasons.
    pub(crate) fn unreadable(&self) -> BTreeMap<String, String> {
        let texts = self.texts.borrow();
        let reason = |(name, text): (&String, &Option<Result<String, String>>)| match text {
            Some(Err(reason)) => Some((name.clone(), reason.clone())),
            _ => None,
        };
        texts.iter().filter_map(reason).collect()
    }

    /// Reports whether libpam finds a module.
    pub(crate) fn is_installed(&self, module: &str) -> bool {
        if let Some(known) = self.modules.borrow().get(module) {
            return *known;
        }
        let is_installed = files::is_installed(module);
        self.modules.borrow_mut().insert(module.to_owned(), is_installed);
        is_installed
    }
}
