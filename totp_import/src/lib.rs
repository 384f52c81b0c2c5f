//! Reads a file of another program for totpctl, as a process without rights: hostile bytes go in,
//! lines of JSON come out ([`totpd_formats::reading::line`]).
//!
//! totpctl starts it as root. It becomes another user at once, and locks itself in before it looks
//! at the first byte ([`sandbox`]). A file in a home is opened by its user ([`home_file`]).

pub mod arguments;
pub mod exit_status;
pub mod home_file;
pub mod identity;
pub mod sandbox;
