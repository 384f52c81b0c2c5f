//! What totpd hands out of a user.

use serde_json::{Map, Value};
use totpd_formats::export::{Factor, Parts};
use totpd_interface::Dictionary;
use totpd_interface::dictionary::DictReader as _;
use zeroize::Zeroizing;

use crate::client::details;
use crate::error::Error;

/// The factors of a user that leave, and what became of them.
pub(super) struct Leaving {
    pub(super) factors: Vec<Factor>,
    /// The ids of the factors that were written.
    pub(super) gone: Vec<String>,
    /// The other factors, and why they stay, as clauses.
    pub(super) left_out: Vec<String>,
    /// What the person who goes back must know.
    pub(super) notes: Vec<String>,
    pub(super) recovery_codes: u64,
    /// The time from which unused codes exist, in seconds since 1970, if the format does not have
    /// the used ones.
    pub(super) unused_from: Option<u64>,
}

/// Reads the answer of totpd, at `now` (seconds since 1970).
pub(super) fn leaving(
    factors: &[Dictionary],
    answer: &Map<String, Value>,
    now: u64,
) -> Result<Leaving, Error> {
    let factors: Option<Vec<_>> = factors.iter().map(|one| factor(one, now)).collect();
    let unknown = || Error::refused("totpd answers a factor of an unknown form");
    Ok(Leaving {
        factors: factors.ok_or_else(unknown)?,
        gone: Vec::new(),
        left_out: details::texts(answer, "left_out").iter().map(|left| clause(left)).collect(),
        notes: Vec::new(),
        recovery_codes: details::number(answer, "recovery_codes").unwrap_or_default(),
        unused_from: None,
    })
}

fn factor(factor: &Dictionary, now: u64) -> Option<Factor> {
    let secret = Zeroizing::new(factor.bytes("secret").ok()??);
    let number = |key| factor.number(key).ok().flatten().map(u64::from);
    let steps = |key| i64::try_from(number(key).unwrap_or_default()).unwrap_or_default();
    let parts = Parts {
        id: factor.text("factor").ok()??,
        algorithm: factor.text("algorithm").ok()??,
        digits: number("digits")?,
        period: number("period"),
        secret,
        used: factor.number64("used").ok()?,
        drift: steps("ahead") - steps("behind"),
    };
    parts.factor(now)
}

/// Returns why a factor stays, from its id and the word of totpd.
fn clause(left: &str) -> String {
    let (id, word) = left.split_once(' ').unwrap_or((left, ""));
    let why = match word {
        "disabled" => "it is disabled, and the other program would accept its codes",
        "limited" => "it has limits, which the other program does not know (totpctl set)",
        "unverified" => "its first code is missing",
        "unsynchronized" => "codes may be used that nobody knows of (totpctl resync)",
        other => other,
    };
    format!("{id}: {why}")
}
