//! Why an enrollment is refused.

/// The reason why a factor is not added, or does not become verified. Nothing is changed then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The user is enrolled, and was to be left alone.
    AlreadyEnrolled,
    /// The factor that was named is not a pending one of this maker.
    NotPending,
    /// The user has as many verified factors as it may have, or would have more.
    TooManyFactors,
    /// Another factor of the user has the same seed: one code would be good for both.
    SameSeed,
}
