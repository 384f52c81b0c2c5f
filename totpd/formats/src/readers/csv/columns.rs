//! Which column of a list has what.

use totpd_core::code::DIGITS;

use crate::import::hash_name;
use crate::readers::draft::number;

/// The columns that have a name, or the first two.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    named: Vec<(Meaning, usize)>,
    is_named: bool,
}

/// The cells of a row by their meaning.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    pub(super) owner: Option<&'a str>,
    pub(super) serial: Option<&'a str>,
    pub(super) seed: Option<&'a str>,
    pub(super) issuer: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) algorithm: Option<&'a str>,
    pub(super) digits: Option<&'a str>,
    pub(super) period: Option<&'a str>,
    pub(super) counter: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Meaning {
    Algorithm,
    Counter,
    Digits,
    Issuer,
    Kind,
    Owner,
    Period,
    Seed,
    Serial,
}

impl Default for Columns {
    /// Returns the columns of a list without names.
    fn default() -> Self {
        Self { named: vec![(Meaning::Serial, 0), (Meaning::Seed, 1)], is_named: false }
    }
}

impl Columns {
    /// Returns the columns of a row of names. `None` if it is a token.
    pub(super) fn named(cells: &[String]) -> Option<Self> {
        let found = cells.iter().zip(0..).filter_map(|(cell, index)| Some((meaning(cell)?, index)));
        let mut named = Vec::new();
        for (meaning, index) in found {
            // The first of two columns with one meaning counts.
            if !named.iter().any(|(known, _)| *known == meaning) {
                named.push((meaning, index));
            }
        }
        (named.len() >= 2).then_some(Self { named, is_named: true })
    }

    /// Returns the column of the seed.
    pub(super) fn seed(&self) -> Option<usize> {
        self.named.iter().find(|(meaning, _)| *meaning == Meaning::Seed).map(|(_, index)| *index)
    }

    /// Returns the seed of a row.
    pub(super) fn seed_of<'a>(&self, cells: &'a [String]) -> Option<&'a str> {
        cells.get(self.seed()?).map(String::as_str)
    }

    /// Returns the cells of a row by their meaning. An empty cell has none.
    pub(super) fn row<'a>(&self, cells: &'a [String]) -> Row<'a> {
        let mut row = Row::default();
        for (meaning, index) in &self.named {
            if let Some(cell) = cells.get(*index).filter(|cell| !cell.is_empty()) {
                row.set(*meaning, cell);
            }
        }
        if !self.is_named {
            for cell in cells.iter().skip(2).filter(|cell| !cell.is_empty()) {
                if let Some(meaning) = guess(cell) {
                    row.set(meaning, cell);
                }
            }
        }
        row
    }
}

impl<'a> Row<'a> {
    fn set(&mut self, meaning: Meaning, cell: &'a str) {
        *match meaning {
            Meaning::Algorithm => &mut self.algorithm,
            Meaning::Counter => &mut self.counter,
            Meaning::Digits => &mut self.digits,
            Meaning::Issuer => &mut self.issuer,
            Meaning::Kind => &mut self.kind,
            Meaning::Owner => &mut self.owner,
            Meaning::Period => &mut self.period,
            Meaning::Seed => &mut self.seed,
            Meaning::Serial => &mut self.serial,
        } = Some(cell);
    }
}

/// Returns what a column with this name has.
fn meaning(name: &str) -> Option<Meaning> {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    Some(match &*name.to_lowercase() {
        "algo" | "algorithm" | "hash" | "hashalgorithm" | "hashfunction" => Meaning::Algorithm,
        "counter" | "count" | "movingfactor" | "initialcounter" => Meaning::Counter,
        "digits" | "otplen" | "otplength" | "otpdigits" | "codelength" | "length" => {
            Meaning::Digits
        }
        "issuer" | "manufacturer" | "vendor" => Meaning::Issuer,
        "type" | "tokentype" | "otptype" | "kind" => Meaning::Kind,
        "user" | "username" | "owner" | "login" | "upn" | "account" | "uid" => Meaning::Owner,
        "period" | "timeinterval" | "interval" | "timestep" | "step" | "timestepseconds" => {
            Meaning::Period
        }
        "seed" | "secret" | "secretkey" | "key" | "otpkey" | "seedhex" | "seedbase32"
        | "secrethex" | "secretbase32" => Meaning::Seed,
        "serial" | "serialnumber" | "serialno" | "sn" | "tokenserial" | "tokenid" | "id" => {
            Meaning::Serial
        }
        _ => return None,
    })
}

/// Returns what a cell of a list without names is. A period is longer than a number of digits.
fn guess(cell: &str) -> Option<Meaning> {
    let lower = cell.to_ascii_lowercase();
    match number(cell) {
        Some(value) if u8::try_from(value).is_ok_and(|value| DIGITS.contains(&value)) => {
            Some(Meaning::Digits)
        }
        Some(value) if value >= 10 => Some(Meaning::Period),
        // 0 digits and a period of 0 are refused where they are read.
        Some(_) => Some(Meaning::Digits),
        None if hash_name::algorithm(cell).is_some() => Some(Meaning::Algorithm),
        None if matches!(&*lower, "hotp" | "totp" | "motp" | "ocra") => Some(Meaning::Kind),
        None => None,
    }
}
