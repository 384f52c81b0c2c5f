//! QR codes as dots, and drawn as text.

mod drawing;
mod picture;

pub use drawing::Colors;
pub use picture::{Picture, TooLong};
