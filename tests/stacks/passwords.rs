//! The test that libpam reaches the second factor after a wrong password exactly as predicted. Each
//! stack of `tests/stacks` runs through libpam itself, with password modules that refuse. The test
//! compares the modules that libpam asked with the verdict.

use std::collections::BTreeSet;

use pam_stack::dispatch::Progress;
use pam_stack::password::is_password;
use pam_stack::setcred_programs::never_sets_credentials;

use super::*;

/// The predicted questions of libpam in one login, in their order. It also has the wrong passwords
/// after which libpam reaches our module.
struct Trace {
    results: Vec<String>,
    after: BTreeSet<String>,
}

#[test]
fn libpam_asks_after_the_same_wrong_passwords() {
    let machine = Machine::new();
    let mut state = 20_261_126_u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut wrong = Vec::new();
    let (mut logins_made, mut reached_in) = (0, 0);
    for case in cases() {
        let Stack::Rules(original) = stack("x", &case.files) else { continue };
        let expected: BTreeSet<_> = analyze(&original, &|_| true)
            .after_wrong_password
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut predicted = Vec::new();
        // Stacks with a file "other" of their own share its name. The test tries them one after the
        // other.
        let (rounds, logins_of_it) =
            if case.files.contains_key("other") { (ROUNDS, 1) } else { (1, LOGINS) };
        for round in 0..rounds {
            let (mut files, mut calls) = (String::new(), String::new());
            for number in 0..logins_of_it {
                let turn = round.max(number);
                let case_files =
                    rewritten(&case, number, &mut |module| draw(module, turn, &mut random));
                let service = format!("c{number}");
                let Stack::Rules(rules) = stack(&service, &case_files) else {
                    panic!("{}", case.name)
                };
                predicted.push(trace(&original, &rules));
                for (name, text) in case_files {
                    let _ = write!(files, "@@@ {name}\n{text}");
                }
                let _ = writeln!(calls, "{} {service} root x", case.name);
            }
            machine.run("rm -f /etc/pam.d/c[0-9]*").stdout_ok();
            let asked = logins(&machine, &files, &calls);
            logins_made += asked.len();
            for (line, trace) in asked.iter().zip(&predicted[predicted.len() - asked.len()..]) {
                let asked: Vec<_> = line.split_whitespace().skip(3).collect();
                if asked != trace.results {
                    wrong.push(format!("{}: {asked:?}, not {:?}", case.name, trace.results));
                }
            }
        }
        let places: BTreeSet<_> = predicted.into_iter().flat_map(|trace| trace.after).collect();
        match places.is_empty() {
            true => println!("{}: a wrong password ends it, or there is none", case.name),
            false => println!("{}: a code is asked for after {places:?}", case.name),
        }
        reached_in += usize::from(!places.is_empty());
        if places != expected {
            wrong.push(format!("{}: libpam {places:?}, the evaluator {expected:?}", case.name));
        }
    }
    println!(
        "{logins_made} logins; in {reached_in} stacks a code is asked for after a wrong password"
    );
    assert!(wrong.is_empty(), "{} {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    assert!(logins_made > 5000 && reached_in > 10, "{logins_made} {reached_in}");
}

/// Draws the answer of a module. The first login of a stack is the common one: all is well but the
/// password.
fn draw(module: &str, turn: usize, random: &mut impl FnMut(usize) -> usize) -> &'static str {
    let name = module.split([' ', '\t']).next().unwrap().rsplit('/').next().unwrap();
    let rule = Rule {
        kind: RuleKind::Module { path: name.to_owned(), args: Vec::new() },
        ..rule_of_nothing()
    };
    let answers: &[&str] = match name {
        "pam_deny.so" | "pam_rootok.so" => &["auth_err"],
        "pam_permit.so" => &["success"],
        "pam_totp.so" => &["cred_err", "success"],
        "pam_unix.so" => &["auth_err", "user_unknown", "authinfo_unavail", "maxtries"],
        _ if is_password(&rule) => &["auth_err", "user_unknown", "authinfo_unavail", "ignore"],
        _ if never_accepts(&rule) => &["ignore", "perm_denied", "conv_err"],
        _ => &["success", "perm_denied", "ignore", "new_authtok_reqd", "conv_err"],
    };
    match turn {
        0 => answers[0],
        // Most things are well in most logins, or nobody comes far.
        _ if random(2) == 0 => answers[0],
        _ => answers[random(answers.len())],
    }
}

fn rule_of_nothing() -> Rule {
    let Stack::Rules(mut rules) =
        Stack::parse("x", Kind::Auth, &|_| Some("auth required pam_x.so\n".to_owned()))
    else {
        panic!()
    };
    rules.remove(0)
}

/// Predicts a login. `original` has the modules that the lines of `rules` stand for.
fn trace(original: &[Rule], rules: &[Rule]) -> Trace {
    let mut trace = Trace { results: Vec::new(), after: BTreeSet::new() };
    let mut refusal: Option<String> = None;
    let mut right = false;
    let mut progress = Progress::new();
    while let Some(rule) = progress.next(rules) {
        let meant = &original[progress.at];
        let result = match rule.kind {
            RuleKind::MustFail(_) | RuleKind::FailedInclude(_) => ReturnCode::PERM_DENIED,
            _ => {
                let result = returned(rule);
                trace.results.push(format!("auth={}", result.name()));
                result
            }
        };
        if meant.module() == "pam_totp" && !right {
            trace.after.extend(refusal.clone());
        }
        if is_password(meant) && result != ReturnCode::IGNORE {
            right |= result == ReturnCode::SUCCESS;
            refusal = Some(meant.place.to_string());
        }
        progress.advance(rules, result);
    }
    trace
}

/// Logins by each stack, and by one that has to be tried alone.
const LOGINS: usize = 150;
const ROUNDS: usize = 40;

/// `totpctl` names a stack if the present one continues after a wrong password. The named stack
/// protects sshd.
#[test]
fn named_stack_asks_after_the_right_password_only() {
    let read = |files: &BTreeMap<String, String>, name: &str| files.get(name).cloned();
    let nullok = ["nullok".to_owned()];
    let mut stacks = 0;
    for (sshd, theirs, ours) in [
        (
            "auth substack password-auth\nauth include postlogin\n",
            ("password-auth", of_case("fedora-41-substack", "password-auth")),
            vec![rendered("local"), rendered("sssd")],
        ),
        (
            "auth include password-auth\nauth include postlogin\n",
            ("password-auth", of_case("fedora-41-substack", "password-auth")),
            vec![rendered("local"), rendered("sssd")],
        ),
        (
            "auth requisite pam_nologin.so\nauth include common-auth\n",
            ("common-auth", of_case("opensuse-common-auth", "common-auth")),
            vec![packaged("pam-config/common-auth"), packaged("pam-config/common-auth-sssd")],
        ),
    ] {
        let postlogin = packaged("authselect/common/postlogin");
        let mut files: BTreeMap<_, _> =
            [("sshd", sshd), ("postlogin", &postlogin), (theirs.0, &theirs.1)]
                .into_iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect();
        for args in [None, Some(&nullok[..])] {
            let result = enable("sshd", args, &|name| read(&files, name), &|_| true);
            assert!(matches!(result, Err(Refusal::AfterWrongPassword(_))), "{sshd} {result:?}");
        }
        for ours in ours {
            files.insert(theirs.0.to_owned(), ours);
            let results = findings(&stack("sshd", &files));
            assert!(
                results.iter().all(|result| PROTECTED.contains(&&**result)),
                "{sshd} {results:?}"
            );
            assert!(results.contains(&"asks".to_owned()), "{sshd} {results:?}");
            let again = enable("sshd", None, &|name| read(&files, name), &|_| true);
            assert_eq!(again, Ok(None), "{sshd}");
            stacks += 1;
        }
    }
    assert_eq!(stacks, 6);
}

const PROTECTED: [&str; 2] = ["asks", "skips unenrolled users"];

fn rendered(profile: &str) -> String {
    let template = packaged(&format!("authselect/{profile}/system-auth"));
    authselect::rendered(&template, &["with-totp", "with-faillock"])
}

fn of_case(case: &str, file: &str) -> String {
    cases().into_iter().find(|other| other.name == case).unwrap().files.remove(file).unwrap()
}

/// Returns the examples of a document as a person would type them. They are between fences, or
/// between the words of mdoc.
fn examples(document: &str) -> Vec<&str> {
    let fenced = document.split("```").skip(1).step_by(2);
    let displayed = document.split(".Bd -literal -offset indent").skip(1);
    fenced.chain(displayed.map(|block| block.split("\n.Ed").next().unwrap())).collect()
}

/// The test tries the stacks that the documents show, beside the files of Debian that they name.
#[test]
fn documented_stacks_ask_after_the_right_password_only() {
    let debian = of_case("debian-12-sshd", "common-auth");
    let mut blocks = 0;
    for document in [
        include_str!("../../docs/admin/programs.md"),
        include_str!("../../docs/admin/enrollment.md"),
        include_str!("../../docs/admin/distributions.md"),
        include_str!("../../README.md"),
        include_str!("../../packaging/man/pam_totp.8"),
    ] {
        for block in examples(document) {
            let is_ours = |line: &str| line.starts_with("auth") && line.contains("pam_totp.so");
            if !block.lines().any(is_ours) {
                continue;
            }
            let service = block.lines().find_map(|line| line.strip_prefix("# /etc/pam.d/"));
            let stack_of =
                |line: &&str| line.starts_with("auth") || line.starts_with("@include common-auth");
            let text: String =
                block.lines().filter(stack_of).map(|line| format!("{line}\n")).collect();
            let files = BTreeMap::from([
                ("x".to_owned(), text.clone()),
                ("common-auth".to_owned(), debian.clone()),
            ]);
            let results = findings(&stack("x", &files));
            assert!(results.contains(&"asks".to_owned()), "{block} {results:?}");
            assert!(
                results.iter().all(|result| PROTECTED.contains(&&**result)),
                "{block} {results:?}"
            );
            if text.contains(" enroll") {
                assert_eq!(never_sets_credentials(service.unwrap_or_default()), None, "{block}");
            }
            assert!(!(text.contains("forward_pass") && text.contains("nullok")), "{block}");
            blocks += 1;
        }
    }
    assert!(blocks >= 15, "{blocks}");
}
