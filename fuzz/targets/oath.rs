//! The usersfile of pam_oath.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_formats::reading::Format;

mod reading;

fuzz_target!(|bytes: &[u8]| reading::check(Format::Oath, bytes, None));
