//! The password of the caller, as passwd(1) reports it to its owner.

use std::process::Stdio;

use crate::program;

/// Reports whether the caller has no password that polkit could ask for. A passwd(1) that tells
/// ordinary users nothing means no.
pub(crate) fn is_locked() -> bool {
    let Ok(mut passwd) = program::find("passwd") else { return false };
    let output = passwd.arg("-S").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| parse(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads a line of `passwd -S`: the name, the status, and dates. `L` is a locked password, and `LK`
/// is one in the words of older releases of Fedora.
fn parse(line: &str) -> bool {
    matches!(line.split_whitespace().nth(1), Some("L" | "LK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locked_password_is_none() {
        for (line, expected) in [
            ("debian L 2026-11-24 0 99999 7 -1\n", true),
            ("fedora LK 2026-11-24 0 99999 7 -1 (Password locked.)\n", true),
            ("alice P 2026-11-24 0 99999 7 -1\n", false),
            ("alice PS 2026-11-24 0 99999 7 -1 (Password set, SHA512 crypt.)\n", false),
            ("alice NP 2026-11-24 0 99999 7 -1\n", false),
            ("L\n", false),
            ("", false),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }
}
