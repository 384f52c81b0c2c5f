//! The service names that sudo uses (`sudo -V`), and the commands for which it never asks.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::finding::{Finding, FindingId};
use super::pam;
use super::report::Report;
use crate::program;

/// Adds the uses of sudo that ask for no code.
pub(super) fn check(report: &mut Report) {
    let result =
        program::find("sudo").and_then(|mut sudo| sudo.arg("-V").stdin(Stdio::null()).output());
    let version = result.map(|result| String::from_utf8_lossy(&result.stdout).into_owned());
    for (name, when) in services(&version.unwrap_or_default()) {
        if name != "sudo" && !pam::check(&name).asks {
            report.problem(
                FindingId::SudoServiceWithoutCode,
                format!(
                    "{when} uses the PAM service {name:?}, which asks for no code; run totpctl enable {name}"
                ),
            );
        }
    }
    let folder = fs::read_dir("/etc/sudoers.d").into_iter().flatten().flatten();
    let files = folder.map(|file| file.path()).chain([Path::new("/etc/sudoers").to_path_buf()]);
    let mut files: Vec<_> = files.collect();
    files.sort();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (number, line) in exceptions(&text) {
            let finding = Finding::new(
                FindingId::SudoersException,
                format!("{line} skips the password and the code"),
            );
            report.notes.push(finding.at((file.display().to_string(), number)));
        }
    }
}

/// Returns the service names for a command and for a login shell, each with the command line that
/// uses it.
fn services(version: &str) -> Vec<(String, &'static str)> {
    [
        ("PAM service name to use: ", "sudo"),
        ("PAM service name to use for login shells: ", "sudo -i"),
    ]
    .into_iter()
    .filter_map(|(words, when)| {
        let name = version.lines().find_map(|line| line.strip_prefix(words))?;
        Some((name.trim().to_owned(), when))
    })
    .collect()
}

/// Returns the lines of sudoers that skip the password, and with it the code.
fn exceptions(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.split('#').next().unwrap_or_default();
        let found = ["NOPASSWD:", "!authenticate"].into_iter().find(|word| line.contains(word))?;
        Some((index + 1, found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_exceptions_are_found() {
        let version = "Sudo version 1.9.13p3\nAuthentication methods: 'pam'\nPAM service name to use: sudo\n\
                    PAM service name to use for login shells: sudo-i\n";
        let expected = [("sudo".to_owned(), "sudo"), ("sudo-i".to_owned(), "sudo -i")];
        assert_eq!(services(version), expected);
        assert!(services("").is_empty());
        let sudoers = "root ALL=(ALL) ALL\n# x NOPASSWD: ALL\n%admin ALL=(ALL) NOPASSWD: ALL\n\
                       Defaults:bob !authenticate\n";
        let expected = [(3, "NOPASSWD:"), (4, "!authenticate")];
        assert_eq!(exceptions(sudoers).collect::<Vec<_>>(), expected);
    }
}
