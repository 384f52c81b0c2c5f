//! The unit of the daemon: why systemd cannot start it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program;

/// Why systemd cannot start the unit.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct StartFailure {
    /// What failed, and why.
    pub(crate) message: String,
    /// The change to make, as an imperative.
    pub(crate) fix: &'static str,
}

/// Reports whether systemd is the init of this host.
pub(crate) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Has systemd start the unit, for root, and returns why it could not. Returns nothing if the unit
/// runs, or on a machine without systemd or without the unit.
pub(crate) fn start_failure() -> Option<StartFailure> {
    if !has_systemd() {
        return None;
    }
    // A login would start it, too, and would be denied if it cannot be started.
    if nix::unistd::geteuid().is_root() {
        match systemctl(&["start", UNIT], START_TIMEOUT)? {
            Ok((true, _)) => return None,
            Ok((false, _)) => {}
            Err(silence) => return Some(silence),
        }
    }
    let properties = "--property=LoadState,Result,ExecMainStatus";
    match systemctl(&["show", UNIT, properties], program::ANSWER_TIMEOUT)? {
        Ok((true, state)) => failure(&state),
        // Without a running systemd, systemctl knows no state.
        Ok((false, _)) => None,
        Err(silence) => Some(silence),
    }
}

/// Whether systemctl succeeded, and its output. The error says that it did not answer.
type Answer = Result<(bool, String), StartFailure>;

/// Runs systemctl, if it can be run.
fn systemctl(arguments: &[&str], limit: Duration) -> Option<Answer> {
    answer(program::find("systemctl").ok()?, arguments, limit)
}

fn answer(mut systemctl: Command, arguments: &[&str], limit: Duration) -> Option<Answer> {
    systemctl.args(arguments).stdin(Stdio::null());
    match program::output_within(systemctl, limit) {
        Ok(result) => {
            let output = String::from_utf8_lossy(&result.stdout).into_owned();
            Some(Ok((result.status.success(), output)))
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let command = arguments.first().copied().unwrap_or_default();
            let message = format!("systemctl {command}: {error}");
            Some(Err(StartFailure { message, fix: "read systemctl list-jobs" }))
        }
        Err(_) => None,
    }
}

/// Returns the failure that `systemctl show` describes.
fn failure(state: &str) -> Option<StartFailure> {
    let property = |name: &str| {
        state.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let (result, status) = (property("Result"), property("ExecMainStatus"));
    match property("LoadState") {
        "masked" => {
            return Some(StartFailure {
                message: "the unit totpd.service is masked".into(),
                fix: "run systemctl unmask totpd.service",
            });
        }
        // The daemon may have been started by hand.
        "not-found" => return None,
        _ => {}
    }
    if result == "success" {
        return None;
    }
    let (reason, fix) = match (result, status) {
        ("exit-code", "226") => (
            "systemd may not make the mounts that the unit asks for (226/NAMESPACE), as in a container without nesting",
            "allow nesting for this container, or install the drop-in container.conf among the examples of the package",
        ),
        ("exit-code", "243") => (
            "systemd cannot unseal or read a credential of the unit (243/CREDENTIALS)",
            "see docs/admin/store.md, \"The key\": the TPM was cleared or replaced, or a file in \
             /etc/credstore.encrypted is missing",
        ),
        ("exit-code", "203") => (
            "systemd cannot run the program of the unit (203/EXEC)",
            "install the package again, or correct ExecStart and ExecPaths of the unit",
        ),
        ("exit-code", "228") => (
            "the kernel refuses the filter of system calls (228/SECCOMP)",
            "allow seccomp for this container, or reset SystemCallFilter in a drop-in",
        ),
        _ => ("", "read journalctl -u totpd.service"),
    };
    let message = match reason {
        "" => format!("it ends at its start ({result}, status {status})"),
        reason => reason.to_owned(),
    };
    Some(StartFailure { message, fix })
}

const UNIT: &str = "totpd.service";
/// How long a start may take. systemd itself gives up after 90 s, and then knows why.
const START_TIMEOUT: Duration = Duration::from_secs(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_systemd_that_hangs_is_told() {
        let sleep = program::find("sleep").unwrap();
        let silence = answer(sleep, &["600"], Duration::from_millis(10)).unwrap().unwrap_err();
        assert!(silence.message.starts_with("systemctl 600: it does not answer"), "{silence:?}");
        let echo = program::find("echo").unwrap();
        let told = answer(echo, &["x"], program::ANSWER_TIMEOUT);
        assert_eq!(told, Some(Ok((true, "x\n".to_owned()))));
    }

    #[test]
    fn a_unit_that_systemd_cannot_start_is_explained() {
        for (state, message, fix) in [
            (
                "Result=exit-code\nExecMainStatus=226\nLoadState=loaded\n",
                "226/NAMESPACE",
                "nesting",
            ),
            ("Result=exit-code\nExecMainStatus=243\nLoadState=loaded\n", "243/CREDENTIALS", "TPM"),
            ("Result=exit-code\nExecMainStatus=1\nLoadState=loaded\n", "status 1", "journalctl"),
            ("Result=timeout\nExecMainStatus=0\nLoadState=loaded\n", "timeout", "journalctl"),
            ("Result=success\nExecMainStatus=0\nLoadState=masked\n", "masked", "unmask"),
        ] {
            let failure = failure(state).unwrap();
            assert!(failure.message.contains(message), "{failure:?}");
            assert!(failure.fix.contains(fix), "{failure:?}");
        }
        assert_eq!(failure("Result=success\nExecMainStatus=0\nLoadState=loaded\n"), None);
        assert_eq!(failure("Result=success\nExecMainStatus=0\nLoadState=not-found\n"), None);
    }
}
