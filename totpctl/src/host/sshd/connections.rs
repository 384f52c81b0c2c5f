//! The connections that `Match` blocks tell apart.

pub(crate) mod class;
pub(crate) mod connection;
pub(crate) mod criteria;
pub(crate) mod places;
mod user_class;
