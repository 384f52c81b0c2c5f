//! The table of `docs/reference/performance.md` that this benchmark writes.

use std::fmt::Write as _;
use std::path::Path;

/// Rows, in the order of the page.
#[derive(Default)]
pub(crate) struct Table(String);

impl Table {
    /// Adds a figure that should be `bound` at most. If `at_least` is set, it should be `bound` at
    /// least.
    pub(crate) fn row(
        &mut self,
        what: &str,
        measured: f64,
        bound: f64,
        at_least: bool,
        unit: &str,
    ) {
        let met = if at_least { measured >= bound } else { measured <= bound };
        let (word, measured) = match (met, number(measured)) {
            (true, measured) => ("met", measured),
            (false, measured) => ("**not met**", format!("**{measured}**")),
        };
        let relation = if at_least { "at least" } else { "at most" };
        let bound = number(bound);
        println!("{what}: {measured}{unit} ({relation} {bound}{unit}) {word}");
        let _ = writeln!(
            self.0,
            "| {what} | {measured}{unit} | {relation} {bound}{unit} | {word} | login |"
        );
    }

    /// Puts the rows between the marks of the page. Rows of other benchmarks stay, below them.
    pub(crate) fn write(&self) {
        const START: &str = "<!-- made by make bench -->\n";
        const END: &str = "<!-- end -->";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/performance.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(START).expect("the mark of the table");
        let (old, after) = rest.split_once(END).expect("the end of the table");
        let head = "| what | measured | target | | by |\n|---|---|---|---|---|\n";
        let others: String = old
            .lines()
            .skip(2)
            .filter(|row| !row.ends_with("| login |"))
            .map(|row| format!("{row}\n"))
            .collect();
        std::fs::write(path, format!("{before}{START}{head}{}{others}{END}{after}", self.0))
            .unwrap();
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{}", (value * 100.0).round() / 100.0)
    }
}
