use std::path::PathBuf;

use totpd_core::policy::{
    Deadline, Fit, Groups, Person, Place, Question, Requirement, RuleName, Then, decide,
};
use totpd_core::source::Origin;

use crate::config::fragment::Fragment;
use crate::config::{Config, RuleSet};

/// Reads files in the order of their names.
fn load(files: &[(&str, &str)]) -> Result<RuleSet, String> {
    let mut all = Fragment::default();
    for (name, text) in files {
        let path = PathBuf::from(name);
        all = all.overridden_by(Fragment::parse(&path, text).map_err(|error| error.to_string())?);
    }
    Config::from_fragment(all).map(|(_, rules)| rules).map_err(|error| error.to_string())
}

const OFFICE: &str = r#"
[[rule]]
name = "robots"
users = ["svc-*"]
groups = ["robots"]
from = ["10.0.0.0/8", "local"]
then = "skip"

[[rule]]
name = "always"
services = ["sudo"]
then = "require"
methods = ["totp", "hotp"]
"#;
const ROLL_OUT: &str = r#"
[[rule]]
name = "march"
then = "enroll-by 2027-03-01T00:00:00Z"
"#;

#[test]
fn rules_come_in_the_order_of_files_and_then_of_each_file() {
    let config = load(&[("a.toml", OFFICE), ("b.toml", ROLL_OUT)]).unwrap();
    let names: Vec<_> = config.policy.rules().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["robots", "always", "march"]);
    let deadlines: Vec<_> = config.policy.deadlines().collect();
    assert_eq!(deadlines, [(&RuleName::parse("march").unwrap(), Deadline(1_803_859_200))]);
    let origin = Origin { rhost: Some("10.1.2.3"), ..Origin::default() };
    let question = Question {
        user: Person::Account("svc-web"),
        is_unenrolled: false,
        service: Some("sshd"),
        place: Place::locate(&origin, Fit::No),
        groups: &Groups::UNKNOWN,
        now: 0,
    };
    let decision = decide(&config.policy, &question, |_, _| {});
    assert!(matches!(decision.requirement, Requirement::Skip(_)));
    let always = config.policy.rules().nth(1).unwrap();
    let Then::Require(limits) = always.then else { panic!("{always:?}") };
    assert!(!limits.methods.include(totpd_core::verification::Method::Recovery));
    assert!(load(&[("a.toml", "")]).unwrap().policy.is_empty());
}

#[test]
fn a_fault_in_a_rule_names_file_line_and_what_to_do() {
    let with = |keys: &str| format!("\n[[rule]]\nname = \"x\"\nthen = \"skip\"\n{keys}\n");
    for (text, line, words) in [
        (with("from = [\"10.0.0.1/8\"]"), 5, "write \"10.0.0.0/8\""),
        (with("from = [\"office\"]"), 5, "from: \"office\": it is no network"),
        (with("from = [\"seat\"]"), 5, "\"seat\" is not in this version"),
        (with("from = [\"127.0.0.1\"]"), 5, "proxies connect from it"),
        (with("from = []"), 5, "from: the list is empty"),
        (with("users = []"), 5, "users: the list is empty"),
        (with("groups = []"), 2, "groups: the list is empty"),
        (with("users = [\"a*b\"]"), 5, "only at the end"),
        (with("users = \"alice\""), 5, "users: this is a list; write [\"alice\"]"),
        (with("groups = [\"a:b\"]"), 5, "no group can have that name"),
        (with("services = [\"SSHD\"]"), 5, "lower case"),
        (with("methods = [\"totp\"]"), 2, "only a rule with then = \"require\""),
        (with("remember = \"8h\""), 2, "then must be \"require\""),
        (with("subject = \"caller\""), 5, "subject: unknown field"),
        (with("form = [\"local\"]"), 5, "form: unknown field"),
        ("[[rule]]\nname = \"x\"\nthen = \"allow\"\n".into(), 3, "then: \"allow\" is no outcome"),
        ("[[rule]]\nname = \"x\"\nthen = \"enroll-by 2027-02-30\"\n".into(), 3, "write a day"),
        ("[[rule]]\nname = \"\"\nthen = \"skip\"\n".into(), 2, "it is no name"),
        ("[[rule]]\nthen = \"skip\"\n".into(), 1, "missing field `name`"),
        ("\n[[rule]]\nname = \"x\"\n".into(), 2, "missing field `then`"),
        (
            "[[rule]]\nname = \"x\"\nthen = \"require\"\nmethods = [\"palm\"]\n".into(),
            4,
            "is no method",
        ),
        ("[rule]\nname = \"x\"\n".into(), 1, ""),
    ] {
        let error = load(&[("a.toml", &text)]).unwrap_err();
        assert!(error.starts_with(&format!("a.toml:{line}: ")), "{text}: {error}");
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn rules_that_cannot_stand_together_are_refused_by_both_places() {
    let robots = "[[rule]]\nname = \"robots\"\nusers = [\"svc-a\"]\nthen = \"deny\"\n";
    let error = load(&[("a.toml", OFFICE), ("b.toml", robots)]).unwrap_err();
    assert!(
        error.starts_with("a.toml:2 and b.toml:1: ") && error.contains("rename one"),
        "{error}"
    );
    let later = "[[rule]]\nname = \"later\"\nusers = [\"svc-a\"]\nthen = \"deny\"\n";
    let error = load(&[("b.toml", ROLL_OUT), ("c.toml", later)]).unwrap_err();
    assert!(error.starts_with("b.toml:2 and c.toml:1: "), "{error}");
    assert!(error.contains("\"later\" can never decide, because \"march\""), "{error}");
    assert!(load(&[("a.toml", later), ("b.toml", ROLL_OUT)]).is_ok());
}

#[test]
fn a_group_that_nss_does_not_know_is_a_warning() {
    let text =
        "[[rule]]\nname = \"x\"\ngroups = [\"root\",\n  \"no-such-group-here\"]\nthen = \"skip\"\n";
    let mut warnings = load(&[("a.toml", text)]).unwrap().warnings();
    // This machine may have another order in nsswitch.conf than it should.
    warnings.retain(|warning| warning.contains("groups:"));
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("a.toml:4: groups: no group \"no-such-group-here\""), "{warning}");
}

#[test]
fn ten_thousand_rules_are_read_and_compared() {
    let rule = |number: u32| {
        format!("[[rule]]\nname = \"r{number}\"\nusers = [\"u{number}\"]\nthen = \"skip\"\n")
    };
    let text: String = (0..10_000).map(rule).collect();
    assert_eq!(load(&[("a.toml", &text)]).unwrap().policy.rules().count(), 10_000);
}

#[test]
fn names_in_any_script_mapped_networks_and_past_dates_are_read() {
    let text = "[[rule]]\nname = \"事務所 2\"\nusers = [\"ülkü\", \"Ольга*\"]\ngroups = [\"员工\"]\n\
                from = [\"::ffff:10.1.0.0/112\", \"FE80::/10\", \"::ffff:192.0.2.1\"]\nthen = \"skip\"\n\
                [[rule]]\nname = \"past\"\nthen = \"enroll-by 1999-12-31\"\n";
    let rules = load(&[("a.toml", text)]).unwrap();
    let needs = |user: &str, rhost: &str| {
        let question = Question {
            user: Person::Account(user),
            is_unenrolled: true,
            service: Some("sshd"),
            place: Place::locate(&Origin { rhost: Some(rhost), ..Origin::default() }, Fit::No),
            groups: &Groups::new(vec![Fit::No]),
            now: 1_800_000_000,
        };
        let decision = decide(&rules.policy, &question, |_, _| {});
        decision.requirement.rule().map(|rule| rule.name.to_string())
    };
    let (office, past) = (Some("事務所 2".to_owned()), Some("past".to_owned()));
    for (user, rhost, expected) in [
        ("ülkü", "10.1.2.3", &office),
        ("ülkü", "::ffff:10.1.2.3", &office),
        ("Ольга.П", "192.0.2.1", &office),
        ("Ольга.П", "fe80::1%eth0", &office),
        ("ülkü", "10.2.2.3", &past),
        ("u\u{308}lku\u{308}", "10.1.2.3", &past),
    ] {
        assert_eq!(needs(user, rhost), *expected, "{user} {rhost}");
    }
}

#[test]
fn a_rule_remembers_within_bounds_and_only_a_code() {
    let rule = |keys: &str| {
        let text = format!("[[rule]]\nname = \"x\"\nservices = [\"sshd\"]\n{keys}\n");
        load(&[("a.toml", &text)])
    };
    let rules = rule("then = \"require\"\nremember = \"8h\"\nburst = \"20s\"").unwrap();
    let Some(Then::Require(limits)) = rules.policy.rules().next().map(|rule| rule.then) else {
        panic!("{rules:?}")
    };
    assert_eq!(limits.remember.map(|time| time.seconds()), Some(28_800));
    assert_eq!(limits.burst.map(|time| time.seconds()), Some(20));
    for (key, values, words) in [
        ("remember", ["0", "0s", "59s", "91d", "36500d", "8", "soon"], "remembered for \"1m\" to"),
        ("burst", ["0", "0s", "0m", "301s", "36500d", "20", "soon"], "a burst lasts \"1s\" to"),
    ] {
        for value in values {
            let error = rule(&format!("then = \"require\"\n{key} = \"{value}\"")).unwrap_err();
            assert!(error.starts_with(&format!("a.toml:5: {key}: ")), "{error}");
            assert!(error.contains(words) && error.contains("remove the key"), "{error}");
        }
        for then in ["skip", "deny", "enroll-by 2027-01-15"] {
            let error = rule(&format!("then = \"{then}\"\n{key} = \"1m\"")).unwrap_err();
            assert!(error.contains("then must be \"require\""), "{error}");
        }
    }
    let mut warnings =
        rule("from = [\"local\"]\nthen = \"require\"\nburst = \"20s\"").unwrap().warnings();
    warnings.retain(|warning| warning.contains("[[rule]]"));
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("a.toml:1: [[rule]] \"x\" never remembers"), "{warning}");
}

#[test]
fn a_rule_that_several_leave_nothing_for_is_a_warning() {
    let rule =
        |name: &str, keys: &str| format!("[[rule]]\nname = \"{name}\"\n{keys}\nthen = \"deny\"\n");
    let text = rule("a", "services = [\"sshd\"]")
        + &rule("b", "services = [\"sudo\"]")
        + &rule("c", "services = [\"sudo-i\", \"sshd\"]");
    let mut warnings = load(&[("a.toml", &text)]).unwrap().warnings();
    warnings.retain(|warning| warning.contains("[[rule]]"));
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("a.toml:9: [[rule]] \"c\" can never decide"), "{warning}");
}

#[test]
fn what_a_rule_says_of_nobody_and_of_root_is_a_warning_with_its_line() {
    let rule = |name: &str, keys: &str, then: &str| {
        format!("[[rule]]\nname = \"{name}\"\n{keys}\nthen = \"{then}\"\n")
    };
    let root = rule("root", "users = [\"root\"]\nservices = [\"sshd\"]", "require");
    let (over, later) = ("enroll-by 1999-12-31", "enroll-by 2999-12-31");
    for (text, expected) in [
        (rule("a", "", later), None),
        (rule("a", "", over), Some((1, "a.toml:1: then: 1999-12-31 00:00 is over, so \"a\" asks"))),
        (rule("a", "users = [\"root\"]", "skip"), None),
        (
            rule("a", "users = [\"root\", \"no-such-user-here\"]", "skip"),
            Some((1, "a.toml:1: users: no user \"no-such-user-here\" is known")),
        ),
        (rule("a", "users = [\"no-such-*\"]", "deny"), None),
        (
            rule("a", "", "deny"),
            Some((1, "a.toml:1: [[rule]] \"a\" refuses everybody, root too, at every service")),
        ),
        (
            rule("a", "users = [\"*\"]", "deny"),
            Some((1, "a.toml:1: [[rule]] \"a\" refuses everybody, root too")),
        ),
        (
            rule("a", "users = [\"root\"]", "deny"),
            Some((1, "a.toml:1: [[rule]] \"a\" refuses root at every service and from everywhere")),
        ),
        (
            rule("a", "services = [\"sshd\"]", "deny") + &rule("b", "", "deny"),
            Some((1, "refuses everybody, root too")),
        ),
        (rule("a", "services = [\"sshd\"]", "deny"), None),
        (rule("a", "from = [\"10.0.0.0/8\"]", "deny"), None),
        // Root has a way in before.
        (root + &rule("all", "", "deny"), None),
    ] {
        let mut warnings = load(&[("a.toml", &text)]).unwrap().warnings();
        // This machine may lack a service, or have another order in nsswitch.conf than it should.
        warnings.retain(|told| !told.contains("services:") && !told.contains("write sss last"));
        match expected {
            None => assert_eq!(warnings, Vec::<String>::new(), "{text}"),
            Some((count, words)) => {
                assert_eq!(warnings.len(), count, "{text}: {warnings:?}");
                assert!(warnings[0].contains(words), "{text}: {warnings:?}");
            }
        }
    }
}
