//! QR codes as text for a terminal, as PNG and as SVG.

use std::fmt::Write as _;
use std::io;

use clap::ValueEnum;
use terminal_size::{Height, Width, terminal_size};
use totpd_qr::{Colors, Picture};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::terminal::output;

/// Encodes `text`, with the margin that paper and files need.
pub(crate) fn encode(text: &str) -> Result<Picture, Error> {
    with_margin(text, MARGIN)
}

/// How a QR code is drawn, as in `--qr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Qr {
    /// What fits the terminal, in black and white of its own; nothing without a terminal or with
    /// --secret-stdin
    Auto,
    /// Half blocks, two rows of dots in a line of text, in the colors of the terminal
    Utf8,
    /// Colored spaces
    Ansi,
    /// Number signs
    Ascii,
    /// No QR code, only the link and the key
    None,
}

/// A QR code as text, or the reason why there is none.
pub(crate) enum Drawing {
    /// The lines of the picture.
    Drawn(Zeroizing<String>),
    /// The picture needs more columns or rows, and `utf8` of them in a UTF-8 locale.
    NoRoom { columns: usize, rows: usize, utf8: Option<(usize, usize)> },
    /// There is no terminal.
    NoTerminal,
    /// Nobody wants one.
    Unwanted,
}

/// Draws `text` in the style `qr`. `below` are the lines that are to stay in sight with it.
pub(crate) fn draw(text: &str, qr: Qr, below: &str) -> Result<Drawing, Error> {
    let drawn = |text: String| Drawing::Drawn(Zeroizing::new(text));
    Ok(match qr {
        Qr::Auto if !output::is_terminal() => Drawing::NoTerminal,
        Qr::Auto => fit_terminal(text, below)?,
        Qr::Utf8 => drawn(encode(text)?.half_blocks()),
        Qr::Ansi => drawn(encode(text)?.ansi()),
        Qr::Ascii => drawn(encode(text)?.ascii()),
        Qr::None => Drawing::Unwanted,
    })
}

/// Writes a PNG with black dots of 8 × 8 pixels on white.
pub(crate) fn png(picture: &Picture, to: impl io::Write) -> io::Result<()> {
    let side = u32::try_from(picture.width() * DOT_PIXELS).map_err(io::Error::other)?;
    let mut encoder = png::Encoder::new(to, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut pixels =
        Vec::with_capacity(picture.width() * picture.width() * DOT_PIXELS * DOT_PIXELS);
    for y in 0..picture.width() * DOT_PIXELS {
        for x in 0..picture.width() * DOT_PIXELS {
            pixels.push(if picture.is_dark(x / DOT_PIXELS, y / DOT_PIXELS) { 0 } else { u8::MAX });
        }
    }
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&pixels).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)
}

/// Returns an SVG with black dots on white.
pub(crate) fn svg(picture: &Picture) -> String {
    let (width, side) = (picture.width(), picture.width() * DOT_PIXELS);
    let mut path = String::new();
    for y in 0..width {
        for x in (0..width).filter(|x| picture.is_dark(*x, y)) {
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{side}\" height=\"{side}\" \
         viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{width}\" height=\"{width}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>\n"
    )
}

/// Returns what fits this terminal: half blocks, with a smaller margin if necessary, or number
/// signs.
fn fit_terminal(text: &str, below: &str) -> Result<Drawing, Error> {
    let (Width(columns), Height(rows)) = terminal_size().unwrap_or((Width(80), Height(24)));
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    // The prompt is the last line.
    let rows_below = below.len().div_ceil(columns.max(1)) + 1;
    let is_utf8 = locale_is_utf8();
    let mut smallest = (0, 0);
    for margin in [MARGIN, SMALL_MARGIN, MIN_MARGIN] {
        let picture = with_margin(text, margin)?;
        let width = picture.width();
        let half_blocks = (width, width.div_ceil(2) + rows_below);
        let cells = (2 * width, width + rows_below);
        let fits = |(wide, high): (usize, usize)| wide <= columns && high <= rows;
        if is_utf8 && fits(half_blocks) {
            let drawn = match colors() {
                Some(colors) => picture.colored_half_blocks(colors),
                None => picture.half_blocks(),
            };
            return Ok(Drawing::Drawn(Zeroizing::new(drawn)));
        }
        if fits(cells) {
            return Ok(Drawing::Drawn(Zeroizing::new(picture.ascii())));
        }
        smallest = if is_utf8 { half_blocks } else { cells };
    }
    let (columns, rows) = smallest;
    let utf8 = (!is_utf8).then(|| (columns / 2, columns.div_ceil(4) + rows_below));
    Ok(Drawing::NoRoom { columns, rows, utf8 })
}

/// Returns the colors in which every phone reads the code, whatever the colors of the terminal are.
/// A terminal without colors gets none, nor does a person who wants none (<https://no-color.org>).
fn colors() -> Option<Colors> {
    let term = variable("TERM").unwrap_or_default();
    if matches!(&*term, "" | "dumb") || variable("NO_COLOR").is_some() {
        return None;
    }
    let is_old = ["vt", "ansi"].iter().any(|family| term.starts_with(family));
    Some(if is_old { Colors::Eight } else { Colors::Many })
}

fn with_margin(text: &str, margin: usize) -> Result<Picture, Error> {
    Picture::new(text, margin)
        .map_err(|_| Error::refused("cannot draw the QR code: the link is too long"))
}

/// Reports whether the locale of the terminal is UTF-8.
fn locale_is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

/// Returns a variable of the environment that is not empty.
fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "totpctl is never setuid; locale and terminal live there"
    )]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}

/// Dots of light around the code (ISO/IEC 18004 asks for four).
const MARGIN: usize = 4;
/// A phone can read a code on a screen with these margins too.
const SMALL_MARGIN: usize = 2;
const MIN_MARGIN: usize = 1;
/// Pixels along the side of a dot.
const DOT_PIXELS: usize = 8;
