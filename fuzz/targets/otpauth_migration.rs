//! The export of the Google app, links and pictures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_formats::reading::Format;

mod reading;

fuzz_target!(|bytes: &[u8]| reading::check(Format::OtpauthMigration, bytes, None));
