//! The rules of enrollment.

/// The rules of enrollment that the core needs. Durations are in seconds.
#[derive(Clone, Debug)]
pub struct EnrollmentRules {
    /// The longest wait of a factor for its first code.
    pub unverified_lifetime: u64,
    /// The highest number of verified factors of a user. If it is 1, a new factor replaces the old
    /// one.
    pub max_factors: usize,
    /// Time steps accepted on either side of the present one.
    pub skew: u64,
}
