//! The bytes of a record, when its seal is off.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_core::verification::{Answer, Attempt, Methods, verify};
use totpd_core::code::Code;
use totpd_store::record_format::decode_plain;
use totpd::config::Config;
use totpd_core::source::Source;
use totpd_core::void_windows::VoidWindows;

fuzz_target!(|bytes: &[u8]| {
    let Some(record) = decode_plain(bytes, 1000) else { return };
    // Whatever it says of counters and times, it can be judged.
    let rules = Config::load(std::path::Path::new("/no/such/file"), totpd_store::Owner::ROOT).unwrap().0.rules;
    for now in [0, 1_700_000_000, u64::MAX] {
        let one = Attempt {
            answer: Code::parse("123456").map_or(Answer::Malformed, Answer::Code),
            service: Some("sshd".into()),
            factor: None,
            methods: Methods::ALL,
            source: Source::Nowhere,
            uid: 1000,
            now,
        };
        let _ = verify(record.clone(), &one, &rules, &VoidWindows::NONE);
    }
});
