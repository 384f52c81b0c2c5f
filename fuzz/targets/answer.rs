//! What a person types: a code, a recovery code, or neither, and never both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_core::code::Code;
use totpd_core::recovery_codes::RecoveryCode;

fuzz_target!(|text: &str| {
    let (code, recovery) = (Code::parse(text), RecoveryCode::parse(text));
    assert!(code.is_none() || recovery.is_none());
    if let Some(recovery) = recovery {
        let shown = recovery.display();
        assert_eq!(*RecoveryCode::parse(&shown).unwrap().display(), *shown);
    }
});
