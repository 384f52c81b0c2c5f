//! Pages as SVG: in one file, or in a page of HTML that breaks between them.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::drawing::{Drawing, HEIGHT, WIDTH};

/// Returns one SVG with all pages, one below the other.
pub(super) fn stack(pages: &[Drawing]) -> Zeroizing<Vec<u8>> {
    let height = HEIGHT * f32::from(u16::try_from(pages.len()).unwrap_or(u16::MAX));
    let mut text = Zeroizing::new(String::with_capacity(room(pages)));
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}mm\" height=\"{height}mm\" \
         viewBox=\"0 0 {WIDTH} {height}\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
    );
    for (number, page) in (0_u16..).zip(pages) {
        let _ = write!(text, "<g transform=\"translate(0 {})\">", HEIGHT * f32::from(number));
        draw(&mut text, page);
        text.push_str("</g>");
    }
    text.push_str("</svg>\n");
    Zeroizing::new(text.as_bytes().to_vec())
}

/// Returns an HTML page that prints one sheet for each user.
pub(super) fn html(pages: &[Drawing]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(String::with_capacity(room(pages)));
    text.push_str(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Second factors</title>\
         <style>@page{size:A4;margin:0}body{margin:0}svg{display:block;break-after:page}</style>\n",
    );
    for page in pages {
        let _ = write!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}mm\" height=\"{HEIGHT}mm\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\">"
        );
        draw(&mut text, page);
        text.push_str("</svg>\n");
    }
    text.push_str("</html>\n");
    Zeroizing::new(text.as_bytes().to_vec())
}

fn draw(to: &mut String, page: &Drawing) {
    for line in &page.lines {
        let _ = write!(
            to,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" font-family=\"monospace\" \
             xml:space=\"preserve\">{}</text>",
            line.x,
            line.y,
            line.size,
            escape(&line.words).as_str()
        );
    }
    to.push_str("<path shape-rendering=\"crispEdges\" d=\"");
    for (x, y) in &page.squares {
        let side = page.side;
        let _ = write!(to, "M{x:.3} {y:.3}h{side:.3}v{side:.3}h-{side:.3}z");
    }
    to.push_str("\"/>");
}

fn escape(text: &str) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(text.len() * 6));
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns a capacity that the text never exceeds: a growing buffer would leave copies.
fn room(pages: &[Drawing]) -> usize {
    pages.iter().map(|page| page.squares.len() * 60 + 16 * 1024).sum::<usize>() + 1024
}
