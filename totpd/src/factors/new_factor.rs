//! The randomness of a new factor.

use totpd_core::enrollment::NewFactor;
use totpd_core::factor::{Factor, FactorId, Maker};
use totpd_core::seed::Seed;
use totpd_interface::Error;

use crate::factors::enroll_options::Options;

/// Draws an id and a seed for the factor that these options describe; see [`NewFactor::make`].
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
    let is_imported = options.secret.is_some();
    let seed = match options.secret {
        Some(seed) => seed,
        None => {
            Seed::random(options.algorithm.seed_length(), getrandom::fill).map_err(no_randomness)?
        }
    };
    let new = NewFactor {
        id: FactorId::from_random(id),
        name: options.name,
        kind: options.kind,
        algorithm: options.algorithm,
        digits: options.digits,
        seed,
        is_imported,
        counter: options.counter,
        restrictions: options.restrictions,
        is_confirmed: options.confirmed,
        made_by,
    };
    Ok(new.make(now, lifetime))
}
