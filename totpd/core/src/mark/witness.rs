//! The witness: a file on a tmpfs that names the last login that leaned.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::factor::FactorId;
use crate::mark::run_id::RunId;
use crate::record::Record;
use crate::user_name::UserName;

/// What the file of the witness says.
///
/// It is written as a whole, in one write at the beginning of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Witness {
    /// All that leaned on a mark of this run is durable.
    Empty {
        /// The run of the daemon.
        run: RunId,
    },
    /// The last login that leaned on a mark of this run.
    Last {
        /// The run of the daemon.
        run: RunId,
        /// What the login used up.
        acceptance: Acceptance,
    },
    /// A flush failed, and the void window of the mark may not be durable.
    Failed,
}

/// A time step that a login used up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acceptance {
    /// The user.
    pub user: UserName,
    /// The factor.
    pub factor: FactorId,
    /// The time step.
    pub step: u64,
}

impl Acceptance {
    /// Reports whether the record of the user has this acceptance, or a later one of the factor.
    ///
    /// The last accepted step was below this one before the login, and only a restoration lowers
    /// it. It ends the mark first.
    #[must_use]
    pub fn is_in<S>(&self, record: &Record<S>) -> bool {
        let factor = record.factors.iter().find(|factor| factor.id == self.factor);
        let last = factor.and_then(|factor| factor.last_accepted);
        last.is_some_and(|last| last >= self.step)
    }
}

impl Witness {
    /// Returns the bytes of the file, always [`WITNESS_BYTES`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WITNESS_BYTES);
        bytes.extend_from_slice(FORMAT);
        match self {
            Self::Failed => bytes.push(FAILED),
            Self::Empty { run } => {
                bytes.push(EMPTY);
                bytes.extend_from_slice(&run.0);
            }
            Self::Last { run, acceptance: Acceptance { user, factor, step } } => {
                bytes.push(LAST);
                bytes.extend_from_slice(&run.0);
                bytes.extend_from_slice(&step.to_be_bytes());
                for text in [factor.as_str(), user.as_str()] {
                    // A name has at most 256 bytes, an id 10.
                    bytes.extend_from_slice(&(text.len() as u16).to_be_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        bytes.resize(WITNESS_BYTES - CHECKSUM_BYTES, 0);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Reads the bytes of the file; `None` if they are torn, or of another format.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if bytes.len() != WITNESS_BYTES || checksum(body) != *found {
            return None;
        }
        let body = body.strip_prefix(FORMAT)?;
        let (tag, rest) = body.split_first()?;
        if *tag == FAILED {
            return Some(Self::Failed);
        }
        let (run, rest) = rest.split_first_chunk()?;
        let run = RunId(*run);
        match *tag {
            EMPTY => Some(Self::Empty { run }),
            LAST => {
                let (step, rest) = rest.split_first_chunk()?;
                let (factor, rest) = split_text(rest)?;
                let (user, _) = split_text(rest)?;
                let acceptance = Acceptance {
                    user: UserName::parse(user)?,
                    factor: FactorId::parse(factor)?,
                    step: u64::from_be_bytes(*step),
                };
                Some(Self::Last { run, acceptance })
            }
            _ => None,
        }
    }
}

fn split_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((core::str::from_utf8(text).ok()?, rest))
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut short = [0; CHECKSUM_BYTES];
    for (to, from) in short.iter_mut().zip(Sha256::digest(bytes)) {
        *to = from;
    }
    short
}

/// The length of the file. It is in one page, so a killed daemon leaves all of it or nothing.
pub const WITNESS_BYTES: usize = 336;
const CHECKSUM_BYTES: usize = 16;
const FORMAT: &[u8] = b"totpd witness 1\n";
const EMPTY: u8 = 0;
const LAST: u8 = 1;
const FAILED: u8 = 2;
