//! The line of each setting in the files of the configuration, for errors about two settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

/// The file and the line, from 1, of each setting of the table `[throttle]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingLines(BTreeMap<String, (PathBuf, usize)>);

impl SettingLines {
    /// Finds the settings in the text of the file `path`, which is valid.
    pub(crate) fn find(path: &Path, text: &str) -> Self {
        let content: Content = toml::from_str(text).unwrap_or_default();
        let place = |offset| (path.to_path_buf(), line(text, offset));
        let keys = content.throttle.into_iter();
        Self(keys.map(|(key, value)| (key, place(value.span().start))).collect())
    }

    /// Returns the lines of `later`, and those of settings that `later` lacks.
    pub(crate) fn overridden_by(mut self, later: Self) -> Self {
        self.0.extend(later.0);
        self
    }

    /// Returns where these are set, as `FILE:LINE` joined by "and". A default has no line.
    pub(crate) fn of(&self, keys: [&str; 2]) -> String {
        let mut places: Vec<_> = keys.iter().filter_map(|key| self.0.get(*key)).collect();
        places.dedup();
        let places = places.iter().map(|(path, line)| format!("{}:{line}", path.display()));
        places.collect::<Vec<_>>().join(" and ")
    }
}

/// Returns the line of a byte in `text`, from 1.
pub(crate) fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}

/// The settings of one file. The values do not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    throttle: BTreeMap<String, Spanned<IgnoredAny>>,
}
