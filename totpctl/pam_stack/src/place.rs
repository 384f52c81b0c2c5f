//! The position of a line in a stack.

use std::fmt;

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
