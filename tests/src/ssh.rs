//! The client of ssh as tests run it.

/// A client for which a server need not be known, and which asks once.
pub const SSH: &str = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
                       -o NumberOfPasswordPrompts=1";
