//! What every target of a reader checks: nothing that is read is what a factor cannot be, and what
//! is written for the pipe is read at its other end.

use totpd_formats::readers::read;
use totpd_formats::reading::line::Line;
use totpd_formats::reading::{Entry, Format, Passphrase, Rules};

pub fn check(format: Format, bytes: &[u8], passphrase: Option<&str>) {
    let passphrase = passphrase.map(|text| Passphrase::new(text.to_owned().into()));
    let rules = Rules { utc_offsets: vec![3600], ..Rules::at(1_795_822_210) };
    let mut count = 0;
    let mut sink = |entry: Entry| {
        count += 1;
        let text = Line::Entry(Box::new(entry)).text();
        assert_eq!(*Line::parse(&text).expect("a line").text(), *text);
    };
    match read(format, bytes, passphrase.as_ref(), &rules, &mut sink) {
        Ok(summary) => assert_eq!(summary.entries, count),
        Err(refusal) => {
            let told = refusal.to_string();
            assert!(told.len() < 500 && !told.contains('\n'), "{told}");
        }
    }
}
