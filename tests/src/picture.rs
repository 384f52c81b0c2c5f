//! QR codes as a scanner sees them: zbarimg reads what a program drew.

use std::fmt::Write as _;
use std::process::{Command, id};
use std::thread;

/// Returns a text without the escape sequences that set colors.
pub fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Returns the text of the code in half blocks. A line of text is two rows of dots.
pub fn of_half_blocks(lines: &[&str]) -> String {
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for line in lines {
        for light in [['█', '▀'], ['█', '▄']] {
            rows.push(line.chars().map(|c| light.contains(&c)).collect());
        }
    }
    of_dots(&rows)
}

/// Returns the text of the code in rows of dots. A dot is light if it is true. If `rows` differ,
/// the missing dots of a row are light too.
pub fn of_dots(rows: &[Vec<bool>]) -> String {
    let width = rows.iter().map(Vec::len).max().unwrap();
    let mut picture = format!("P2\n{} {}\n255\n", width * 4, rows.len() * 4);
    for row in rows {
        let shade = |x| if row.get(x) == Some(&true) { "255 255 255 255 " } else { "0 0 0 0 " };
        let line: String = (0..width).map(shade).collect();
        for _ in 0..4 {
            let _ = writeln!(picture, "{line}");
        }
    }
    let name = format!("dots-{}-{width}-{:?}.pgm", id(), thread::current().id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, picture).unwrap();
    let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    String::from_utf8(read.stdout).unwrap().trim().to_owned()
}
