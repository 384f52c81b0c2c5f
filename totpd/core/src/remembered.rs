//! What a record keeps of remembered logins. [`trust`](crate::trust) decides by it.

pub use crate::remembered::bond::Bond;
pub use crate::remembered::lapse::{BootId, Clocks, Lapse};
pub use crate::remembered::trust::{Remembered, Trust};

mod bond;
mod lapse;
mod trust;
