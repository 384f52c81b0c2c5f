//! Whether the sshd that listens has read its files since they changed.

use std::thread;
use std::time::Duration;

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::door::CodeNeed;
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::launch::listener::{Listener, last_change, listener};
use crate::host::sshd::launch::process::Time;
use crate::host::sshd::question::Answer;
use crate::host::sshd::reload::Reload;
use crate::host::sshd::ways::stack::PamStack;
use crate::host::sshd::ways::way::{Way, Who, ways};

/// Adds that the sshd that listens has an older configuration than its files, if so. `stack` is the
/// stack of its PAM service. `asks`: whether a stack of sshd asks for a code. If none asks, it is a
/// note.
pub(super) fn check(answer: &Answer, stack: &PamStack, asks: bool, report: &mut Report) {
    let pid_file = answer.config.pid_file.as_deref();
    let mut tries_left = MAX_TRIES;
    let (state, file) = loop {
        let Some(change) = last_change(answer) else { return };
        let state = judge(&listener(pid_file), change.time);
        let is_over = matches!(state, State::Current) || tries_left == 0 || pid_file.is_none();
        if is_over {
            break (state, change.file);
        }
        // A reload has just been asked for, and sshd takes a moment.
        tries_left -= 1;
        thread::sleep(POLL_INTERVAL);
    };
    match state {
        State::Current => {}
        State::Outdated => {
            let message = format!("{NOT_RELOADED}, so {}", until_reload(&answer.config, stack));
            let finding = Finding::new(FindingId::SshdNotReloaded, message);
            let finding = finding.fix(reload_command(pid_file)).in_file(file);
            if asks { report.problems.push(finding) } else { report.notes.push(finding) }
        }
        State::Unknown if !asks => {}
        State::Unknown => {
            let finding = Finding::new(FindingId::SshdReloadUnknown, RELOAD_UNKNOWN);
            let fix = format!("to be sure, {}", reload_command(pid_file));
            report.notes.push(finding.fix(fix).in_file(file));
        }
    }
}

/// Returns what may be enough until the reload: PAM alone, if the files require more.
fn until_reload(config: &Effective, stack: &PamStack) -> &'static str {
    let is_alone = |way: &Way| way.is_pam_alone && way.is_usable();
    if ways(config, stack, Who::Anybody, None).iter().any(is_alone) {
        return "logins may differ from what is said here";
    }
    match stack.code {
        CodeNeed::Asked if stack.is_code_alone => "until the reload a code alone may let users in",
        CodeNeed::NotAsked if stack.has_password => {
            "until the reload a password alone may let users in"
        }
        _ => "logins may differ from what is said here",
    }
}

/// Whether the sshd that listens has its files as they are.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Current,
    Outdated,
    Unknown,
}

/// Compares with the last change of a file.
fn judge(listener: &Listener, change: Time) -> State {
    match listener {
        Listener::Absent => State::Current,
        Listener::ReadFiles(time) | Listener::Started(time) if change <= *time => State::Current,
        Listener::ReadFiles(_) => State::Outdated,
        Listener::Started(_) => State::Unknown,
    }
}

/// Returns the change to make: an imperative with the command of this host.
fn reload_command(pid_file: Option<&str>) -> String {
    format!("reload sshd: sshd -t && {}", Reload::with_pid_file(pid_file))
}

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Two seconds.
const MAX_TRIES: u32 = 20;
const NOT_RELOADED: &str =
    "sshd runs with an older configuration: it was last started or reloaded before this changed";
const RELOAD_UNKNOWN: &str = "this changed after sshd was started, and nothing tells whether sshd was reloaded since \
                              (no PidFile)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::sshd::ways::stack::of_text;

    #[test]
    fn what_may_be_enough_until_the_reload_is_said() {
        let base = "usepam yes\npubkeyauthentication yes\nkbdinteractiveauthentication yes\n";
        let key = format!("{base}authenticationmethods publickey,keyboard-interactive\n");
        let (code, password) = ("auth required pam_totp.so\n", "auth requisite pam_unix.so\n");
        let no_password = "usepam yes\npubkeyauthentication yes\n";
        for (config, stack, expected) in [
            (key.as_str(), code, "a code alone may let users in"),
            (&key, password, "a password alone may let users in"),
            (no_password, password, "a password alone may let users in"),
            (&key, &format!("{password}{code}"), "logins may differ"),
            (&key, "auth required pam_deny.so\n", "logins may differ"),
            // The files let them in too, which another finding tells.
            (base, code, "logins may differ"),
            (base, password, "logins may differ"),
        ] {
            let told = until_reload(&Effective::parse(config), &of_text(stack));
            assert!(told.contains(expected), "{config} {stack}: {told}");
        }
    }

    #[test]
    fn a_change_after_the_last_start_is_not_in_effect() {
        for (listener, change, expected) in [
            (Listener::Absent, (9, 0), State::Current),
            (Listener::ReadFiles((5, 1)), (5, 1), State::Current),
            (Listener::ReadFiles((5, 1)), (5, 2), State::Outdated),
            (Listener::ReadFiles((5, 1)), (4, 9), State::Current),
            (Listener::Started((5, 1)), (4, 0), State::Current),
            (Listener::Started((5, 1)), (6, 0), State::Unknown),
        ] {
            assert_eq!(judge(&listener, change), expected, "{listener:?} {change:?}");
        }
    }
}
