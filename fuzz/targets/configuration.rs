//! totpd.toml.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use totpd::config::Config;

fuzz_target!(|bytes: &[u8]| {
    let file = PathBuf::from(format!("/dev/shm/fuzz-{}.toml", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    if let Err(error) = Config::load(&file, totpd_store::Owner::ROOT) {
        // The sentence names the file.
        assert!(error.to_string().contains("fuzz-"), "{error}");
    }
});
