//! The contract of totpd: names, the types of a login, dictionaries and messages. With the feature
//! `zbus` it also has errors and client proxies.
//!
//! Everything here is a promise to installed clients. The project may add to it; a change or a
//! removal needs `Totp2`. Without features the crate depends on nothing.

pub mod dictionary;
pub mod login;
pub mod wire;

mod module_option;
mod names;
mod ranges;
mod sshd_fake_password;
mod trial_log;
mod typed_code;
mod unattended;
mod words;

pub use crate::module_option::{ModuleOption, OptionFault};
pub use crate::names::{
    AUTHENTICATION_NEEDED, ERROR_PREFIX, LOGIN, MANAGER, PATH, PRIVATE_SOCKET, SERVICE, STORE,
    SYSTEM_BUS, SYSTEM_BUS_SOCKET,
};
pub use crate::ranges::{CODE_DIGITS, PERIOD_SECONDS};
pub use crate::sshd_fake_password::is_sshd_fake_password;
pub use crate::trial_log::{TRIAL_LOG, format_trial_login, parse_trial_login};
pub use crate::typed_code::is_typed_code;
pub use crate::unattended::{SERVICES_OF_SU, UNATTENDED_SERVICES, is_unattended};
pub use crate::words::{action, notice, verdict};

#[cfg(feature = "zbus")]
pub mod arguments;
#[cfg(feature = "zbus")]
pub mod message;
#[cfg(feature = "zbus")]
pub mod variants;

#[cfg(feature = "zbus")]
mod error;
#[cfg(feature = "zbus")]
mod manager_proxy;
#[cfg(feature = "zbus")]
mod proxies;

#[cfg(feature = "zbus")]
pub use crate::error::Error;
#[cfg(feature = "zbus")]
pub use crate::manager_proxy::{Authentication, JudgedRule, ManagerProxy};
#[cfg(feature = "zbus")]
pub use crate::proxies::{LoginProxy, StoreProxy};
#[cfg(feature = "zbus")]
pub use crate::variants::{DictBuilder, Dictionary};
