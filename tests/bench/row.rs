//! A row of the table of `docs/reference/performance.md`, which `scripts/bench-table.py` writes.

/// What a figure should be.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// Prints a row. `unit` has the space before it.
pub(crate) fn row(what: &str, measured: f64, unit: &str, target: Target) {
    let target = match target {
        Target::AtLeast(bound) => format!("at least\t{bound}"),
        Target::AtMost(bound) => format!("at most\t{bound}"),
    };
    println!("row\tlogin\t{what}\t{measured}\t{unit}\t{target}");
}
