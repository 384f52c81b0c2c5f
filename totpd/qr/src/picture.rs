//! A QR code as dots.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// A QR code with the light margin that readers need.
#[derive(Clone, Debug)]
pub struct Picture {
    width: usize,
    dark: Vec<bool>,
}

/// The error of a text that is longer than a QR code can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong;

impl Picture {
    /// Returns the smallest code that holds `text`, with `margin` light dots around it. ISO/IEC
    /// 18004 asks for four dots; readers of screens need only two.
    ///
    /// # Errors
    /// [`TooLong`] from some 2,950 bytes on.
    pub fn new(text: &str, margin: usize) -> Result<Self, TooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| TooLong)?;
        let width = code.width() + 2 * margin;
        let mut dark = vec![false; width * width];
        for (index, color) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (index % code.width() + margin, index / code.width() + margin);
            if let Some(dot) = dark.get_mut(y * width + x) {
                *dot = color == Color::Dark;
            }
        }
        Ok(Self { width, dark })
    }

    /// Returns the number of dots along a side, with the margin.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Reports whether the dot in column `x` of row `y` is dark.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.dark.get(y * self.width + x).copied().unwrap_or(false)
    }

    /// Returns a byte for each dot, row by row. A dark dot is 1.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.dark.iter().map(|dark| u8::from(*dark)).collect()
    }
}
