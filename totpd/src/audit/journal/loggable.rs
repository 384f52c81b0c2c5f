//! Texts of programs in the form for the journal.

use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};

/// Returns the text of a program in the form for the journal. The text may be megabytes.
pub(super) fn loggable(text: &str) -> String {
    escape_within(text, MAX_NAME_CHARS).into_owned()
}
