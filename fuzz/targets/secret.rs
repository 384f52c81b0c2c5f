//! Secrets as people have them: whatever is read has a length that the daemon takes, and no refusal
//! tells the secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_core::seed::Seed;
use totpd_formats::import::Token;

fuzz_target!(|text: &str| {
    match Token::parse(text) {
        Ok(token) => assert!(Seed::new(token.secret.to_vec()).is_some()),
        Err(refusal) => {
            let told = refusal.to_string();
            assert!(told.len() < 250 && !told.contains('\n'), "{told}");
        }
    }
});
