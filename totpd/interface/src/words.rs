//! The words of the replies of `Login`.

/// What `Begin` replies.
pub mod action {
    /// Ask for a code.
    pub const PROMPT: &str = "prompt";
    /// Show the new factor in the details, and ask for its first code.
    pub const ENROLL: &str = "enroll";
    /// No code is needed here.
    pub const SKIP: &str = "skip";
}

/// What `Verify` and `CompleteEnrollment` reply.
pub mod verdict {
    /// The code was right, and is used up.
    pub const APPROVED: &str = "approved";
    /// The code was not right.
    pub const DENIED: &str = "denied";
    /// Too many wrong codes: the code was not looked at, and is not used up.
    pub const THROTTLED: &str = "throttled";
}
