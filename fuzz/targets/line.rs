//! A line of the process that reads hostile files, which may be hostile itself by then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use totpd_formats::reading::line::Line;

fuzz_target!(|text: &str| {
    if let Ok(line) = Line::parse(text) {
        let written = line.text();
        assert_eq!(*Line::parse(&written).expect("a line").text(), *written);
    }
});
