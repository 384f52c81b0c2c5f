//! The exit statuses that totpctl tells apart.

/// All entries were written, or why the whole file was refused.
pub const READ: u8 = 0;
/// The process could not lock itself in, or was started otherwise than by totpctl.
pub const UNUSABLE: u8 = 2;
/// The home has no such file.
pub const ABSENT: u8 = 3;
/// The file in the home is not read. Standard error says why.
pub const NOT_READ: u8 = 4;
