//! Pages as PDF.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};
use zeroize::Zeroizing;

use super::drawing::{Drawing, HEIGHT, WIDTH};

/// Returns a document with all pages.
pub(super) fn document(pages: &[Drawing]) -> Zeroizing<Vec<u8>> {
    let mut pdf = Pdf::new();
    let (catalog, tree, font) = (Ref::new(1), Ref::new(2), Ref::new(3));
    let number = |index: usize| i32::try_from(index).unwrap_or(i32::MAX / 4);
    let page_of = |index: usize| Ref::new(4 + 2 * number(index));
    let content_of = |index: usize| Ref::new(5 + 2 * number(index));
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((0..pages.len()).map(page_of)).count(number(pages.len()));
    // Every reader has this font.
    pdf.type1_font(font).base_font(Name(b"Courier"));
    for (index, drawing) in pages.iter().enumerate() {
        let mut page = pdf.page(page_of(index));
        page.media_box(Rect::new(0.0, 0.0, points(WIDTH), points(HEIGHT)));
        page.parent(tree).contents(content_of(index));
        page.resources().fonts().pair(FONT, font);
        page.finish();
        pdf.stream(content_of(index), &content(drawing));
    }
    Zeroizing::new(pdf.finish())
}

fn content(drawing: &Drawing) -> Zeroizing<Vec<u8>> {
    let mut content = Content::new();
    for line in &drawing.lines {
        content.begin_text();
        content.set_font(FONT, points(line.size));
        content.next_line(points(line.x), points(HEIGHT - line.y));
        content.show(Str(&latin(&line.words)));
        content.end_text();
    }
    for (x, y) in &drawing.squares {
        let side = points(drawing.side);
        content.rect(points(*x), points(HEIGHT - y) - side, side, side);
    }
    content.fill_nonzero();
    Zeroizing::new(content.finish().into_vec())
}

/// Replaces letters that the font does not have by `?`. The QR code is complete.
fn latin(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect())
}

fn points(millimeters: f32) -> f32 {
    millimeters * 72.0 / 25.4
}

const FONT: Name<'_> = Name(b"F1");
