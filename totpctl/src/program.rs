//! Starts other programs. Root may have the PATH and the environment of another user (`su` without
//! `-`). Therefore totpctl uses neither.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::installed::program_folders;

/// Returns the absolute path of a program of the system, if it is installed.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let folders = program_folders().iter();
    folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Returns a command for a program of the system, with a clean environment.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if no folder of the system has it.
pub(crate) fn find(name: &str) -> io::Result<Command> {
    let missing = || {
        let message = format!("there is no {name} in {}", program_folders().join(", "));
        io::Error::new(io::ErrorKind::NotFound, message)
    };
    path(name).map(at).ok_or_else(missing)
}

/// Returns a command for the program at this absolute path, with a clean environment.
pub(crate) fn at(path: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the file that starts programs")]
    let mut command = Command::new(path);
    command.env_clear().env("LANG", "C.UTF-8").env("PATH", program_folders().join(":"));
    command
}

/// Runs a command that may hang, for example because a directory of users does not answer. Returns
/// its output.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] after `limit`; the program is then killed.
pub(crate) fn output_within(mut command: Command, limit: Duration) -> io::Result<Output> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    // It ends with the program. Nobody may wait for it any longer.
    thread::spawn(move || drop(sender.send(child.wait_with_output())));
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        // The thread has not waited for it yet, so no other process has this number.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        let message = format!("it does not answer within {} s", limit.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}

/// How long another program may take to answer a question.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

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
    fn a_program_that_hangs_is_killed() {
        let mut sleep = find("sleep").unwrap();
        sleep.arg("600");
        let error = output_within(sleep, Duration::from_millis(10)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let mut echo = find("echo").unwrap();
        echo.arg("x");
        assert_eq!(output_within(echo, ANSWER_TIMEOUT).unwrap().stdout, b"x\n");
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
