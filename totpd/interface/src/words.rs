//! The words of the replies of `Login`.

/// The words of the reply to `Begin`.
pub mod action {
    /// The module asks for a code.
    pub const PROMPT: &str = "prompt";
    /// The module shows the new factor in the details, and asks for its first code.
    pub const ENROLL: &str = "enroll";
    /// The login needs no code.
    pub const SKIP: &str = "skip";
}

/// The words of the reply to `PasswordChanged`.
pub mod notice {
    /// What was remembered of logins of the user ended.
    pub const ENDED: &str = "ended";
    /// Nothing was remembered.
    pub const UNCHANGED: &str = "unchanged";
}

/// The words of the reply to `Verify` and `CompleteEnrollment`.
pub mod verdict {
    /// The code was right, and is used up.
    pub const APPROVED: &str = "approved";
    /// The code was not right.
    pub const DENIED: &str = "denied";
    /// The login needs no code. The daemon did not look at the code, and the code is not used up.
    pub const SKIPPED: &str = "skipped";
    /// The user gave too many wrong codes. The daemon did not look at the code, and the code is not
    /// used up.
    pub const THROTTLED: &str = "throttled";
}
