//! Under which names sudo asks PAM, by its own word (`sudo -V`), and what it never asks.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::pam;
use super::report::Report;
use crate::program;

/// Adds what of sudo asks for no code, where `sudo` does.
pub(super) fn check(report: &mut Report) {
    let told = program::at("/usr/bin/sudo").arg("-V").stdin(Stdio::null()).output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    for (name, when) in services(&told.unwrap_or_default()) {
        if name != "sudo" && !pam::check(&name).asks {
            report.problems.push(format!(
                "{when} asks PAM as {name:?}, which asks for no code: totpctl enable {name}"
            ));
        }
    }
    let folder = fs::read_dir("/etc/sudoers.d").into_iter().flatten().flatten();
    let files = folder.map(|file| file.path()).chain([Path::new("/etc/sudoers").to_path_buf()]);
    let mut files: Vec<_> = files.collect();
    files.sort();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (number, line) in exceptions(&text) {
            report
                .notes
                .push(format!("{}:{number}: {line} asks for nothing at all", file.display()));
        }
    }
}

/// The names that sudo has for a command and for a login shell, and when.
fn services(told: &str) -> Vec<(String, &'static str)> {
    [
        ("PAM service name to use: ", "sudo"),
        ("PAM service name to use for login shells: ", "sudo -i"),
    ]
    .into_iter()
    .filter_map(|(words, when)| {
        let name = told.lines().find_map(|line| line.strip_prefix(words))?;
        Some((name.trim().to_owned(), when))
    })
    .collect()
}

/// The lines of sudoers by which somebody needs no password, and so no code.
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
        let told = "Sudo version 1.9.13p3\nAuthentication methods: 'pam'\nPAM service name to use: sudo\n\
                    PAM service name to use for login shells: sudo-i\n";
        let expected = [("sudo".to_owned(), "sudo"), ("sudo-i".to_owned(), "sudo -i")];
        assert_eq!(services(told), expected);
        assert!(services("").is_empty());
        let sudoers = "root ALL=(ALL) ALL\n# x NOPASSWD: ALL\n%admin ALL=(ALL) NOPASSWD: ALL\n\
                       Defaults:bob !authenticate\n";
        let expected = [(3, "NOPASSWD:"), (4, "!authenticate")];
        assert_eq!(exceptions(sudoers).collect::<Vec<_>>(), expected);
    }
}
