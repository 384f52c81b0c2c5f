//! What sshd makes of its own configuration, by its own word (`sshd -T`).

use std::path::Path;
use std::process::Stdio;

use super::report::Report;
use super::sshd_match;
use crate::program;

/// What follows from sshd's configuration for those whom it holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    NoPam,
    CannotAsk,
    /// A method that is wanted is turned off.
    NobodyGetsIn(String),
    KeyAlone,
    WithoutCode(String),
}

/// Adds what stands between the stack of sshd and whoever logs in.
pub(super) fn check(report: &mut Report) {
    let Some(sshd) = program() else { return };
    if !nix::unistd::geteuid().is_root() {
        report.notes.push("what sshd itself is told is looked at for root alone".into());
        return;
    }
    let everybody = match ask(sshd, None) {
        Ok(told) => findings(&told),
        Err(why) => {
            report.problems.push(why);
            return;
        }
    };
    everybody.iter().for_each(|finding| tell(finding, report));
    for block in sshd_match::blocks(Path::new("/etc/ssh/sshd_config")) {
        let (place, criteria) = (&block.place, &block.criteria);
        let told = block.connection.and_then(|connection| ask(sshd, Some(&connection)));
        let found = match told {
            Ok(told) => findings(&told),
            Err(why) => {
                report.notes.push(format!(
                    "{place}: whom Match {criteria} asks for a code is not known: {why}"
                ));
                continue;
            }
        };
        for finding in found.iter().filter(|finding| !everybody.contains(finding)) {
            tell_of_some(&format!("{place}: Match {criteria}"), finding, report);
        }
    }
}

/// Why sshd could ask nobody for a code, whatever its stack says.
pub(crate) fn problems() -> Option<String> {
    let mut report = Report::default();
    check(&mut report);
    (!report.problems.is_empty()).then(|| report.problems.join("; "))
}

/// Whether sshd wants a key, a ticket or a host of everybody whom it has PAM ask, as far as its own word goes.
pub(crate) fn requires_other_method() -> bool {
    let Some(sshd) = program() else { return false };
    let blocks = sshd_match::blocks(Path::new("/etc/ssh/sshd_config"));
    let connections: Option<Vec<_>> =
        blocks.into_iter().map(|block| block.connection.ok()).collect();
    let Some(connections) = connections else { return false };
    let connections = connections.iter().map(|connection| Some(connection.as_str()));
    connections
        .chain([None])
        .all(|connection| ask(sshd, connection).is_ok_and(|told| wants_something_before_pam(&told)))
}

/// Whether each list of `AuthenticationMethods` that has PAM ask has another method before that.
fn wants_something_before_pam(told: &str) -> bool {
    let line = told.lines().find_map(|line| line.strip_prefix("authenticationmethods "));
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

fn program() -> Option<&'static str> {
    ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists())
}

/// The configuration that is effective, for a connection or for one that no block fits.
fn ask(sshd: &str, connection: Option<&str>) -> Result<String, String> {
    let mut command = program::at(sshd);
    command.arg("-T").stdin(Stdio::null());
    if let Some(connection) = connection {
        command.args(["-C", connection]);
    }
    match command.output() {
        Ok(told) if told.status.success() => Ok(String::from_utf8_lossy(&told.stdout).into_owned()),
        Ok(told) => {
            let why = String::from_utf8_lossy(&told.stderr);
            let why = why.lines().next().unwrap_or("it says nothing");
            Err(format!("sshd cannot read its configuration (sshd -T): {why}"))
        }
        Err(error) => Err(format!("{sshd} -T cannot be run: {error}")),
    }
}

/// What follows from the words of `sshd -T`.
fn findings(told: &str) -> Vec<Finding> {
    let value = |key: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.unwrap_or_default().trim()
    };
    if value("usepam") == "no" {
        return vec![Finding::NoPam];
    }
    let methods = value("authenticationmethods");
    let any = methods.is_empty() || methods == "any";
    let key = value("pubkeyauthentication") == "yes";
    if value("kbdinteractiveauthentication") == "no" {
        let asks = |list: &str| list.contains("keyboard-interactive");
        if !any && methods.split(' ').all(asks) {
            return vec![Finding::NobodyGetsIn(methods.to_owned())];
        }
        return vec![Finding::CannotAsk];
    }
    let mut found = Vec::new();
    if any && key {
        found.push(Finding::KeyAlone);
    }
    let without =
        |list: &&str| !list.contains("keyboard-interactive") && !list.contains("password");
    if let Some(list) = methods.split(' ').find(|list| !any && without(list)) {
        found.push(Finding::WithoutCode(list.to_owned()));
    }
    found
}

/// Says what holds for everybody.
fn tell(finding: &Finding, report: &mut Report) {
    match finding {
        Finding::NoPam => {
            report.problems.push("sshd asks PAM for nothing: write UsePAM yes in sshd_config".into());
        }
        Finding::CannotAsk => report.problems.push(
            "sshd cannot ask for a code: write KbdInteractiveAuthentication yes in sshd_config, where \
             no drop-in that comes before says no"
                .into(),
        ),
        Finding::NobodyGetsIn(methods) => report.problems.push(format!(
            "sshd lets nobody in: AuthenticationMethods {methods} wants what \
             KbdInteractiveAuthentication no turns off"
        )),
        Finding::KeyAlone => report.notes.push(
            "a key alone gets in: for key and code write AuthenticationMethods \
             publickey,keyboard-interactive"
                .into(),
        ),
        Finding::WithoutCode(list) => {
            report.notes.push(format!("AuthenticationMethods {list} asks for no code"));
        }
    }
}

/// Says what holds for those alone whom a block fits. An exception may be meant: that it lets somebody by is
/// told; that it shuts somebody out is wrong.
fn tell_of_some(block: &str, finding: &Finding, report: &mut Report) {
    match finding {
        // sshd takes UsePAM for everybody or for nobody.
        Finding::NoPam | Finding::CannotAsk => report.notes.push(format!(
            "{block} can be asked for no code (KbdInteractiveAuthentication no), whatever else lets it in"
        )),
        Finding::NobodyGetsIn(methods) => report.problems.push(format!(
            "{block} gets nobody in: AuthenticationMethods {methods} wants what \
             KbdInteractiveAuthentication no turns off"
        )),
        Finding::KeyAlone => report.notes.push(format!("{block} gets in by a key alone")),
        Finding::WithoutCode(list) => {
            report.notes.push(format!("{block} is asked for no code: AuthenticationMethods {list}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_that_begin_with_a_key_want_more_than_codes() {
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
            let told = format!("usepam yes\nauthenticationmethods {methods}\n");
            assert_eq!(wants_something_before_pam(&told), more, "{methods}");
        }
        assert!(!wants_something_before_pam("usepam yes\n"));
    }

    #[test]
    fn what_keeps_the_question_away_is_found_and_a_key_alone_too() {
        let key = "usepam yes\nkbdinteractiveauthentication yes\npubkeyauthentication yes\n";
        let no = "usepam yes\nkbdinteractiveauthentication no\n";
        let both = "publickey,keyboard-interactive";
        for (told, expected) in [
            ("usepam no\nkbdinteractiveauthentication yes\n".to_owned(), vec![Finding::NoPam]),
            (no.to_owned(), vec![Finding::CannotAsk]),
            (format!("{no}authenticationmethods publickey {both}\n"), vec![Finding::CannotAsk]),
            (
                format!("{no}authenticationmethods {both}\n"),
                vec![Finding::NobodyGetsIn(both.to_owned())],
            ),
            (key.replace("pubkeyauthentication yes", "pubkeyauthentication no"), vec![]),
            (format!("{key}authenticationmethods any\n"), vec![Finding::KeyAlone]),
            (format!("{key}authenticationmethods {both}\n"), vec![]),
            (
                format!("{key}authenticationmethods publickey keyboard-interactive\n"),
                vec![Finding::WithoutCode("publickey".into())],
            ),
        ] {
            assert_eq!(findings(&told), expected, "{told}");
        }
    }

    #[test]
    fn of_some_it_is_wrong_to_shut_them_out_and_told_that_they_are_let_by() {
        let mut report = Report::default();
        for finding in [Finding::NoPam, Finding::CannotAsk, Finding::KeyAlone] {
            tell_of_some("f:1: Match User git", &finding, &mut report);
        }
        assert_eq!((report.problems.len(), report.notes.len()), (0, 3));
        let shut = Finding::NobodyGetsIn("keyboard-interactive".into());
        tell_of_some("f:1: Match User git", &shut, &mut report);
        assert_eq!(report.problems.len(), 1);
    }
}
