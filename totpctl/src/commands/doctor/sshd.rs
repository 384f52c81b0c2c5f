//! The effect of sshd's configuration on the code (`sshd -T`).

use std::io;
use std::path::Path;
use std::process::Stdio;

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::sshd_match;
use crate::program;

/// An effect of sshd's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Effect {
    NoPam,
    CannotAsk,
    /// A required method is turned off.
    NobodyCanLogIn(String),
    KeyAlone,
    MethodsWithoutCode(String),
}

/// Adds what keeps sshd from asking for a code.
pub(super) fn check(report: &mut Report) {
    if program::path("sshd").is_none() {
        return;
    }
    if !nix::unistd::geteuid().is_root() {
        report.note(
            FindingId::SshdNotChecked,
            "the configuration of sshd is not checked: only root can read it",
        );
        return;
    }
    let everybody = match effective_config(None) {
        Ok(config) => effects(&config),
        Err(reason) => {
            report.problem(FindingId::SshdConfigUnreadable, reason);
            return;
        }
    };
    everybody.iter().for_each(|effect| report_for_all(effect, report));
    for block in sshd_match::blocks(Path::new("/etc/ssh/sshd_config")) {
        let (place, criteria) = (&block.place, &block.criteria);
        let config = block.connection.and_then(|connection| effective_config(Some(&connection)));
        match config {
            Ok(config) => {
                let effects = effects(&config);
                for effect in effects.iter().filter(|effect| !everybody.contains(effect)) {
                    report_for_match(place, criteria, effect, report);
                }
            }
            Err(reason) => {
                let message =
                    format!("cannot tell whether Match {criteria} asks for a code: {reason}");
                let finding = Finding::new(FindingId::SshdMatchUnknown, message);
                report.notes.push(finding.at(place.clone()));
            }
        }
    }
}

/// Returns why sshd cannot ask for a code, if so.
pub(crate) fn problems() -> Option<String> {
    let mut report = Report::default();
    check(&mut report);
    let problems: Vec<_> = report.problems.iter().map(Finding::sentence).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Reports whether sshd requires a key, a ticket or a trusted host before every use of PAM.
pub(crate) fn requires_other_method() -> bool {
    if program::path("sshd").is_none() {
        return false;
    }
    let blocks = sshd_match::blocks(Path::new("/etc/ssh/sshd_config"));
    let connections: Option<Vec<_>> =
        blocks.into_iter().map(|block| block.connection.ok()).collect();
    let Some(connections) = connections else { return false };
    let connections = connections.iter().map(|connection| Some(connection.as_str()));
    connections.chain([None]).all(|connection| {
        effective_config(connection).is_ok_and(|config| pam_is_never_first(&config))
    })
}

/// Reports whether each list of `AuthenticationMethods` has another method before the one that uses
/// PAM.
fn pam_is_never_first(config: &str) -> bool {
    let line = config.lines().find_map(|line| line.strip_prefix("authenticationmethods "));
    let methods = line.unwrap_or("any").trim();
    methods != "any"
        && methods.split(' ').all(|list| {
            let mut before = list.split(',').take_while(|method| {
                !method.starts_with("keyboard-interactive") && *method != "password"
            });
            let proves =
                |method: &str| ["publickey", "gssapi-with-mic", "hostbased"].contains(&method);
            before.any(proves)
        })
}

/// Returns the output of `sshd -T` for this connection, or for one that matches no block.
fn effective_config(connection: Option<&str>) -> Result<String, String> {
    let cannot_run = |error: io::Error| format!("cannot run sshd -T: {error}");
    let mut command = program::find("sshd").map_err(cannot_run)?;
    command.arg("-T").stdin(Stdio::null());
    if let Some(connection) = connection {
        command.args(["-C", connection]);
    }
    let result = command.output().map_err(cannot_run)?;
    if result.status.success() {
        return Ok(String::from_utf8_lossy(&result.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&result.stderr);
    let error = error.lines().next().unwrap_or("no message");
    Err(format!("sshd cannot read its configuration (sshd -T): {error}"))
}

/// Returns the effects of a configuration, as `sshd -T` prints it.
fn effects(config: &str) -> Vec<Effect> {
    let value = |key: &str| {
        let line = config.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.unwrap_or_default().trim()
    };
    if value("usepam") == "no" {
        return vec![Effect::NoPam];
    }
    let methods = value("authenticationmethods");
    let any = methods.is_empty() || methods == "any";
    let key = value("pubkeyauthentication") == "yes";
    if value("kbdinteractiveauthentication") == "no" {
        let asks = |list: &str| list.contains("keyboard-interactive");
        if !any && methods.split(' ').all(asks) {
            return vec![Effect::NobodyCanLogIn(methods.to_owned())];
        }
        return vec![Effect::CannotAsk];
    }
    let mut found = Vec::new();
    if any && key {
        found.push(Effect::KeyAlone);
    }
    let without =
        |list: &&str| !list.contains("keyboard-interactive") && !list.contains("password");
    if let Some(list) = methods.split(' ').find(|list| !any && without(list)) {
        found.push(Effect::MethodsWithoutCode(list.to_owned()));
    }
    found
}

/// Adds an effect on all users.
fn report_for_all(effect: &Effect, report: &mut Report) {
    match effect {
        Effect::NoPam => report.problem(
            FindingId::SshdWithoutPam,
            "sshd does not use PAM; write UsePAM yes in sshd_config",
        ),
        Effect::CannotAsk => report.problem(
            FindingId::SshdCannotAsk,
            "sshd cannot ask for a code; write KbdInteractiveAuthentication yes in sshd_config, before any \
             drop-in that says no",
        ),
        Effect::NobodyCanLogIn(methods) => report.problem(
            FindingId::SshdNobodyCanLogIn,
            format!(
                "sshd lets nobody in: AuthenticationMethods {methods} requires what \
                 KbdInteractiveAuthentication no turns off; write yes"
            ),
        ),
        Effect::KeyAlone => report.notes.push(
            Finding::new(FindingId::SshdKeyAlone, "a key alone is enough")
                .fix("to require key and code, write AuthenticationMethods publickey,keyboard-interactive"),
        ),
        Effect::MethodsWithoutCode(list) => report.note(
            FindingId::SshdMethodsWithoutCode,
            format!("AuthenticationMethods {list} asks for no code"),
        ),
    }
}

/// Adds an effect on the users that a block matches. A bypass there may be intended and is a note.
/// A block that lets nobody in is a problem.
fn report_for_match(place: &(String, usize), criteria: &str, effect: &Effect, report: &mut Report) {
    let finding = |id, message: String| {
        Finding::new(id, format!("Match {criteria} {message}")).at(place.clone())
    };
    match effect {
        // UsePAM applies to all users.
        Effect::NoPam | Effect::CannotAsk => report.notes.push(finding(
            FindingId::SshdMatchCannotAsk,
            "cannot be asked for a code (KbdInteractiveAuthentication no)".into(),
        )),
        Effect::NobodyCanLogIn(methods) => report.problems.push(finding(
            FindingId::SshdMatchNobodyCanLogIn,
            format!(
                "lets nobody in: AuthenticationMethods {methods} requires what \
                 KbdInteractiveAuthentication no turns off; write yes"
            ),
        )),
        Effect::KeyAlone => {
            report.notes.push(finding(FindingId::SshdMatchKeyAlone, "accepts a key alone".into()))
        }
        Effect::MethodsWithoutCode(list) => report.notes.push(finding(
            FindingId::SshdMatchMethodsWithoutCode,
            format!("asks for no code: AuthenticationMethods {list}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_that_begin_with_a_key_require_another_method() {
        for (methods, more) in [
            ("any", false),
            ("keyboard-interactive", false),
            ("publickey,keyboard-interactive", true),
            ("publickey,keyboard-interactive:pam", true),
            ("keyboard-interactive,publickey", false),
            ("publickey,keyboard-interactive hostbased,keyboard-interactive", true),
            ("publickey,keyboard-interactive keyboard-interactive", false),
            ("gssapi-with-mic,keyboard-interactive publickey", true),
            ("password,publickey", false),
        ] {
            let config = format!("usepam yes\nauthenticationmethods {methods}\n");
            assert_eq!(pam_is_never_first(&config), more, "{methods}");
        }
        assert!(!pam_is_never_first("usepam yes\n"));
    }

    #[test]
    fn effects_of_a_configuration_are_found() {
        let key = "usepam yes\nkbdinteractiveauthentication yes\npubkeyauthentication yes\n";
        let no = "usepam yes\nkbdinteractiveauthentication no\n";
        let both = "publickey,keyboard-interactive";
        for (config, expected) in [
            ("usepam no\nkbdinteractiveauthentication yes\n".to_owned(), vec![Effect::NoPam]),
            (no.to_owned(), vec![Effect::CannotAsk]),
            (format!("{no}authenticationmethods publickey {both}\n"), vec![Effect::CannotAsk]),
            (
                format!("{no}authenticationmethods {both}\n"),
                vec![Effect::NobodyCanLogIn(both.to_owned())],
            ),
            (key.replace("pubkeyauthentication yes", "pubkeyauthentication no"), vec![]),
            (format!("{key}authenticationmethods any\n"), vec![Effect::KeyAlone]),
            (format!("{key}authenticationmethods {both}\n"), vec![]),
            (
                format!("{key}authenticationmethods publickey keyboard-interactive\n"),
                vec![Effect::MethodsWithoutCode("publickey".into())],
            ),
        ] {
            assert_eq!(effects(&config), expected, "{config}");
        }
    }

    #[test]
    fn a_match_block_that_lets_nobody_in_is_a_problem() {
        let mut report = Report::default();
        for effect in [Effect::NoPam, Effect::CannotAsk, Effect::KeyAlone] {
            report_for_match(&("f".into(), 1), "User git", &effect, &mut report);
        }
        assert_eq!((report.problems.len(), report.notes.len()), (0, 3));
        let shut = Effect::NobodyCanLogIn("keyboard-interactive".into());
        report_for_match(&("f".into(), 1), "User git", &shut, &mut report);
        assert_eq!(report.problems.len(), 1);
    }
}
