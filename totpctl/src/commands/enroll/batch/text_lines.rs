//! The lines of a text file from any program: UTF-8 or UTF-16, with or without a byte order mark,
//! with the line ends of any system.

use std::fmt;
use std::io::{self, BufReader, Read};

/// The reason why a line is no text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LineFault {
    /// The bytes are not of the encoding.
    Encoding(Encoding),
    /// The line has more than [`MAX_LINE_BYTES`].
    Length,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(Encoding::Utf8) => {
                f.write_str("it is not UTF-8; save the file as UTF-8")
            }
            Self::Encoding(_) => f.write_str("it is not UTF-16; save the file as UTF-8"),
            Self::Length => write!(f, "it is longer than {MAX_LINE_BYTES} bytes"),
        }
    }
}

/// The encoding of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    Utf16BigEndian,
    Utf16LittleEndian,
}

/// The lines of a file.
pub(super) struct TextLines {
    bytes: io::Bytes<BufReader<Box<dyn Read>>>,
    encoding: Encoding,
    /// The last unit was a carriage return, which ends a line together with a line feed.
    after_return: bool,
}

impl TextLines {
    /// Finds out the encoding: by the byte order mark, or by the zero byte of a first ASCII
    /// character in UTF-16.
    pub(super) fn new(mut source: Box<dyn Read>) -> io::Result<Self> {
        let mut start = Vec::with_capacity(MARK_BYTES);
        source.by_ref().take(MARK_BYTES as u64).read_to_end(&mut start)?;
        let (encoding, mark) = match *start.as_slice() {
            [0xef, 0xbb, 0xbf] => (Encoding::Utf8, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16LittleEndian, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16BigEndian, 2),
            [0, second, ..] if second != 0 => (Encoding::Utf16BigEndian, 0),
            [first, 0, ..] if first != 0 => (Encoding::Utf16LittleEndian, 0),
            _ => (Encoding::Utf8, 0),
        };
        let start = io::Cursor::new(start.split_off(mark.min(start.len())));
        let source: Box<dyn Read> = Box::new(start.chain(source));
        Ok(Self { bytes: BufReader::new(source).bytes(), encoding, after_return: false })
    }

    /// Returns the next line without its end, and nothing at the end of the file.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Result<String, LineFault>>> {
        let mut line = Line::default();
        while let Some(unit) = self.unit()? {
            let is_second_end = unit == LINE_FEED && self.after_return;
            self.after_return = unit == CARRIAGE_RETURN;
            match unit {
                LINE_FEED if is_second_end => {}
                LINE_FEED | CARRIAGE_RETURN => return Ok(Some(line.finish(self.encoding))),
                unit => line.push(unit),
            }
        }
        Ok((!line.is_empty()).then(|| line.finish(self.encoding)))
    }

    /// Returns the next byte of UTF-8, or the next two of UTF-16. A last byte that is alone is no
    /// character of UTF-16.
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let Some(first) = self.bytes.next().transpose()? else { return Ok(None) };
        if self.encoding == Encoding::Utf8 {
            return Ok(Some(first.into()));
        }
        let Some(second) = self.bytes.next().transpose()? else { return Ok(Some(LONE_SURROGATE)) };
        Ok(Some(match self.encoding {
            Encoding::Utf16BigEndian => u16::from_be_bytes([first, second]),
            _ => u16::from_le_bytes([first, second]),
        }))
    }
}

/// A line under construction.
#[derive(Default)]
struct Line {
    units: Vec<u16>,
    is_too_long: bool,
}

impl Line {
    fn push(&mut self, unit: u16) {
        match self.units.len() < MAX_LINE_BYTES {
            true => self.units.push(unit),
            false => self.is_too_long = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    fn finish(self, encoding: Encoding) -> Result<String, LineFault> {
        if self.is_too_long {
            return Err(LineFault::Length);
        }
        let text = match encoding {
            Encoding::Utf8 => {
                let bytes = self.units.iter().map(|unit| unit.to_le_bytes()[0]).collect();
                String::from_utf8(bytes).ok()
            }
            _ => String::from_utf16(&self.units).ok(),
        };
        text.ok_or(LineFault::Encoding(encoding))
    }
}

const MARK_BYTES: usize = 3;
const MAX_LINE_BYTES: usize = 16 * 1024;
const LINE_FEED: u16 = 0x0a;
const CARRIAGE_RETURN: u16 = 0x0d;
const LONE_SURROGATE: u16 = 0xd800;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Result<String, LineFault>> {
        let mut lines = TextLines::new(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap();
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_encoding_and_line_end_gives_the_same_lines() {
        for end in ["\n", "\r\n", "\r"] {
            for mark in ["", "\u{feff}"] {
                for last in ["", end] {
                    let text = format!("{mark}alice{end}{end}Bj\u{f6}rn \u{1f511}{end}bob{last}");
                    for bytes in [
                        text.as_bytes().to_vec(),
                        utf16(&text, u16::to_le_bytes),
                        utf16(&text, u16::to_be_bytes),
                    ] {
                        let expected = ["alice", "", "Bj\u{f6}rn \u{1f511}", "bob"];
                        let expected = expected.map(|line| Ok(line.to_owned()));
                        assert_eq!(lines(&bytes), expected, "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn short_files_are_read() {
        assert!(lines(b"").is_empty() && lines(b"\xef\xbb\xbf").is_empty());
        assert_eq!(lines(b"a"), [Ok("a".to_owned())]);
        assert_eq!(lines(b"\n"), [Ok(String::new())]);
        assert_eq!(lines(b"\xff\xfea\0"), [Ok("a".to_owned())]);
    }

    #[test]
    fn a_bad_line_is_bad_alone() {
        let utf8 = Err(LineFault::Encoding(Encoding::Utf8));
        assert_eq!(lines(b"a\n\xff\xff\nb"), [Ok("a".into()), utf8, Ok("b".into())]);
        let mut odd = utf16("a\nb", u16::to_le_bytes);
        odd.push(0x63);
        let utf16 = Err(LineFault::Encoding(Encoding::Utf16LittleEndian));
        assert_eq!(lines(&odd), [Ok("a".into()), utf16]);
        let long = format!("{}\nb", "a".repeat(MAX_LINE_BYTES + 1));
        assert_eq!(lines(long.as_bytes()), [Err(LineFault::Length), Ok("b".into())]);
        let whole = "a".repeat(MAX_LINE_BYTES);
        assert_eq!(lines(whole.as_bytes()), [Ok(whole)]);
    }
}
