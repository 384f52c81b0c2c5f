//! The tools of the end-to-end tests: a disposable machine with totpd installed, and the acts of
//! people and programs on it. Nothing here depends on totpd but through its installed files.

pub mod authselect;
pub mod claim;
mod host;
mod json_schema;
mod kernel;
mod login;
mod machine;
mod network;
pub mod picture;
pub mod sandbox_probe;
mod scale;
mod seed;
mod ssh;

pub use host::Host;
pub use json_schema::JsonSchema;
pub use kernel::Kernel;
pub use login::{PamCall, PamResult, SshCall, SshResult};
pub use machine::{Machine, Output, eventually};
pub use scale::scaled;
pub use seed::{Seed, within_one_step};
pub use ssh::SSH;

/// The return codes of libpam, by their names there.
pub mod pam {
    pub const SUCCESS: i32 = 0;
    pub const SERVICE_ERR: i32 = 3;
    pub const PERM_DENIED: i32 = 6;
    pub const AUTH_ERR: i32 = 7;
    pub const AUTHINFO_UNAVAIL: i32 = 9;
    pub const MAXTRIES: i32 = 11;
    pub const CONV_ERR: i32 = 19;
    pub const IGNORE: i32 = 25;
}
