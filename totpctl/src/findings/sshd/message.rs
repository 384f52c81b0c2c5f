//! The findings for the effects of sshd's configuration.

mod block;
mod everybody;
mod phrases;

pub(super) use self::block::for_match;
pub(super) use self::everybody::for_all;
