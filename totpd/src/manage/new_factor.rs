//! A factor as it was asked for.

use totpd_core::factor::{Drift, Factor, FactorId, Kind, Maker, Status};
use totpd_core::seed::Seed;
use totpd_interface::Error;

use crate::manage::enroll_options::Options;

/// The factor that these options describe, made by `made_by` at `now` (seconds since 1970). One that needs a
/// first code waits for it for `lifetime` seconds.
///
/// # Errors
/// [`Error::Internal`] if getrandom(2) fails.
pub(crate) fn new_factor(
    options: Options,
    made_by: Maker,
    now: u64,
    lifetime: u64,
) -> Result<Factor, Error> {
    let no_randomness = |error: getrandom::Error| {
        Error::Internal(format!("cannot make a seed: getrandom failed: {error}"))
    };
    let mut id = [0; 5];
    getrandom::fill(&mut id).map_err(no_randomness)?;
    let is_brought = options.secret.is_some();
    let seed = match options.secret {
        Some(seed) => seed,
        None => {
            Seed::random(options.algorithm.seed_length(), getrandom::fill).map_err(no_randomness)?
        }
    };
    let status = if options.confirmed {
        Status::Verified
    } else {
        Status::Unverified { expires: now.saturating_add(lifetime), wrong_codes: 0 }
    };
    let last_accepted = match options.kind {
        Kind::Hotp => options.counter.checked_sub(1),
        Kind::Totp { .. } => None,
    };
    Ok(Factor {
        id: FactorId::from_random(id),
        name: options.name,
        kind: options.kind,
        algorithm: options.algorithm,
        digits: options.digits,
        seed,
        status,
        created: now,
        last_used: None,
        last_accepted,
        limits: options.limits,
        drift: Drift::default(),
        last_place: None,
        made_by,
        is_brought,
    })
}
