//! Containers of RFC 6030, with a passphrase and with a key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_formats::reading::Format;

mod reading;

fuzz_target!(|bytes: &[u8]| {
    reading::check(Format::Pskc, bytes, Some("correct horse"));
    reading::check(Format::Pskc, bytes, Some("6465666768696a6b6c6d6e6f70717273"));
});
