//! Draws a QR code as text for a terminal.
//!
//! Most terminals have light text on a dark ground, so the text draws the light dots. With
//! [`Colors`] the text sets both colors itself.

use crate::picture::Picture;

/// The colors that a terminal knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Colors {
    /// The eight colors of ECMA-48, which a theme may change.
    Eight,
    /// 256 colors, of which themes change the first 16 only.
    Many,
}

impl Picture {
    /// Draws half blocks, with two rows of dots in a line. The text has as many columns as dots,
    /// and half as many lines.
    #[must_use]
    pub fn half_blocks(&self) -> String {
        self.blocks("", "")
    }

    /// Draws half blocks as [`Self::half_blocks`], in white on black, whatever the colors of the
    /// terminal are.
    #[must_use]
    pub fn colored_half_blocks(&self, colors: Colors) -> String {
        let white_on_black = match colors {
            Colors::Eight => "\u{1b}[1;37;40m",
            Colors::Many => "\u{1b}[38;5;231;48;5;16m",
        };
        self.blocks(white_on_black, "\u{1b}[0m")
    }

    /// Draws half blocks, with a text around each line.
    fn blocks(&self, before: &str, after: &str) -> String {
        let mut text = String::with_capacity(self.width() * (self.width() + 32) * 2);
        for y in (0..self.width()).step_by(2) {
            text.push_str(before);
            for x in 0..self.width() {
                // Below the last row there is more margin.
                text.push(match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            text.push_str(after);
            text.push('\n');
        }
        text
    }

    /// Draws each dot in two columns and a line, in number signs.
    #[must_use]
    pub fn ascii(&self) -> String {
        self.cells("##", "  ", "")
    }

    /// Draws each dot in two columns and a line, in colored spaces.
    #[must_use]
    pub fn ansi(&self) -> String {
        self.cells("\u{1b}[47m  ", "\u{1b}[40m  ", "\u{1b}[0m")
    }

    fn cells(&self, light: &str, dark: &str, end: &str) -> String {
        let mut text = String::new();
        for y in 0..self.width() {
            for x in 0..self.width() {
                text.push_str(if self.is_dark(x, y) { dark } else { light });
            }
            text.push_str(end);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::TooLong;

    const LINK: &str =
        "otpauth://totp/host:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=host";

    #[test]
    fn a_usual_link_fits_80_columns_and_24_lines_in_half_blocks() {
        for (margin, most) in [(4, 24), (2, 21)] {
            let text = Picture::new(LINK, margin).unwrap().half_blocks();
            assert!(text.lines().all(|line| line.chars().count() <= 80));
            assert!(text.lines().count() <= most, "{}", text.lines().count());
        }
    }

    #[test]
    fn every_drawing_has_the_same_dots() {
        let picture = Picture::new(LINK, 4).unwrap();
        let ascii = picture.ascii();
        let ansi = picture.ansi();
        let unansi = ansi
            .replace("\u{1b}[47m  ", "##")
            .replace("\u{1b}[40m  ", "  ")
            .replace("\u{1b}[0m", "");
        assert_eq!(unansi, ascii);
        let mut from_blocks = String::new();
        for line in picture.half_blocks().lines() {
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
        let bytes = picture.bytes();
        assert_eq!(bytes.len(), picture.width() * picture.width());
        assert_eq!(bytes.iter().filter(|dot| **dot == 1).count(), ascii.matches("  ").count());
    }

    #[test]
    fn colors_change_no_dot() {
        let picture = Picture::new(LINK, 2).unwrap();
        for (colors, before) in
            [(Colors::Eight, "\u{1b}[1;37;40m"), (Colors::Many, "\u{1b}[38;5;231;48;5;16m")]
        {
            let text = picture.colored_half_blocks(colors);
            assert!(
                text.lines().all(|line| line.starts_with(before) && line.ends_with("\u{1b}[0m"))
            );
            assert_eq!(text.replace(before, "").replace("\u{1b}[0m", ""), picture.half_blocks());
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert_eq!(Picture::new(&"x".repeat(5000), 4).unwrap_err(), TooLong);
    }
}
