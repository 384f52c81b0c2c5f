//! The configurations for classes of connections.

use super::config::effective::Effective;
use crate::host::accounts::Account;

/// The configuration for the connections of a class.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) config: Effective,
    /// The keyword that refuses all its users before any answer counts, if one does.
    pub(crate) refused_by: Option<&'static str>,
    /// Its local users.
    pub(crate) accounts: Vec<Account>,
}

/// The configuration for connections that match several blocks.
pub(crate) struct Overlap {
    /// The indices of the blocks.
    pub(crate) blocks: Vec<usize>,
    pub(crate) is_root: bool,
    pub(crate) case: Case,
}

/// The configurations for the connections of a block.
#[derive(Default)]
pub(crate) struct Cases {
    /// That of a user other than root.
    pub(crate) user: Option<Case>,
    pub(crate) root: Option<Case>,
}
