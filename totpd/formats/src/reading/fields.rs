//! A factor as the fields of its line, before anybody believes them.

use serde::{Deserialize, Serialize};
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use crate::reading::change::Change;

/// The fields of a factor.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Fields {
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<u32>,
    pub(crate) algorithm: Algorithm,
    pub(crate) digits: u8,
    pub(crate) seed: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_accepted: Option<u64>,
    #[serde(default)]
    pub(crate) drift: i16,
    #[serde(default)]
    pub(crate) ahead: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_after: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) scratch_codes: Vec<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) changes: Vec<Change>,
}
