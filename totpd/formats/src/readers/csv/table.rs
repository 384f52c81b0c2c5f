//! Rows of cells, divided by commas, semicolons or tabs, with or without quotes (RFC 4180).

/// A table in a text.
pub(crate) struct Table<'a> {
    text: &'a str,
    separator: char,
}

/// A row that is not blank.
pub(crate) struct Row {
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
    /// False if the text ends in the row.
    pub(crate) is_whole: bool,
}

impl<'a> Table<'a> {
    /// Returns the table. The first line tells what divides cells.
    pub(crate) fn of(text: &'a str) -> Self {
        let first = text.lines().find(|line| is_row(line)).unwrap_or_default();
        let count = |separator: &char| first.matches(*separator).count();
        let separator = [',', ';', '\t', '|'].into_iter().rev().max_by_key(count).unwrap_or(',');
        Self { text, separator }
    }

    /// Returns the rows.
    pub(crate) fn rows(&self) -> Rows<'a> {
        Rows { rest: self.text, separator: self.separator, line: 1 }
    }
}

/// The rows of a table.
pub(crate) struct Rows<'a> {
    rest: &'a str,
    separator: char,
    line: u64,
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let line = self.rest.split_inclusive('\n').next()?;
            if is_row(line) {
                return Some(self.row());
            }
            self.line += 1;
            self.rest = self.rest.get(line.len()..).unwrap_or_default();
        }
    }
}

impl Rows<'_> {
    fn row(&mut self) -> Row {
        let (first, mut cells, mut cell) = (self.line, Vec::new(), String::new());
        let (mut is_quoted, mut is_whole) = (false, false);
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' if is_quoted && chars.next_if(|(_, next)| *next == '"').is_some() => {
                    cell.push('"')
                }
                '"' if is_quoted => is_quoted = false,
                '"' if cell.trim().is_empty() => {
                    cell.clear();
                    is_quoted = true;
                }
                '\n' if !is_quoted => {
                    (is_whole, end) = (true, index + 1);
                    self.line += 1;
                    break;
                }
                c if c == self.separator && !is_quoted => {
                    let whole = std::mem::take(&mut cell).trim().to_owned();
                    if cells.len() < MAX_CELLS {
                        cells.push(whole);
                    }
                }
                c => {
                    self.line += u64::from(c == '\n');
                    if cell.len() < MAX_CELL_BYTES {
                        cell.push(c);
                    }
                }
            }
        }
        cells.push(cell.trim().to_owned());
        self.rest = self.rest.get(end..).unwrap_or_default();
        Row { line: first, cells, is_whole }
    }
}

/// Reports whether a line has more than blanks, and is no comment.
fn is_row(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// More than any list has. What is behind them says nothing.
const MAX_CELLS: usize = 64;
/// More than the longest seed has, so that a cut one is too long too.
const MAX_CELL_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>, bool)> {
        Table::of(text).rows().map(|row| (row.line, row.cells, row.is_whole)).collect()
    }

    #[test]
    fn cells_are_divided_by_what_divides_the_first_row() {
        for separator in [',', ';', '\t', '|'] {
            let text = format!(
                "a{separator} b {separator}c\r\n\r\n# x\r\n\"d{separator}\"\"e\" {separator}f"
            );
            let found = rows(&text);
            assert_eq!(found[0], (1, vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], true));
            let quoted = format!("d{separator}\"e");
            assert_eq!(found[1], (4, vec![quoted, "f".to_owned()], false));
        }
    }

    #[test]
    fn a_quoted_cell_may_have_line_ends() {
        let found = rows("a,\"b\nc\"\nd,e\n\"f");
        assert_eq!(found[0], (1, vec!["a".to_owned(), "b\nc".to_owned()], true));
        assert_eq!(found[1].0, 3);
        assert_eq!(found[2], (4, vec!["f".to_owned()], false));
    }
}
