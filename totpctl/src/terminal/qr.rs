//! QR codes as text for a terminal, as PNG and as SVG.

use std::fmt::Write as _;
use std::io;

use terminal_size::{Height, Width, terminal_size};
use totpd_qr::Picture;

use crate::cli::Qr;
use crate::error::Error;
use crate::terminal::output;

/// Encodes `text`, with the margin that paper and files need.
pub(crate) fn encode(text: &str) -> Result<Picture, Error> {
    with_margin(text, MARGIN)
}

/// Encodes `text` as text in the style `qr`. Returns nothing if the QR code does not fit.
pub(crate) fn text(text: &str, qr: Qr) -> Result<Option<String>, Error> {
    Ok(match qr {
        Qr::Auto => fit_terminal(text)?,
        Qr::Utf8 => Some(encode(text)?.half_blocks()),
        Qr::Ansi => Some(encode(text)?.ansi()),
        Qr::Ascii => Some(encode(text)?.ascii()),
        Qr::None => None,
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
fn fit_terminal(text: &str) -> Result<Option<String>, Error> {
    if !output::is_terminal() {
        return Ok(None);
    }
    let (Width(columns), Height(rows)) = terminal_size().unwrap_or((Width(80), Height(24)));
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    for margin in [MARGIN, SMALL_MARGIN, MIN_MARGIN] {
        let picture = with_margin(text, margin)?;
        let width = picture.width();
        if locale_is_utf8() && width <= columns && width.div_ceil(2) < rows {
            return Ok(Some(picture.half_blocks()));
        }
        if 2 * width <= columns && width < rows {
            return Ok(Some(picture.ascii()));
        }
    }
    Ok(None)
}

fn with_margin(text: &str, margin: usize) -> Result<Picture, Error> {
    Picture::of(text, margin)
        .map_err(|_| Error::refused("cannot draw the QR code: the link is too long"))
}

/// Reports whether the locale of the terminal is UTF-8.
fn locale_is_utf8() -> bool {
    #[expect(clippy::disallowed_methods, reason = "totpctl is never setuid; locales live there")]
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

/// Dots of light around the code (ISO/IEC 18004 asks for four).
const MARGIN: usize = 4;
/// A phone can read a code on a screen with these margins too.
const SMALL_MARGIN: usize = 2;
const MIN_MARGIN: usize = 1;
/// Pixels along the side of a dot.
const DOT_PIXELS: usize = 8;
