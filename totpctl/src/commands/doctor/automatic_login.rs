//! Logins without any question, as the configuration of a terminal or a greeter has them.

use std::fs;
use std::path::{Path, PathBuf};

use glob::glob;

use super::door::{Code, Door};
use crate::pam::files::read_file;

/// A program that may log somebody in by itself.
struct Program {
    name: &'static str,
    /// Its files, as patterns.
    files: &'static [&'static str],
    /// The user in a line of them, if the line logs somebody in.
    user: fn(&str) -> Option<String>,
}

/// Returns the ways in that ask nobody, one for each line.
pub(super) fn doors() -> Vec<Door> {
    let mut found = Vec::new();
    for program in &PROGRAMS {
        for path in program.files.iter().flat_map(|pattern| files(pattern)) {
            let Ok(text) = read_file(&path) else { continue };
            for (number, user) in lines(&text, program.user) {
                let place = format!("{}:{number}", path.display());
                let name = format!("{}, automatic login", program.name);
                if found
                    .iter()
                    .any(|door: &Door| door.name == name && door.who.as_ref() == Some(&user))
                {
                    continue;
                }
                found.push(Door {
                    name,
                    service: None,
                    who: Some(user),
                    code: Code::NotAsked,
                    exceptions: vec![format!("nobody types anything ({place})")],
                });
            }
        }
    }
    found
}

fn files(pattern: &str) -> Vec<PathBuf> {
    match pattern.contains('*') {
        true => glob(pattern).into_iter().flatten().flatten().collect(),
        false => Some(PathBuf::from(pattern)).filter(|path| is_there(path)).into_iter().collect(),
    }
}

fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// Returns the users that lines name, with the number of the line.
fn lines(text: &str, user: fn(&str) -> Option<String>) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let active = lines.filter(|(_, line)| !line.trim_start().starts_with(['#', ';']));
    active.filter_map(|(index, line)| Some((index + 1, user(line)?))).collect()
}

/// Returns the user of an agetty that logs somebody in.
fn getty(line: &str) -> Option<String> {
    if !line.contains("getty") {
        return None;
    }
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        let user = match word.strip_prefix("--autologin=") {
            Some(user) => user,
            None if ["--autologin", "-a"].contains(&word) => words.next()?,
            None => continue,
        };
        return Some(user.trim_matches(['"', '\'']).to_owned());
    }
    None
}

/// Returns the value of a key, if it is not empty.
fn value<'a>(line: &'a str, keys: &[&str]) -> Option<&'a str> {
    let (key, value) = line.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (keys.contains(&key.trim()) && !value.is_empty()).then_some(value)
}

fn gdm(line: &str) -> Option<String> {
    let value = value(line, &["AutomaticLogin", "TimedLogin"])?;
    Some(value.to_owned())
}

fn lightdm(line: &str) -> Option<String> {
    value(line, &["autologin-user"]).map(ToOwned::to_owned)
}

fn sddm(line: &str) -> Option<String> {
    value(line, &["User"]).map(ToOwned::to_owned)
}

fn lxdm(line: &str) -> Option<String> {
    value(line, &["autologin"]).map(ToOwned::to_owned)
}

/// Returns the user of the first session of greetd. The greeter has a user, too.
fn greetd(line: &str) -> Option<String> {
    let user = value(line, &["user"])?;
    (!["greeter", "_greetd", "greetd"].contains(&user)).then(|| user.to_owned())
}

const PROGRAMS: [Program; 6] = [
    Program {
        name: "getty",
        files: &[
            "/etc/systemd/system/*getty*.service",
            "/etc/systemd/system/*getty*.service.d/*.conf",
            "/run/systemd/system/*getty*.service.d/*.conf",
            "/usr/lib/systemd/system/*getty*.service.d/*.conf",
            "/etc/systemd/system/autovt@.service.d/*.conf",
            "/etc/inittab",
            "/etc/conf.d/agetty*",
        ],
        user: getty,
    },
    Program {
        name: "GDM",
        files: &["/etc/gdm3/daemon.conf", "/etc/gdm3/custom.conf", "/etc/gdm/custom.conf"],
        user: gdm,
    },
    Program {
        name: "LightDM",
        files: &[
            "/etc/lightdm/lightdm.conf",
            "/etc/lightdm/lightdm.conf.d/*.conf",
            "/usr/share/lightdm/lightdm.conf.d/*.conf",
        ],
        user: lightdm,
    },
    Program {
        name: "SDDM",
        files: &["/etc/sddm.conf", "/etc/sddm.conf.d/*.conf", "/usr/lib/sddm/sddm.conf.d/*.conf"],
        user: sddm,
    },
    Program { name: "LXDM", files: &["/etc/lxdm/lxdm.conf"], user: lxdm },
    Program { name: "greetd", files: &["/etc/greetd/config.toml"], user: greetd },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_who_is_logged_in_by_a_program_is_found() {
        let drop_in = "[Service]\nExecStart=\nExecStart=-/sbin/agetty -o '-p -- \\u' --noclear --autologin alice %I $TERM\n";
        assert_eq!(lines(drop_in, getty), [(3, "alice".to_owned())]);
        assert_eq!(lines("1:2345:respawn:/sbin/getty -a root 38400 tty1\n", getty)[0].1, "root");
        assert!(lines("ExecStart=-/sbin/agetty --noclear %I\n#agetty -a x\n", getty).is_empty());
        assert_eq!(lines("[Seat:*]\n#autologin-user=x\nautologin-user = bob\n", lightdm)[0].0, 3);
        assert!(lines("autologin-user=\n", lightdm).is_empty());
        let greetd_file =
            "[default_session]\nuser = \"greeter\"\n[initial_session]\nuser = \"bob\"\n";
        assert_eq!(lines(greetd_file, greetd), [(4, "bob".to_owned())]);
    }
}
