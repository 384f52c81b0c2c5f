//! Findings and ways in of whole configurations.

mod doors;
mod failures;
mod hosts;
mod lists;
mod model;
mod overlaps;
mod passwords;
mod roll_out;
mod root;

use super::collection::{collect, unread_drop_ins};
use crate::findings::finding::Finding;
use crate::findings::report::Report;
use crate::host::door::Door;
use crate::host::sshd::case::{Case, Cases};
use crate::host::sshd::config::blocks::{Block, words};
use crate::host::sshd::config::effective::Effective;
use crate::host::sshd::config::trace::Trace;
use crate::host::sshd::question::{Answer, Failure};
use crate::host::sshd::survey::Survey;
use crate::host::sshd::ways::stack::of_text;
use crate::host::sshd::{pam_is_never_first, pam_is_nowhere_first};

pub(super) const BASE: &str = "usepam yes\npubkeyauthentication yes\npasswordauthentication no\n\
                    kbdinteractiveauthentication yes\npermitrootlogin without-password\n";
const KEY_AND_CODE: &str = "authenticationmethods publickey,keyboard-interactive\n";
pub(super) const PASSWORD_AND_CODE: &str =
    "auth requisite pam_unix.so\nauth required pam_totp.so\n";
pub(super) const CODE: &str = "auth required pam_totp.so\n";

/// Returns a configuration with these lines instead of those of the base.
pub(super) fn with(lines: &str) -> String {
    let is_replaced = |line: &&str| {
        let key = line.split(' ').next();
        lines.lines().any(|other| other.split(' ').next() == key)
    };
    let kept: String =
        BASE.lines().filter(|line| !is_replaced(line)).map(|line| format!("{line}\n")).collect();
    format!("{kept}{lines}")
}

pub(super) fn case(text: &str, refused_by: Option<&'static str>) -> Case {
    Case { config: Effective::parse(text), refused_by, accounts: Vec::new() }
}

pub(super) fn survey(text: &str) -> Survey {
    let trace = Trace::parse("debug2: load_server_config: filename /etc/ssh/sshd_config\n");
    Survey {
        everybody: Answer { config: Effective::parse(text), trace },
        root: Ok(case(text, None)),
        blocks: Vec::new(),
        overlaps: Vec::new(),
        unasked: Vec::new(),
        accounts: Vec::new(),
        unread: Vec::new(),
    }
}

pub(super) fn with_block(criteria: &str, cases: Result<Cases, String>) -> Survey {
    let block = Block {
        place: ("/etc/ssh/sshd_config".into(), 9),
        words: words(criteria),
        outer: Vec::new(),
    };
    Survey { blocks: vec![(block, cases)], ..survey(BASE) }
}

/// Returns the ids of problems and notes, and the doors as `NAME [for WHO]: CODE`.
fn told(survey: &Survey, stack: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut report = Report::default();
    let facts = |name: &str| match name {
        "open" => of_text("auth required pam_permit.so\n"),
        "denied" => of_text("auth required pam_deny.so\n"),
        _ => of_text(stack),
    };
    let doors = collect(survey, &facts, &mut report);
    let ids = |findings: &[Finding]| {
        let id = |finding: &Finding| finding.id().token().to_owned();
        findings.iter().map(id).collect()
    };
    for finding in report.problems.iter().chain(&report.notes) {
        assert!(finding.json(None).contains_key("fix"), "no change to make: {finding:?}");
    }
    let door = |door: &Door| {
        let who = door.who.as_ref().map(|who| format!(" for {who}")).unwrap_or_default();
        format!("{}{who}: {}", door.name, door.code.token().0)
    };
    (ids(&report.problems), ids(&report.notes), doors.iter().map(door).collect())
}

#[test]
fn findings_of_a_configuration() {
    let forward = "auth required pam_totp.so forward_pass\nauth requisite pam_unix.so\n";
    let (password, both) = ("passwordauthentication yes\n", PASSWORD_AND_CODE);
    let no_ask = "kbdinteractiveauthentication no\n";
    let empty = "permitemptypasswords yes\n";
    let too_long = CODE.repeat(401);
    let lists =
        |lists: &str| format!("passwordauthentication yes\nauthenticationmethods {lists}\n");
    for (lines, stack, problems, notes) in [
        (String::new(), both, &[][..], &["sshd-key-alone"][..]),
        (KEY_AND_CODE.into(), CODE, &[], &["sshd-root-cannot-log-in"]),
        (format!("{KEY_AND_CODE}permitrootlogin yes\n"), CODE, &[], &[]),
        (format!("{KEY_AND_CODE}permitrootlogin no\n"), CODE, &[], &[]),
        (
            format!("{KEY_AND_CODE}permitrootlogin forced-commands-only\n"),
            CODE,
            &[],
            &["sshd-root-cannot-log-in"],
        ),
        ("pubkeyauthentication no\n".into(), CODE, &["sshd-code-alone"], &["sshd-root-cannot-log-in"]),
        (no_ask.into(), both, &["sshd-cannot-ask"], &["sshd-key-alone"]),
        (
            format!("{no_ask}{password}"),
            both,
            &["sshd-cannot-ask"],
            &["sshd-key-alone", "sshd-password-cannot-answer"],
        ),
        (
            format!("{no_ask}{password}pubkeyauthentication no\n"),
            both,
            &["sshd-nobody-can-log-in"],
            &[],
        ),
        // sshd drops a login by keyboard-interactive after it tried an empty password.
        (
            format!("{password}{empty}"),
            both,
            &["sshd-cannot-ask"],
            &["sshd-key-alone", "sshd-password-cannot-answer"],
        ),
        (
            format!("{password}{empty}pubkeyauthentication no\n"),
            both,
            &["sshd-nobody-can-log-in"],
            &[],
        ),
        (empty.into(), both, &[], &["sshd-key-alone"]),
        (format!("{password}{empty}{KEY_AND_CODE}permitrootlogin yes\n"), both, &[], &[]),
        (format!("{password}{empty}"), forward, &[], &["sshd-key-alone"]),
        // One answer has both.
        (format!("{no_ask}{password}"), forward, &[], &["sshd-key-alone"]),
        (password.into(), both, &[], &["sshd-key-alone", "sshd-password-cannot-answer"]),
        (lists("password"), both, &["sshd-nobody-can-log-in"], &[]),
        (lists("publickey,password"), both, &["sshd-nobody-can-log-in"], &[]),
        (lists("publickey,password"), forward, &[], &["sshd-root-cannot-log-in"]),
        // The password that ssh asks for is the code.
        (lists("publickey,password"), CODE, &[], &["sshd-root-cannot-log-in"]),
        (
            lists("password,keyboard-interactive"),
            both,
            &["sshd-nobody-can-log-in"],
            &[],
        ),
        (lists("publickey"), both, &[], &["sshd-methods-without-code"]),
        // What is not known is no reason to say that nobody can log in.
        (KEY_AND_CODE.into(), &too_long, &[], &[]),
        (
            lists("keyboard-interactive hostbased"),
            both,
            &[],
            &["sshd-root-cannot-log-in"],
        ),
        (format!("{no_ask}{KEY_AND_CODE}"), both, &["sshd-nobody-can-log-in"], &[]),
        (
            "pubkeyauthentication no\ngssapiauthentication yes\ngssapikeyexchange yes\n\
             hostbasedauthentication yes\n"
                .into(),
            both,
            &[],
            &["sshd-gssapi-alone", "sshd-hostbased-alone"],
        ),
        (
            "pubkeyauthentication no\nkerberosauthentication yes\npasswordauthentication yes\n".into(),
            both,
            &[],
            &["sshd-kerberos-alone", "sshd-root-cannot-log-in"],
        ),
        (
            "gssapiauthentication yes\nauthenticationmethods gssapi-with-mic keyboard-interactive\n".into(),
            both,
            &[],
            &["sshd-methods-without-code"],
        ),
        ("usepam no\n".into(), both, &["sshd-without-pam"], &[]),
        ("pamservicename open\n".into(), both, &["sshd-service-without-code"], &[]),
        // There is nothing to say about a stack that asks for no code.
        (no_ask.into(), "auth required pam_unix.so\n", &[], &[]),
    ] {
        let (found_problems, found_notes, _) = told(&survey(&with(&lines)), stack);
        assert_eq!((&found_problems[..], &found_notes[..]), (&problems.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..], &notes.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..]), "{lines} {stack}");
    }
}

#[test]
fn findings_of_a_block() {
    let user = |lines: &str| Ok(Cases { user: Some(case(&with(lines), None)), root: None });
    let root = |lines: &str| Ok(Cases { user: None, root: Some(case(&with(lines), None)) });
    let no_ask = "kbdinteractiveauthentication no\n";
    for (cases, problems, notes) in [
        (user(""), &[][..], &[][..]),
        (user(no_ask), &[], &["sshd-match-cannot-ask"]),
        (user("authenticationmethods publickey\n"), &[], &["sshd-match-methods-without-code"]),
        (user("hostbasedauthentication yes\n"), &[], &["sshd-match-hostbased-alone"]),
        (user("gssapiauthentication yes\n"), &[], &["sshd-match-gssapi-alone"]),
        (user("passwordauthentication yes\n"), &[], &["sshd-match-password-cannot-answer"]),
        (
            user("passwordauthentication yes\nkerberosauthentication yes\n"),
            &[],
            &["sshd-match-kerberos-alone"],
        ),
        (user("pamservicename open\n"), &[], &["sshd-match-service-without-code"]),
        (user(&format!("{no_ask}{KEY_AND_CODE}")), &["sshd-match-nobody-can-log-in"], &[]),
        (
            user("passwordauthentication yes\nauthenticationmethods publickey,password\n"),
            &["sshd-match-nobody-can-log-in"],
            &[],
        ),
        (
            user(&format!("{no_ask}pubkeyauthentication no\npasswordauthentication yes\n")),
            &["sshd-match-nobody-can-log-in"],
            &[],
        ),
        (root(KEY_AND_CODE), &[], &["sshd-match-root-cannot-log-in"]),
        (root("permitrootlogin no\n"), &[], &[]),
        (Err("why".into()), &[], &["sshd-match-unknown"]),
    ] {
        let survey = with_block("User git", cases);
        let (found_problems, found_notes, _) = told(&survey, PASSWORD_AND_CODE);
        let mut expected = vec!["sshd-key-alone"];
        expected.extend(notes);
        assert_eq!(found_problems, problems);
        assert_eq!(found_notes, expected);
    }
}

#[test]
fn root_is_told_of_permit_root_login_only_where_others_get_in() {
    let shut =
        with(&format!("kbdinteractiveauthentication no\n{KEY_AND_CODE}permitrootlogin yes\n"));
    let both = || Ok(Cases { user: Some(case(&shut, None)), root: Some(case(&shut, None)) });
    let nobody = "sshd-match-nobody-can-log-in";
    let (problems, notes, _) = told(&with_block("Address 10.0.0.0/8", both()), PASSWORD_AND_CODE);
    assert_eq!(
        (&problems[..], &notes[..]),
        (&[nobody.to_owned()][..], &["sshd-key-alone".to_owned()][..])
    );
    let root = Ok(Cases { user: None, root: Some(case(&shut, None)) });
    let (problems, notes, _) = told(&with_block("User root", root), PASSWORD_AND_CODE);
    assert_eq!(
        (&problems[..], &notes[..]),
        (&[nobody.to_owned()][..], &["sshd-key-alone".to_owned()][..])
    );
    // root may match a block that the usual user does not.
    let of_root = Survey { root: Ok(case(&shut, None)), ..survey(BASE) };
    assert_eq!(told(&of_root, PASSWORD_AND_CODE).0, [""; 0]);
}

#[test]
fn a_configuration_without_lists_says_which_methods_fail() {
    let lines = with(
        "kbdinteractiveauthentication no\npubkeyauthentication no\npasswordauthentication yes\n",
    );
    let sentence = |survey: &Survey| {
        let mut report = Report::default();
        let _ = collect(survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
        let [problem] = &report.problems[..] else { panic!("{:?}", report.problems) };
        problem.sentence()
    };
    let everybody = sentence(&survey(&lines));
    let user = Some(case(&lines, None));
    let block = sentence(&with_block("User git", Ok(Cases { user, root: None })));
    for (sentence, start, fix) in [
        (&everybody, "/etc/ssh/sshd_config: sshd lets nobody in: ", "yes in sshd_config, before"),
        (&block, "/etc/ssh/sshd_config:9: Match User git lets nobody in: ", "yes there"),
    ] {
        assert!(sentence.starts_with(start), "{sentence}");
        for part in [
            "method publickey: PubkeyAuthentication no; ",
            "method keyboard-interactive: KbdInteractiveAuthentication no; ",
            "method password: the method password gives every prompt the password",
            &format!(" write KbdInteractiveAuthentication {fix}"),
        ] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}

#[test]
fn drop_ins_that_sshd_does_not_read_are_named() {
    let mut survey = survey(BASE);
    survey.unread = vec!["/etc/ssh/sshd_config.d/10-totp.conf".into()];
    let fix = |survey: &Survey| unread_drop_ins(survey).unwrap().sentence();
    assert_eq!(
        fix(&survey),
        "/etc/ssh/sshd_config.d/10-totp.conf: sshd does not read this file; write \"Include \
         /etc/ssh/sshd_config.d/*.conf\" as the first line of /etc/ssh/sshd_config"
    );
    survey.everybody.trace = Trace::parse(
        "debug2: load_server_config: filename /etc/ssh/sshd_config\n\
         debug1: sshd version OpenSSH_8.0, OpenSSL 1.1.1k\n",
    );
    assert!(fix(&survey).ends_with("OpenSSH has no Include before version 8.2"));
}

#[test]
fn an_unknown_configuration_leaves_open_whether_pam_is_first() {
    let key_and_code = with(KEY_AND_CODE);
    let unknown = || with_block("User git", Err("why".into())).blocks;
    let user = Some(case(BASE, None));
    let block = with_block("User git", Ok(Cases { user, root: None })).blocks;
    let no_root = || Err("why".to_owned());
    for (survey, expected) in [
        (survey(BASE), Some(false)),
        (survey(&key_and_code), Some(true)),
        (Survey { blocks: block, ..survey(&key_and_code) }, Some(false)),
        (Survey { blocks: unknown(), ..survey(&key_and_code) }, None),
        (Survey { root: no_root(), ..survey(&key_and_code) }, None),
        // What is known tells enough.
        (Survey { blocks: unknown(), root: no_root(), ..survey(BASE) }, Some(false)),
    ] {
        assert_eq!(pam_is_nowhere_first(&survey), expected);
    }
}
