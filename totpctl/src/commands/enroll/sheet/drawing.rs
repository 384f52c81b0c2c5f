//! A page of a sheet, drawn.

use totpd_journal::escape::escape;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::host::local_time;
use crate::terminal::{base32, qr};

/// The content of a page.
pub(crate) struct Page<'a> {
    /// The user.
    pub(crate) user: &'a str,
    /// The link of the new factor.
    pub(crate) uri: &'a str,
    /// The recovery codes, if there are any.
    pub(crate) codes: &'a [String],
    /// The time when the pending factor expires, in seconds since 1970.
    pub(crate) expires: Option<u64>,
}

/// A drawn page. Units are millimeters from the upper left corner (A4).
pub(super) struct Drawing {
    pub(super) lines: Vec<Text>,
    pub(super) squares: Vec<(f32, f32)>,
    /// The side of a square, in millimeters.
    pub(super) side: f32,
}

pub(super) struct Text {
    pub(super) x: f32,
    pub(super) y: f32,
    /// Font size in millimeters.
    pub(super) size: f32,
    pub(super) words: Zeroizing<String>,
}

pub(super) fn draw(page: &Page<'_>) -> Result<Drawing, Error> {
    let mut drawing = Drawing { lines: Vec::new(), squares: Vec::new(), side: 0.0 };
    let mut y = 30.0;
    let mut line = |size: f32, words: &str, after: f32| {
        let words = Zeroizing::new(words.to_owned());
        drawing.lines.push(Text { x: LEFT, y, size, words });
        y += after;
    };
    line(7.0, &format!("Second factor of {}", escape(page.user)), 12.0);
    line(
        4.0,
        "1. Scan this with the authenticator app of your phone, or type the key into it.",
        6.0,
    );
    let second = match page.expires {
        Some(expires) => format!(
            "2. By {} run \"totpctl confirm\" and type the code that the app shows.",
            local_time::display_local(expires)
        ),
        None => "2. From now on a login asks for the code that the app shows.".into(),
    };
    line(4.0, &second, 6.0);
    line(4.0, "3. Keep this page apart from the phone, and show it to nobody.", 6.0);
    let top = y;
    y += QR_SIDE + 12.0;
    let mut line = |size: f32, words: &str, after: f32| {
        let words = Zeroizing::new(words.to_owned());
        drawing.lines.push(Text { x: LEFT, y, size, words });
        y += after;
    };
    line(4.0, "Key:", 6.0);
    for part in chunks(&base32::group(base32::secret_of_uri(page.uri)), 60) {
        line(4.0, &part, 6.0);
    }
    line(3.0, "Link:", 5.0);
    for part in chunks(page.uri, 80) {
        line(3.0, &part, 4.5);
    }
    if !page.codes.is_empty() {
        line(4.0, "", 4.0);
        line(4.0, "Recovery codes. Each works once, instead of a code:", 8.0);
        for pair in page.codes.chunks(2) {
            let boxes: Vec<_> = pair.iter().map(|code| format!("[ ] {code}")).collect();
            line(4.0, &boxes.join("      "), 7.0);
        }
    }
    let picture = qr::encode(page.uri)?;
    let dots = u16::try_from(picture.width()).unwrap_or(u16::MAX);
    drawing.side = QR_SIDE / f32::from(dots);
    for row in 0..dots {
        for column in 0..dots {
            if picture.is_dark(usize::from(column), usize::from(row)) {
                let x = LEFT + f32::from(column) * drawing.side;
                drawing.squares.push((x, top + f32::from(row) * drawing.side));
            }
        }
    }
    Ok(drawing)
}

/// Splits a text into parts of at most `length` characters.
fn chunks(text: &str, length: usize) -> Vec<Zeroizing<String>> {
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    chars.chunks(length).map(|part| Zeroizing::new(part.iter().collect())).collect()
}

/// A4, in millimeters.
pub(super) const WIDTH: f32 = 210.0;
pub(super) const HEIGHT: f32 = 297.0;
const LEFT: f32 = 20.0;
const QR_SIDE: f32 = 80.0;
