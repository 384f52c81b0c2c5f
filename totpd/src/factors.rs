//! The parts that a first login and totpctl both need to make a factor.

pub(crate) mod enroll_options;
pub(crate) mod first_code;
pub(crate) mod import_options;
pub(crate) mod issuer;
pub(crate) mod new_factor;
pub(crate) mod option_values;
pub(crate) mod recovery_codes;
