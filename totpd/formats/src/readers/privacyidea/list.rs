//! The list: `login@realm, serial, seed, type, digits` and the period of TOTP, without names.
//!
//! It has no counters.

use crate::readers::csv::table::Table;
use crate::readers::json::MAX_ITEMS;
use crate::readers::privacyidea::token::Token;
use crate::readers::text;
use crate::reading::Refusal;

/// Returns the tokens of a list.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    text::check_lines(text)?;
    let mut tokens = Vec::new();
    for row in Table::of(text).rows().take(MAX_ITEMS + 1) {
        let mut token = Token::default();
        let cell = |index: usize| {
            let cell = row.cells.get(index).filter(|cell| !matches!(cell.as_str(), "None" | ""));
            cell.cloned()
        };
        if row.cells.len() < 5 {
            return Err(Refusal::Syntax(format!("line {} has fewer than five columns", row.line)));
        }
        for (index, name) in ["owner", "serial", "otpkey", "type", "otplen"].iter().enumerate() {
            token.set(None, name, cell(index));
        }
        token.set(Some("info_list"), "timeStep", cell(5));
        tokens.push(token);
    }
    Ok(tokens)
}
