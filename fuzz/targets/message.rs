//! A message of the private socket, and the context in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd::access::login_context::Context;
use totpd_interface::Dictionary;
use totpd_interface::wire::{self, Received};

fuzz_target!(|bytes: &[u8]| {
    if let Some(start) = bytes.first_chunk() {
        let _ = wire::length(start);
    }
    let Ok(message) = Received::new(bytes.to_vec()) else { return };
    let _ = message.header();
    let _ = message.body::<(String, String, Dictionary)>();
    if let Ok((_, context)) = message.body::<(String, Dictionary)>()
        && let Ok(context) = Context::parse(&context)
    {
        let _ = context.source(0);
        assert!(context.rhost.is_none_or(|text| text.chars().count() <= 256));
    }
});
