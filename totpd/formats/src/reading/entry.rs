//! One entry of a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reading::imported_factor::ImportedFactor;
use crate::reading::reason::Reason;

/// One entry of a file, with the factor that it describes, or the reason why it was left.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// The place of the entry.
    pub place: Place,
    /// The user that the file names as the owner, if it names one. It is hostile text.
    pub owner: Option<String>,
    /// The account, the serial number or the name of the entry; may be empty. It is hostile text.
    pub label: String,
    /// The issuer; may be empty. It is hostile text.
    pub issuer: String,
    /// The factor, or why there is none.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The factor that the entry describes.
    Factor(Box<ImportedFactor>),
    /// The reason why the entry was left.
    Left(Reason),
}

/// The place of an entry in its file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The whole file.
    File,
    /// A line, counted from 1.
    Line(u64),
    /// An entry, counted from 1.
    Entry(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
}
