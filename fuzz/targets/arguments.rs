//! What stands behind the module's name in a stack.
#![no_main]

use std::ffi::{CStr, CString};

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports, clippy::disallowed_methods)]
#[path = "../../pam_totp/src/options.rs"]
mod options;

fuzz_target!(|bytes: &[u8]| {
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(|word| CString::new(word).unwrap()).collect();
    let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    if let Ok(options) = options::Options::parse(&words) {
        assert!((1..=60).contains(&options.timeout.as_secs()));
        assert!(options.silenced_by(true).quiet);
    }
});
