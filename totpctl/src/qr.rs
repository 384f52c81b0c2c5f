//! Drawing QR codes: as text in three ways, and as PNG and SVG.

use std::fmt::Write as _;
use std::io;

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use terminal_size::{Width, terminal_size};

use crate::cli::Qr;
use crate::failure::Failure;
use crate::output;

/// A QR code with the light margin that readers need.
pub(crate) struct Picture {
    width: usize,
    dark: Vec<bool>,
}

impl Picture {
    /// The code that holds `text`.
    pub(crate) fn of(text: &str) -> Result<Self, Failure> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .map_err(|_| Failure::refused("the link is too long for a QR code"))?;
        let width = code.width() + 2 * MARGIN;
        let mut dark = vec![false; width * width];
        for (index, color) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (index % code.width() + MARGIN, index / code.width() + MARGIN);
            if let Some(dot) = dark.get_mut(y * width + x) {
                *dot = color == Color::Dark;
            }
        }
        Ok(Self { width, dark })
    }

    /// The code as text in the way of `qr`. Nothing where it would come out broken.
    ///
    /// Terminals mostly have light text on a dark ground, so what is drawn is what is light.
    pub(crate) fn text(&self, qr: Qr) -> Option<String> {
        match qr {
            Qr::Auto => self.for_this_terminal().and_then(|qr| self.text(qr)),
            Qr::Utf8 => Some(self.half_blocks()),
            Qr::Ansi => Some(self.cells("\u{1b}[47m  ", "\u{1b}[40m  ", "\u{1b}[0m")),
            Qr::Ascii => Some(self.cells("##", "  ", "")),
            Qr::None => None,
        }
    }

    /// A PNG with black dots of 8 × 8 pixels on white.
    pub(crate) fn png(&self, to: impl io::Write) -> io::Result<()> {
        let side = u32::try_from(self.width * DOT).map_err(io::Error::other)?;
        let mut encoder = png::Encoder::new(to, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut pixels = Vec::with_capacity(self.width * self.width * DOT * DOT);
        for y in 0..self.width * DOT {
            for x in 0..self.width * DOT {
                pixels.push(if self.is_dark(x / DOT, y / DOT) { 0 } else { u8::MAX });
            }
        }
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer.write_image_data(&pixels).map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)
    }

    /// An SVG with black dots on white.
    pub(crate) fn svg(&self, mut to: impl io::Write) -> io::Result<()> {
        let (width, side) = (self.width, self.width * DOT);
        let mut path = String::new();
        for y in 0..width {
            for x in (0..width).filter(|x| self.is_dark(*x, y)) {
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        writeln!(
            to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{side}\" height=\"{side}\" \
             viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{width}\" height=\"{width}\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
        )
    }

    fn for_this_terminal(&self) -> Option<Qr> {
        if !output::is_terminal() {
            return None;
        }
        let columns = terminal_size().map_or(80, |(Width(columns), _)| usize::from(columns));
        if speaks_utf8() && columns >= self.width {
            Some(Qr::Utf8)
        } else if columns >= 2 * self.width {
            Some(Qr::Ascii)
        } else {
            None
        }
    }

    fn half_blocks(&self) -> String {
        let mut text = String::new();
        for y in (0..self.width).step_by(2) {
            for x in 0..self.width {
                // Below the last row there is nothing to draw.
                let lower_is_dark = y + 1 >= self.width || self.is_dark(x, y + 1);
                text.push(match (self.is_dark(x, y), lower_is_dark) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            text.push('\n');
        }
        text
    }

    fn cells(&self, light: &str, dark: &str, end: &str) -> String {
        let mut text = String::new();
        for y in 0..self.width {
            for x in 0..self.width {
                text.push_str(if self.is_dark(x, y) { dark } else { light });
            }
            text.push_str(end);
            text.push('\n');
        }
        text
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark.get(y * self.width + x).copied().unwrap_or(false)
    }
}

/// Whether the locale says that the terminal takes UTF-8.
fn speaks_utf8() -> bool {
    #[expect(clippy::disallowed_methods, reason = "totpctl is never setuid; locales live there")]
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    locale.contains("UTF-8") || locale.contains("UTF8")
}

/// Dots of light around the code (ISO/IEC 18004 asks for four).
const MARGIN: usize = 4;
/// Pixels along the side of a dot.
const DOT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str =
        "otpauth://totp/host:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=host";

    #[test]
    fn a_usual_link_fits_80_columns_in_half_blocks() {
        let text = Picture::of(LINK).unwrap().text(Qr::Utf8).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80));
        assert!(text.lines().count() <= 24, "{}", text.lines().count());
    }

    #[test]
    fn every_drawing_has_the_same_dots() {
        let picture = Picture::of(LINK).unwrap();
        let ascii = picture.text(Qr::Ascii).unwrap();
        let ansi = picture.text(Qr::Ansi).unwrap();
        let unansi = ansi
            .replace("\u{1b}[47m  ", "##")
            .replace("\u{1b}[40m  ", "  ")
            .replace("\u{1b}[0m", "");
        assert_eq!(unansi, ascii);
        let mut from_blocks = String::new();
        for line in picture.text(Qr::Utf8).unwrap().lines() {
            for lights in [['█', '▀'], ['█', '▄']] {
                for c in line.chars() {
                    from_blocks.push_str(if lights.contains(&c) { "##" } else { "  " });
                }
                from_blocks.push('\n');
            }
        }
        let rows = ascii.lines().count();
        let trimmed: Vec<_> = from_blocks.lines().take(rows).collect();
        assert_eq!(trimmed, ascii.lines().collect::<Vec<_>>());
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert!(Picture::of(&"x".repeat(5000)).is_err());
    }
}
