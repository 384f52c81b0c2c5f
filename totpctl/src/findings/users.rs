//! Users with and without factors.

pub(crate) mod admission;
pub(crate) mod asking;
pub(crate) mod factor_holder;
pub(crate) mod factors;
pub(crate) mod without_factor;
