//! The unit of the daemon: why systemd cannot start it.

use std::path::Path;
use std::process::Stdio;

use crate::program;

/// Why systemd cannot start the unit.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct StartFailure {
    /// What failed, and why.
    pub(crate) message: String,
    /// The change to make, as an imperative.
    pub(crate) fix: &'static str,
}

/// Has systemd start the unit, for root, and returns why it could not. Returns nothing if the unit
/// runs, or on a machine without systemd or without the unit.
pub(crate) fn start_failure() -> Option<StartFailure> {
    if !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    // A login would start it, too, and would be denied if it cannot be started.
    if nix::unistd::geteuid().is_root() && systemctl(&["start", UNIT]).is_some_and(|(ok, _)| ok) {
        return None;
    }
    // Without a running systemd, systemctl knows no state.
    let (true, state) = systemctl(&["show", UNIT, "--property=LoadState,Result,ExecMainStatus"])?
    else {
        return None;
    };
    failure(&state)
}

/// Runs systemctl. Returns whether it succeeded, and its output.
fn systemctl(arguments: &[&str]) -> Option<(bool, String)> {
    let mut systemctl = program::find("systemctl").ok()?;
    let result = systemctl.args(arguments).stdin(Stdio::null()).output().ok()?;
    Some((result.status.success(), String::from_utf8_lossy(&result.stdout).into_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

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
