//! Starts other programs. Root may have the PATH and the environment of another user (`su` without
//! `-`). Therefore totpctl uses neither.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the absolute path of a program of the system, if it is installed.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Returns a command for a program of the system, with a clean environment.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if no folder of the system has it.
pub(crate) fn find(name: &str) -> io::Result<Command> {
    let missing = || {
        let message = format!("there is no {name} in {}", FOLDERS.join(", "));
        io::Error::new(io::ErrorKind::NotFound, message)
    };
    path(name).map(at).ok_or_else(missing)
}

/// Returns a command for the program at this absolute path, with a clean environment.
pub(crate) fn at(path: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the file that starts programs")]
    let mut command = Command::new(path);
    command.env_clear().env("LANG", "C.UTF-8").env("PATH", FOLDERS.join(":"));
    command
}

/// Only root writes there.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_system_gets_a_clean_environment() {
        let command = find("env").unwrap();
        assert_eq!(command.get_program(), "/usr/bin/env");
        let output = find("env").unwrap().output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let mut variables: Vec<_> = output.lines().collect();
        variables.sort_unstable();
        assert_eq!(variables, ["LANG=C.UTF-8", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"]);
    }

    #[test]
    fn only_folders_of_the_system_are_searched() {
        let error = find("no-such-program").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no no-such-program in /usr/bin, /bin, /usr/sbin, /sbin"
        );
    }
}
