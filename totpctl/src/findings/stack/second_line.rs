//! Two lines of the second factor that ask at one login.

use pam_stack::Place;

use crate::findings::finding::{Finding, FindingId};
use crate::pam::files::{display, locate};

/// Returns the problem of a second line that asks on the same path.
pub(super) fn finding(first: &Place, second: &Place) -> Finding {
    if first == second {
        let message = "this line asks for the code twice, because its file is included twice; the second time it \
                       refuses that code, because a code works once";
        let finding = Finding::new(FindingId::CodeAskedTwice, message).at(locate(second));
        return finding.fix("include that file only once");
    }
    let message = format!(
        "{} asks for the code, and this line asks again and refuses that code, because a code works once",
        display(first)
    );
    let finding = Finding::new(FindingId::CodeAskedTwice, message).at(locate(second));
    match first.file == second.file {
        true => finding.fix(format!("delete this line ({})", display(second))),
        false => finding.fix(ONE_LINE),
    }
}

const ONE_LINE: &str = "keep one of the two: run totpctl disable SERVICE, or turn the profile off \
                        (pam-auth-update --disable totp, authselect disable-feature with-totp)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_delete_is_named() {
        let place = |file: &str, line| Place { file: file.into(), line };
        let first = place("sshd", 4);
        for (second, start, end) in [
            (
                place("sshd", 5),
                "/etc/pam.d/sshd:5: /etc/pam.d/sshd:4 asks for the code, and this line asks again",
                "; delete this line (/etc/pam.d/sshd:5)",
            ),
            (
                place("common-auth", 25),
                "/etc/pam.d/common-auth:25: /etc/pam.d/sshd:4 asks for the code",
                "authselect disable-feature with-totp)",
            ),
            (
                place("sshd", 4),
                "/etc/pam.d/sshd:4: this line asks for the code twice",
                "; include that file only once",
            ),
        ] {
            let told = finding(&first, &second).sentence();
            assert!(told.starts_with(start) && told.ends_with(end), "{told}");
        }
    }
}
