//! The configuration of the daemon, as the daemon itself checks it.

use std::process::Stdio;

use crate::{installed, program};

/// Returns why the daemon rejects its configuration, for root. Such a daemon does not start, and
/// clients wait.
pub(crate) fn configuration_error() -> Option<String> {
    // Other users cannot read the configuration.
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut check = program::at(installed::daemon());
    check.arg("--check-config").stdin(Stdio::null());
    let result = program::output_within(check, program::ANSWER_TIMEOUT).ok()?;
    if result.status.success() {
        return None;
    }
    Some(reason(&String::from_utf8_lossy(&result.stderr)))
}

/// Returns what the daemon wrote on standard error as one phrase, without its name.
fn reason(stderr: &str) -> String {
    let lines = stderr.trim().lines().map(|line| line.strip_prefix("totpd: ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_daemon_is_not_repeated() {
        for (stderr, expected) in [
            ("totpd: /etc/totpd/totpd.toml:2: skwe\n", "/etc/totpd/totpd.toml:2: skwe"),
            ("totpd: one\ntotpd: two\n  more\n", "one; two;   more"),
            ("no prefix", "no prefix"),
            ("", ""),
        ] {
            assert_eq!(reason(stderr), expected);
        }
    }
}
