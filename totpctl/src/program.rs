//! The programs that totpctl runs. Root may have the PATH and the environment of somebody else (`su` without `-`), so
//! neither is believed.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;

/// The program `name` of this system, with an environment of its own.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if no folder of the system has it.
pub(crate) fn named(name: &str) -> io::Result<Command> {
    let found =
        FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    let no_such = || {
        let told = format!("there is no {name} in {}", FOLDERS.join(", "));
        io::Error::new(io::ErrorKind::NotFound, told)
    };
    found.map(|path| at(path.as_os_str())).ok_or_else(no_such)
}

/// The program at this path, which is absolute, with an environment of its own.
pub(crate) fn at(path: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the file that starts programs")]
    let mut command = Command::new(path);
    command.env_clear().env("LANG", "C.UTF-8").env("PATH", FOLDERS.join(":"));
    command
}

/// Where systems keep their programs, and root alone writes.
const FOLDERS: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_one_of_the_system_and_gets_nothing_of_the_environment() {
        let command = named("env").unwrap();
        assert_eq!(command.get_program(), "/usr/bin/env");
        let told = named("env").unwrap().output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let mut variables: Vec<_> = told.lines().collect();
        variables.sort_unstable();
        assert_eq!(variables, ["LANG=C.UTF-8", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"]);
    }

    #[test]
    fn what_the_system_does_not_have_is_found_nowhere_else() {
        let error = named("no-such-program").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no no-such-program in /usr/bin, /bin, /usr/sbin, /sbin"
        );
    }
}
