//! The list of a vendor of tokens: a token a line, and perhaps a line of names above.
//!
//! There is no format that all vendors share. The names tell the columns. Without names the first
//! column is the serial number and the second the seed; what follows is told apart by its values.

use crate::readers::csv::columns::Columns;
use crate::readers::csv::table::Table;
use crate::readers::draft::Draft;
use crate::readers::seed_text::Column;
use crate::readers::text;
use crate::reading::{Change, Entry, Outcome, Place, Reason, Refusal, Rules};

mod columns;
pub(super) mod table;

/// Reads all rows.
pub(super) fn read(
    bytes: &[u8],
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    text::check_lines(text.as_str())?;
    let table = Table::of(text.as_str());
    let first = table.rows().next().ok_or(Refusal::Empty)?;
    let named = Columns::named(&first.cells);
    let columns = named.clone().unwrap_or_default();
    if columns.seed().is_none() {
        return Err(Refusal::Syntax("no column is named for the seed".to_owned()));
    }
    let skipped = usize::from(named.is_some());
    let mut form = Column::default();
    for row in table.rows().skip(skipped) {
        if let Some(seed) = columns.seed_of(&row.cells) {
            form.observe(&compact(seed));
        }
    }
    for row in table.rows().skip(skipped) {
        let is_whole = row.is_whole;
        let place = Place::Line(row.line);
        let mut entry = draft(&row.cells, &columns, form, rules).into_entry(place);
        if let (Outcome::Factor(factor), false) = (&mut entry.outcome, is_whole) {
            factor.changes.push(Change::MayBeCut);
        }
        sink(entry);
    }
    Ok(())
}

fn draft(cells: &[String], columns: &Columns, form: Column, rules: &Rules) -> Draft {
    let row = columns.row(cells);
    let seed = match row.seed.map(compact) {
        Some(text) if !text.is_empty() => form.decode(&text),
        _ => Err(Reason::NoSeed),
    };
    let is_hotp = row.kind.is_none() && row.counter.is_some() && row.period.is_none();
    let mut draft = Draft::new(row.kind.unwrap_or(if is_hotp { "hotp" } else { "totp" }), seed);
    let text = |cell: Option<&str>| cell.map(ToOwned::to_owned);
    draft.owner = text(row.owner);
    draft.label = row.serial.unwrap_or_default().to_owned();
    draft.issuer = row.issuer.unwrap_or_default().to_owned();
    draft.algorithm = text(row.algorithm);
    draft.digits = text(row.digits);
    draft.period = text(row.period);
    draft.counter = text(row.counter);
    let kind = draft.kind.trim().to_ascii_lowercase();
    if kind == "totp" {
        draft.changes.push(Change::UsedCodesUnknown);
        if row.period.is_none() {
            let period = rules.period.unwrap_or(30).to_string();
            let is = format!("{period} seconds");
            draft.changes.push(Change::Assumed { value: "period".to_owned(), is });
            draft.period = Some(period);
        }
    }
    if kind == "hotp" && row.counter.is_none() {
        // A list comes with new tokens.
        draft.counter = Some("0".to_owned());
        let (value, is) = ("counter".to_owned(), "0".to_owned());
        draft.changes.push(Change::Assumed { value, is });
    }
    draft
}

/// Returns a seed without what divides its groups.
fn compact(text: &str) -> String {
    let text = text.strip_prefix("0x").unwrap_or(text);
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':')).collect()
}

#[cfg(test)]
mod tests;
