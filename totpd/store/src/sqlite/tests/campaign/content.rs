//! The content of the disk in the campaign of crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The content of a disk, most of which is empty, and a digest of it.
pub(super) struct Content {
    bytes: Vec<u8>,
    /// The pages that are not empty, or were written.
    used: BTreeSet<usize>,
    digest: u64,
}

/// A write: where, and what.
pub(super) type Write<'a> = (u64, &'a [u8]);

/// Returns the sectors of these writes. A disk writes each as a whole, in any order.
pub(super) fn sectors<'a>(writes: &[Write<'a>]) -> impl Iterator<Item = Write<'a>> {
    writes.iter().flat_map(|(offset, data)| {
        let sectors = data.chunks(SECTOR).enumerate();
        sectors.map(move |(number, sector)| (offset + (number * SECTOR) as u64, sector))
    })
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let pages = bytes.chunks(PAGE).enumerate();
        let used = pages.filter(|(_, page)| *page != [0; PAGE]).map(|(index, _)| index).collect();
        Self { bytes, used, digest: 0 }
    }

    /// Returns the pages that these writes change, as they are then.
    pub(super) fn changed(&self, writes: &[Write<'_>]) -> BTreeMap<usize, Vec<u8>> {
        let mut pages = BTreeMap::new();
        for (offset, data) in writes {
            let mut at = *offset as usize;
            let mut data = *data;
            while !data.is_empty() {
                let (page, from) = (at / PAGE, at % PAGE);
                let (now, rest) = data.split_at(data.len().min(PAGE - from));
                let bytes = pages.entry(page).or_insert_with(|| self.page(page).to_vec());
                bytes[from..from + now.len()].copy_from_slice(now);
                (at, data) = (at + now.len(), rest);
            }
        }
        pages
    }

    fn page(&self, page: usize) -> &[u8] {
        &self.bytes[page * PAGE..(page + 1) * PAGE]
    }

    /// Returns the digest of the disk with these pages.
    pub(super) fn digest_with(&self, pages: &BTreeMap<usize, Vec<u8>>) -> u64 {
        pages.iter().fold(self.digest, |digest, (page, bytes)| {
            digest ^ hash(&(page, self.page(*page))) ^ hash(&(page, bytes.as_slice()))
        })
    }

    pub(super) fn apply(&mut self, writes: &[Write<'_>]) {
        let pages = self.changed(writes);
        self.digest = self.digest_with(&pages);
        for (page, bytes) in pages {
            self.bytes[page * PAGE..(page + 1) * PAGE].copy_from_slice(&bytes);
            self.used.insert(page);
        }
    }

    /// Writes an image of the disk with these pages.
    pub(super) fn write(&self, image: &Path, pages: &BTreeMap<usize, Vec<u8>>) {
        let file = fs::File::create_new(image).unwrap();
        file.set_len(self.bytes.len() as u64).unwrap();
        for index in self.used.iter().filter(|index| !pages.contains_key(index)) {
            file.write_all_at(self.page(*index), (index * PAGE) as u64).unwrap();
        }
        for (index, page) in pages {
            file.write_all_at(page, (index * PAGE) as u64).unwrap();
        }
    }
}

pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

const PAGE: usize = 4096;
const SECTOR: usize = 512;
