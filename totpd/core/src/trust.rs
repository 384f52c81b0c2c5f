//! Logins that need no code, because the same user gave one a moment ago from the same source at
//! the same service.
//!
//! A rule says for how long: `remember` and `burst`. Such a login is no replay. The code is used up
//! by the login that gave it, and the later ones show none. [`grant`] notes the login with a right
//! code, and [`judge`] has the later ones pass. Neither makes the time longer. The decision record
//! 0038 has the arguments.

pub use crate::trust::bursts::{Burst, Bursts, MAX_CONNECTIONS};
pub use crate::trust::decision::{Asking, Pass, grant, judge};
pub use crate::trust::source::bond;

mod bursts;
mod decision;
mod source;

#[cfg(test)]
mod tests;
