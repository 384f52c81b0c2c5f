//! The request that verifies a pending factor without a first code.

use totpd_interface::Dictionary;

use crate::client::details;

/// Returns the request for the factor `id`. `codes`: whether a user without recovery codes gets
/// some.
pub(super) fn request(id: &str, codes: bool, if_unenrolled: bool) -> Dictionary {
    details::dictionary([
        ("confirmed", Some(true.into())),
        ("factor", Some(id.into())),
        ("recovery_codes", Some(codes.into())),
        ("if_unenrolled", Some(if_unenrolled.into())),
        ("qr", Some(false.into())),
    ])
}
