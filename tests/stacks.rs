//! The stacks of `tests/stacks`: the report of `totpctl doctor` about each, and the behavior of
//! libpam itself. libpam must do as predicted, for any results of the modules.
//!
//! [`passwords`] tests the wrong passwords after which libpam asks for a code.
//!
//! A file of `tests/stacks` has a sentence, lines of findings in the service `x` ("= …"), and the
//! files of `/etc/pam.d` ("@@@ name").

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pam_stack::never_accepting_modules::never_accepts;
use pam_stack::parse::Kind;
use pam_stack::{
    Bypass, Refusal, ReturnCode, Rule, RuleKind, Stack, analyze, enable, lacks_first_pass, run,
};
use tests::{Machine, authselect};

mod passwords;
mod real_modules;
mod results;

struct Case {
    name: String,
    generated: bool,
    expected: Vec<String>,
    files: BTreeMap<String, String>,
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/stacks");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "stack"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let (head, files) = text.split_once("\n@@@ ").unwrap();
            let expected = head.lines().filter_map(|line| line.strip_prefix("= "));
            let files = files.split("\n@@@ ").map(|file| {
                let (name, text) = file.split_once('\n').unwrap_or((file, ""));
                let end = if text.is_empty() { "" } else { "\n" };
                (name.to_owned(), format!("{}{end}", text.trim_end_matches('\n')))
            });
            Case {
                name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                generated: false,
                expected: expected.map(ToOwned::to_owned).collect(),
                files: files.collect(),
            }
        })
        .collect();
    cases.extend(profiles());
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn packaged(name: &str) -> String {
    let path = format!("{}/../packaging/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).expect(&path)
}

/// Returns the profiles of the packages for authselect and pam-config, as sshd and sudo have them
/// there.
fn profiles() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: String, expected: &[&str], files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let expected = expected.iter().map(|line| (*line).to_owned()).collect();
        cases.push(Case { name, generated: true, expected, files: files.collect() });
    };
    for profile in ["local", "sssd"] {
        let template = packaged(&format!("authselect/{profile}/system-auth"));
        for faillock in [&[][..], &["with-faillock"]] {
            for (feature, expected) in [
                (None, &["not asked"][..]),
                (Some("with-totp"), &["asks", "skips unenrolled users"]),
                (Some("with-totp-required"), &["asks"]),
            ] {
                let features: Vec<_> = faillock.iter().copied().chain(feature).collect();
                let text = authselect::rendered(&template, &features);
                let is_auth = |line: &&str| line.starts_with("auth");
                let text: String =
                    text.lines().filter(is_auth).map(|line| format!("{line}\n")).collect();
                for word in ["include", "substack"] {
                    let x = format!("auth {word} system-auth\nauth include postlogin\n");
                    let name = format!("authselect-{profile}-{}-{word}", features.join("+"));
                    let postlogin = packaged("authselect/common/postlogin");
                    let files = [("x", &*x), ("system-auth", &text), ("postlogin", &postlogin)];
                    case(name, expected, &files);
                }
            }
        }
    }
    for example in ["common-auth", "common-auth-sssd"] {
        let ours = packaged(&format!("pam-config/{example}"));
        for word in ["include", "substack"] {
            let x = format!("auth requisite pam_nologin.so\nauth {word} common-auth\n");
            case(
                format!("pam-config-{example}-{word}"),
                &["asks", "skips unenrolled users"],
                &[("x", &x), ("common-auth", &ours)],
            );
        }
    }
    let profile = packaged("pam-configs/totp");
    let line = profile.lines().find(|line| line.contains("pam_totp.so")).unwrap();
    let debian = format!(
        "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
         auth required pam_permit.so\nauth {}\n",
        line.trim()
    );
    case(
        "pam-auth-update".to_owned(),
        &["asks", "skips unenrolled users"],
        &[("x", "@include common-auth\n"), ("common-auth", &debian)],
    );
    cases
}

#[test]
fn authselect_asks_for_a_code_after_the_right_password_alone() {
    for case in profiles().iter().filter(|case| case.name.contains("with-totp")) {
        let Stack::Rules(rules) = stack("x", &case.files) else { panic!("{}", case.name) };
        for (right, code, expected) in [
            ("pam_unix", ReturnCode::SUCCESS, ReturnCode::SUCCESS),
            ("pam_sss", ReturnCode::SUCCESS, ReturnCode::SUCCESS),
            ("pam_unix", ReturnCode::AUTH_ERR, ReturnCode::AUTH_ERR),
            ("nothing", ReturnCode::SUCCESS, ReturnCode::AUTH_ERR),
        ] {
            let mut asked = false;
            let outcome = run(&rules, |rule| match rule.module() {
                "pam_totp" => {
                    asked = true;
                    code
                }
                name if name == right => ReturnCode::SUCCESS,
                "pam_unix" | "pam_sss" | "pam_deny" => ReturnCode::AUTH_ERR,
                // The second of faillock's two lines returns the recorded failure.
                "pam_faillock" if rule.place.line > 6 => ReturnCode::AUTH_ERR,
                _ if never_accepts(rule) => ReturnCode::IGNORE,
                _ => ReturnCode::SUCCESS,
            });
            let has_it = rules.iter().any(|rule| rule.module() == right);
            let expected = if has_it { expected } else { ReturnCode::AUTH_ERR };
            assert_eq!((outcome, asked), (expected, has_it), "{} {right}", case.name);
        }
    }
}

fn stack(service: &str, files: &BTreeMap<String, String>) -> Stack {
    Stack::parse(service, Kind::Auth, &|name| files.get(name).cloned())
}

fn findings(stack: &Stack) -> Vec<String> {
    let rules = match stack {
        Stack::IncludeCycle(place) => return vec![format!("endless: {place}")],
        Stack::Ambiguous(place, _) => return vec![format!("ambiguous: {place}")],
        Stack::TooLong(place) => return vec![format!("too long: {place}")],
        Stack::Unreadable(_) => return vec!["refused".into()],
        Stack::Rules(rules) => rules,
    };
    let found = analyze(rules, &|_| true);
    let mut told = Vec::new();
    told.extend((!found.factor_lines.is_empty()).then(|| "asks".to_owned()));
    told.extend(found.skips_root.iter().map(|place| format!("root is not asked: {place}")));
    told.extend(found.skips_unenrolled.then(|| "skips unenrolled users".to_owned()));
    told.extend(found.denies_unenrolled_root.then(|| "denies root without a factor".to_owned()));
    told.extend(found.bypasses.iter().map(|ending| match ending {
        Bypass::NotAsked { past, result, .. } => format!("around: {past} by {result}"),
        Bypass::Overruled { at, .. } => format!("overruled: {at}"),
    }));
    let after = found.after_wrong_password.iter();
    told.extend(after.map(|place| format!("asks after a wrong password: {place}")));
    told.extend(found.jumps_past_end.iter().map(|place| format!("past the end: {place}")));
    told.extend(found.skips_strangers.then(|| "skips strangers".to_owned()));
    told.extend((!found.can_succeed).then(|| "nobody gets in".to_owned()));
    told.extend(found.factor_lines.is_empty().then(|| "not asked".to_owned()));
    told
}

#[test]
fn each_stack_has_its_verdict() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .map(|case| (&case.name, &case.expected, findings(&stack("x", &case.files))))
        .filter(|(_, expected, found)| *expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Results that modules have in life, and that control words tell apart.
const RESULTS: [&str; 6] =
    ["success", "auth_err", "ignore", "user_unknown", "new_authtok_reqd", "conv_err"];

/// Returns the files of a case under names of their own. pam_debug replaces each module, and
/// returns the drawn result of its line.
fn rewritten(
    case: &Case,
    number: usize,
    draw: &mut impl FnMut(&str) -> &'static str,
) -> BTreeMap<String, String> {
    let named = |name: &str| match name {
        "x" => format!("c{number}"),
        "other" => "other".to_owned(),
        name => format!("c{number}-{name}"),
    };
    let mut files = BTreeMap::new();
    for (name, text) in &case.files {
        let mut new = String::new();
        // A continued line is one line here.
        for line in text.replace("\\\n", " ").lines() {
            let _ = writeln!(new, "{}", with_debug(line, &named, draw));
        }
        if text.trim_end().ends_with('\\') {
            new = format!("{}\\\n", new.trim_end());
        }
        files.insert(named(name), new);
    }
    files
}

fn with_debug(
    line: &str,
    named: &impl Fn(&str) -> String,
    draw: &mut impl FnMut(&str) -> &'static str,
) -> String {
    let bare = line.split('#').next().unwrap().trim();
    if let Some(name) = bare.strip_prefix("@include ") {
        return format!("@include {}", named(name.trim()));
    }
    let Some((kind, rest)) = bare.split_once([' ', '\t']) else { return bare.to_owned() };
    let rest = rest.trim_start();
    let end = match rest.strip_prefix('[') {
        Some(inside) => inside.find(']').map_or(rest.len(), |end| end + 2),
        None => rest.find([' ', '\t']).unwrap_or(rest.len()),
    };
    let (word, module) = rest.split_at(end);
    match (word, module.trim()) {
        (word, "") => format!("{kind} {word}"),
        ("include" | "substack", name) => format!("{kind} {word} {}", named(name)),
        (word, module) => format!("{kind} {word} pam_debug.so auth={}", draw(module)),
    }
}

fn returned(rule: &Rule) -> ReturnCode {
    let RuleKind::Module { args, .. } = &rule.kind else { panic!("{rule:?}") };
    let name = args[0].strip_prefix("auth=").unwrap();
    ReturnCode::all().find(|code| code.name() == name).unwrap()
}

/// Logs in by these files, once for each call. Returns its label, the time and the result of
/// libpam. It also returns the answer of each module that libpam asked.
fn logins(machine: &Machine, files: &str, calls: &str) -> Vec<String> {
    machine
        .run_with_input(
            "awk '/^@@@ /{close(f); f=\"/etc/pam.d/\"$2; printf \"\" > f; next} {print > f}'",
            files,
        )
        .stdout_ok();
    machine.write("/tmp/series", calls);
    let out = machine.run("/opt/tests/pam -m -b /tmp/series").stdout_ok();
    out.lines().map(ToOwned::to_owned).collect()
}
