//! The configurations for classes of connections.

use super::effective::Effective;
use crate::accounts::Account;

/// The configuration for the connections of a class.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) config: Effective,
    /// The keyword that refuses all its users before any answer counts, if one does.
    pub(super) refused_by: Option<&'static str>,
    /// Its local users.
    pub(super) accounts: Vec<Account>,
}

/// The configuration for connections that match several blocks.
pub(super) struct Overlap {
    /// The indices of the blocks.
    pub(super) blocks: Vec<usize>,
    pub(super) is_root: bool,
    pub(super) case: Case,
}

/// The configurations for the connections of a block.
#[derive(Default)]
pub(super) struct Cases {
    /// That of a user other than root.
    pub(super) user: Option<Case>,
    pub(super) root: Option<Case>,
}
