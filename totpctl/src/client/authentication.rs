//! Whether polkit may ask the caller for a password.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use totpd_interface::Authentication;

use crate::program;

/// Keeps polkit from asking, for the rest of this program: the command only reads, or the caller
/// wants no question (`--no-ask-password`).
pub(crate) fn never_ask() {
    NEVER_ASKS.store(true, Ordering::Relaxed);
}

/// Returns whether polkit may ask.
pub(crate) fn allowed() -> Authentication {
    match NEVER_ASKS.load(Ordering::Relaxed) {
        true => Authentication::Never,
        false => Authentication::Allowed,
    }
}

/// Reports whether the caller has no password that polkit could ask for, as users of cloud images
/// who log in by a key. Unknown is no.
pub(crate) fn caller_has_no_password() -> bool {
    let Ok(mut passwd) = program::find("passwd") else { return false };
    let output = passwd.arg("-S").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| has_no_password(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads the second word of `passwd -S`: `L` and `LK` are locked, `NP` is no password.
fn has_no_password(status: &str) -> bool {
    matches!(status.split_whitespace().nth(1), Some("L" | "LK" | "NP"))
}

static NEVER_ASKS: AtomicBool = AtomicBool::new(false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_or_empty_password_is_none() {
        for (status, expected) in [
            ("alice P 2026-11-01 0 99999 7 -1\n", false),
            ("alice PS 2026-11-01 0 99999 7 -1 (Password set, SHA512 crypt.)\n", false),
            ("alice L 2026-11-01 0 99999 7 -1\n", true),
            ("alice LK 2026-11-01 0 99999 7 -1 (Password locked.)\n", true),
            ("alice NP 2026-11-01 0 99999 7 -1\n", true),
            ("Only root can do that.\n", false),
            ("", false),
        ] {
            assert_eq!(has_no_password(status), expected, "{status}");
        }
    }
}
