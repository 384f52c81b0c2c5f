//! Input and output for people: text, tables, QR codes, pages.

pub(crate) mod base32;
mod command;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod progress_bar;
pub(crate) mod qr;
pub(crate) mod recovery_codes;
pub(crate) mod wrap;
