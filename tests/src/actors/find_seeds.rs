//! `find_seeds PID PATH…` searches for the seeds on standard input (base32, one a line). It
//! searches the memory of a process and all files beneath the paths. The forms are bytes, base32
//! and hex, in either case. It prints the place of each find. At the end it prints how much it has
//! searched.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::Path;

/// The searched forms, by their first eight bytes.
struct Needles(HashMap<[u8; 8], Vec<(Vec<u8>, &'static str)>>);

impl Needles {
    fn read() -> Self {
        let mut needles: HashMap<_, Vec<_>> = HashMap::new();
        for line in io::stdin().lock().lines() {
            let base32 = line.unwrap();
            let bytes = decoded(&base32);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for (needle, form) in [
                (bytes, "bytes"),
                (base32.to_lowercase().into_bytes(), "base32"),
                (base32.into_bytes(), "base32"),
                (hex.to_uppercase().into_bytes(), "hex"),
                (hex.into_bytes(), "hex"),
            ] {
                let first = *needle.first_chunk().expect("a seed of eight bytes or more");
                needles.entry(first).or_default().push((needle, form));
            }
        }
        Self(needles)
    }

    /// Returns the forms of a seed that are in `hay`.
    fn in_bytes(&self, hay: &[u8]) -> Vec<&'static str> {
        let mut findings = Vec::new();
        for (at, window) in hay.windows(8).enumerate() {
            for (needle, form) in self.0.get(window).into_iter().flatten() {
                // All of it, or what a buffer that was used again has left of it.
                if hay[at..].iter().zip(needle).take_while(|(a, b)| a == b).count() >= 12 {
                    findings.push(*form);
                }
            }
        }
        findings
    }
}

fn decoded(base32: &str) -> Vec<u8> {
    let (mut bits, mut left, mut bytes) = (0_u32, 0, Vec::new());
    for c in base32.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => panic!("no base32: {base32}"),
        };
        bits = bits << 5 | u32::from(value);
        left += 5;
        if left >= 8 {
            left -= 8;
            bytes.push((bits >> left) as u8);
        }
    }
    bytes
}

fn files(path: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if metadata.is_file() {
        visit(path);
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            files(&entry.path(), visit);
        }
    }
}

pub fn run() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let needles = Needles::read();
    let (mut memory, mut in_files) = (0, 0);
    let pid = &arguments[0];
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("a running process");
    let mut mem = File::open(format!("/proc/{pid}/mem")).expect("root reads memory");
    for map in maps.lines() {
        let (range, rest) = map.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let length = u64::from_str_radix(to, 16).unwrap() - from;
        let mut bytes = Vec::new();
        mem.seek(SeekFrom::Start(from)).unwrap();
        // The kernel's own pages cannot be read. A guard page cannot be read either.
        let _ = (&mut mem).take(length).read_to_end(&mut bytes);
        memory += bytes.len();
        for form in needles.in_bytes(&bytes) {
            println!("found: {form} in memory: {rest}");
        }
    }
    for path in &arguments[1..] {
        files(Path::new(path), &mut |path| {
            let bytes = fs::read(path).unwrap_or_default();
            in_files += bytes.len();
            for form in needles.in_bytes(&bytes) {
                println!("found: {form} in {}", path.display());
            }
        });
    }
    println!("looked at {memory} bytes of memory and {in_files} bytes of files");
}
