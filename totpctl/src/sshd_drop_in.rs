//! The drop-in that totpctl writes, so that sshd can ask for a code.

pub(crate) mod change;
pub(crate) mod content;
pub(crate) mod line;
pub(crate) mod need;
pub(crate) mod obstacle;
