//! Two lines of the second factor that ask at one login.

use pam_stack::Place;

use super::finding::{Finding, FindingId};
use crate::pam::files::{display, locate};

/// Returns the problem of a second line that asks on the same path.
pub(super) fn finding(first: &Place, second: &Place) -> Finding {
    let message = format!(
        "{} asks for the code, and this line asks again and refuses that code, because a code works once",
        display(first)
    );
    let finding = Finding::new(FindingId::CodeAskedTwice, message).at(locate(second));
    finding.fix(ONE_LINE)
}

const ONE_LINE: &str = "keep one of the two: run totpctl disable SERVICE to remove the line of a service, or turn \
                        off the profile (pam-auth-update --disable totp, authselect disable-feature with-totp)";
