//! QR codes in pictures (PNG).

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};
use rqrr::PreparedImage;
use zeroize::Zeroizing;

use crate::reading::Refusal;

/// Returns the texts of all QR codes in a picture, from its top.
pub(super) fn qr_codes(bytes: &[u8]) -> Result<Vec<Zeroizing<String>>, Refusal> {
    let picture =
        gray(bytes).ok_or_else(|| Refusal::Syntax("the picture cannot be read".to_owned()))?;
    let (width, height) = (picture.width, picture.height);
    let mut prepared =
        PreparedImage::prepare_from_greyscale(width, height, |x, y| picture.brightness(x, y));
    let mut grids = prepared.detect_grids();
    grids.sort_by_key(|grid| (grid.bounds[0].y, grid.bounds[0].x));
    let texts =
        grids.iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| Zeroizing::new(text));
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { Err(Refusal::NoQrCode) } else { Ok(texts) }
}

/// A picture in shades of gray.
struct Gray {
    width: usize,
    height: usize,
    /// Of the samples that a pixel has, those that count, and the place of the transparency.
    samples: usize,
    color: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl Gray {
    /// Returns the brightness of a pixel, on white where it is transparent.
    fn brightness(&self, x: usize, y: usize) -> u8 {
        let start = y.saturating_mul(self.width).saturating_add(x).saturating_mul(self.samples);
        let pixel = self.pixels.get(start..).and_then(|rest| rest.get(..self.samples));
        let (color, alpha) = pixel.unwrap_or(&[]).split_at(self.color.min(self.samples));
        let sum: u32 = color.iter().map(|sample| u32::from(*sample)).sum();
        let brightness = sum / u32::try_from(self.color).unwrap_or(1).max(1);
        let alpha = u32::from(alpha.first().copied().unwrap_or(255));
        let seen = (brightness * alpha + 255 * (255 - alpha)) / 255;
        u8::try_from(seen).unwrap_or(255)
    }
}

/// Decodes a picture of at most [`MAX_PIXELS`].
fn gray(bytes: &[u8]) -> Option<Gray> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MAX_BYTES });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().ok()?;
    let (width, height) =
        (usize::try_from(header.width).ok()?, usize::try_from(header.height).ok()?);
    let is_small = width > 0 && height > 0 && width.checked_mul(height)? <= MAX_PIXELS;
    if !is_small {
        return None;
    }
    let mut reader = decoder.read_info().ok()?;
    let mut pixels =
        Zeroizing::new(vec![0; reader.output_buffer_size().filter(|size| *size <= MAX_BYTES)?]);
    let info = reader.next_frame(&mut pixels).ok()?;
    let (samples, color) = match info.color_type {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (2, 1),
        ColorType::Rgb => (3, 3),
        ColorType::Rgba => (4, 3),
        ColorType::Indexed => return None,
    };
    Some(Gray { width, height, samples, color, pixels })
}

/// More than the screen of a phone has. In four samples each they fit the memory of the reader.
const MAX_PIXELS: usize = 6 << 20;
const MAX_BYTES: usize = 4 * MAX_PIXELS;
