//! What `totpctl explain` says, beside what a login then does. And the reload of rules.

use serde_json::Value;
use tests::{JsonSchema, Machine, eventually, pam};

mod comparison;
mod many_rules;
mod ways_in;

const FILE: &str = "/etc/totpd/totpd.toml.d/10-rules.toml";
const ALONE: &str = "auth required pam_totp.so nodelay\n";
const BEHIND: &str = "auth required pam_totp.so nodelay\nauth required pam_permit.so\n";

/// Returns a rule for everybody.
fn rule(name: &str, keys: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\n{keys}\n")
}

/// Writes these rules, and has the daemon read them.
fn reload(machine: &Machine, rules: &str) {
    machine.write(FILE, rules);
    machine.run("totpctl rules reload").stdout_ok();
}

#[test]
fn a_reload_puts_good_rules_in_force_and_leaves_those_before_bad_ones() {
    let machine = Machine::new();
    let schema = JsonSchema::of_totpctl();
    machine.service("behind", BEHIND);
    let login = || machine.pam("behind", "alice", "000000").from("10.1.2.3").run().rc;
    machine.enrolled("alice", 1);
    let daemon = machine.daemon();
    assert_eq!(login(), pam::AUTH_ERR);
    let skip = rule("office", "from = [\"10.0.0.0/8\"]\nthen = \"skip\"");
    machine.write(FILE, &format!("{skip}[verify]\nskew = 3\n"));
    let done = machine.run("totpctl --json rules reload").stdout_ok();
    let done = schema.check("rules_reload", &done).remove(0);
    assert_eq!(done["rules"], 1);
    assert_eq!(done["needs_restart"], serde_json::json!(["verify.skew"]));
    assert_eq!(login(), pam::SUCCESS, "the rule is in force");
    // A fault is named by file and line, to the caller and in the journal.
    machine.write(FILE, &rule("office", "form = [\"10.0.0.0/8\"]\nthen = \"deny\""));
    let place = format!("{FILE}:3: ");
    let refused = machine.run("totpctl --json rules reload");
    assert_eq!(refused.status, 1, "{refused:#?}");
    let object = schema.check("error", &refused.stdout).remove(0);
    assert_eq!(object["error"]["code"], "invalid-configuration");
    assert!(refused.stderr.contains(&place), "{refused:#?}");
    assert_eq!(login(), pam::SUCCESS, "the rule of before is in force");
    // A signal does the same.
    let hang_up = || machine.run("kill -HUP $(pidof totpd)").stdout_ok();
    let says = |words: &str| eventually(words, || machine.log().contains(words));
    machine.run(": > /run/log.txt").stdout_ok();
    hang_up();
    says(&format!("cannot reload: {place}"));
    assert_eq!(login(), pam::SUCCESS);
    machine.write(FILE, &rule("gone", "groups = [\"no-such-group\"]\nthen = \"deny\""));
    hang_up();
    says("reloaded: 1 rule is in force");
    says(&format!("{FILE}:3: groups: no group"));
    assert_eq!(login(), pam::AUTH_ERR);
    machine.run(&format!("rm {FILE}")).stdout_ok();
    let none = machine.run("totpctl rules reload");
    assert!(none.status == 0 && none.stderr.contains("No rule is in force"), "{none:#?}");
    assert_eq!(machine.daemon(), daemon, "it never ended");
}

#[test]
fn only_root_reloads_and_users_ask_about_themselves_alone() {
    let machine = Machine::new();
    machine.service("alone", ALONE);
    let reloaded = machine.run_as("alice", "totpctl rules reload");
    assert!(reloaded.status == 4 && reloaded.stderr.contains("only root may"), "{reloaded:#?}");
    let called = machine.call("alice", "org.totpd.Totp1.Manager.Reload", "");
    assert!(called.status != 0 && called.text().contains("NotAuthorized"), "{called:#?}");
    let own = machine.run_as("alice", "totpctl explain alice alone");
    assert!(own.stdout_ok().contains("A code is needed: no rule fits."));
    for user in ["bob", "root", "no-such-user"] {
        let other = machine.run_as("alice", &format!("totpctl explain {user} alone"));
        assert_eq!(other.status, 4, "{other:#?}");
    }
    machine.run("totpctl explain bob alone && totpctl explain root alone").stdout_ok();
    let staff = rule("staff", "users = [\"bob\"]\nfrom = [\"10.9.0.0/16\"]\nthen = \"skip\"");
    reload(&machine, &format!("{staff}{}", rule("others", "then = \"require\"")));
    let asked = "totpctl explain alice alone --from 192.0.2.1";
    let (own, by_root) =
        (machine.run_as("alice", asked).stdout_ok(), machine.run(asked).stdout_ok());
    assert!(by_root.contains("10.9.0.0/16") && by_root.contains("10-rules.toml:"), "{by_root}");
    assert!(own.contains("others: it fits: require"), "{own}");
    for secret in ["staff", "bob", "10.9.0.0", "10-rules.toml"] {
        assert!(!own.contains(secret), "{secret}: {own}");
    }
    assert_eq!(machine.run("totpctl explain no-such-user alone").status, 1);
}

/// Each question is answered by the old rules or by the new ones. With half of both, a login would
/// be asked and let in, or refused unasked.
#[test]
fn a_login_during_a_reload_sees_one_set_of_rules() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    let skip = [rule("a", "users = [\"bob\"]\nthen = \"deny\""), rule("b", "then = \"skip\"")];
    machine.write("/root/skip.toml", &skip.concat());
    machine.write("/root/deny.toml", &rule("b", "then = \"deny\""));
    let mut reloads = machine.start(&format!(
        "for i in $(seq 100); do
           for rules in skip deny; do cp /root/$rules.toml {FILE}.new; mv {FILE}.new {FILE}; totpctl rules reload || exit 1; done
         done"
    ));
    let mut seen = [0, 0];
    while reloads.try_wait().unwrap().is_none() {
        let login = machine.pam("behind", "carol", "000000").run();
        match (login.rc, login.shown.len()) {
            (pam::SUCCESS, 0) => seen[0] += 1,
            // The first question may be answered by the old rules, and the second by the new ones.
            (pam::SUCCESS, 1) | (pam::AUTH_ERR, 1) => seen[1] += 1,
            _ => panic!("{login:#?}"),
        }
    }
    assert!(reloads.wait().unwrap().success());
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

#[test]
fn a_deadline_that_passed_stays_passed_over_reloads() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    let day = machine.run("date -u -d '+5 days' +%FT%TZ").stdout_ok();
    let roll_out = rule("roll-out", &format!("then = \"enroll-by {}\"", day.trim()));
    let mut daemon = machine.start_with_clock();
    let login = || machine.pam("behind", "bob", "000000").run().rc;
    reload(&machine, &roll_out);
    assert_eq!(login(), pam::SUCCESS);
    // To ask about a time to come has no deadline pass.
    let later = machine.run("totpctl explain bob behind --at $(date -u -d '+6 days' +%FT%TZ)");
    assert!(later.stdout_ok().contains("A code is needed"));
    assert_eq!(login(), pam::SUCCESS);
    machine.set_clock(6 * 86_400);
    assert_eq!(login(), pam::AUTH_ERR);
    machine.set_clock(0);
    reload(&machine, &roll_out);
    assert_eq!(login(), pam::AUTH_ERR);
    reload(&machine, &rule("other", "then = \"enroll-by 2100-01-01\""));
    assert_eq!(login(), pam::SUCCESS, "another date");
    reload(&machine, &roll_out);
    assert_eq!(login(), pam::AUTH_ERR, "the first one again");
    let told = machine.run("totpctl explain bob behind").stdout_ok();
    assert!(told.contains("A code is needed: the rule \"roll-out\" decides."), "{told}");
    machine.kill_daemon("TERM");
    let _ = daemon.wait();
}

#[test]
fn an_explanation_says_what_stack_and_rules_make_of_a_login() {
    let machine = Machine::new();
    machine.service("alone", ALONE);
    machine.service("behind", BEHIND);
    machine.enrolled("alice", 1);
    let rules = [
        rule("always", "services = [\"sudo\"]\nthen = \"require\""),
        rule("staff", "groups = [\"daemon\"]\nthen = \"deny\""),
        rule("office", "from = [\"10.0.0.0/8\"]\nthen = \"skip\""),
    ];
    reload(&machine, &rules.concat());
    let schema = JsonSchema::of_totpctl();
    let explain = |arguments: &str| machine.run(&format!("totpctl explain {arguments}"));
    let page = explain("alice behind --from 10.1.2.3").stdout_ok();
    for line in [
        "No code is needed: the rule \"office\" decides.",
        "PAM gets PAM_IGNORE: no code is needed here.",
        "The person sees nothing.",
        &format!("  always ({FILE}:1): it is for sudo, and not for behind"),
        &format!("  staff ({FILE}:5): alice is not in a group of daemon"),
        &format!("  office ({FILE}:9): it fits: skip"),
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(!page.contains("But PAM_IGNORE"), "{page}");
    let alone = explain("alice alone --from 10.1.2.3").stdout_ok();
    assert!(alone.contains("add \"auth required pam_permit.so\" after that line"), "{alone}");
    let host = explain("alice behind --from office.example.org").stdout_ok();
    assert!(
        host.contains("A code is needed") && host.contains("in 10.0.0.0/8: a host name"),
        "{host}"
    );
    assert!(host.contains("so the stricter result holds"), "{host}");
    let unsaid = explain("alice behind").stdout_ok();
    assert!(unsaid.contains("it names no origin"), "{unsaid}");
    let nowhere = explain("alice no-such-service").stdout_ok();
    assert!(nowhere.contains("There is no PAM service no-such-service"), "{nowhere}");
    for (arguments, words) in [
        ("alice sshd --from seat", "rules know no seat yet"),
        ("alice sshd --at tomorrow", "write a day"),
        ("alice", "SERVICE"),
    ] {
        let refused = explain(arguments);
        assert!(refused.status == 2 && refused.stderr.contains(words), "{refused:#?}");
    }
    for arguments in ["alice behind --from 10.1.2.3", "bob no-such-service --as carol"] {
        let printed = machine.run(&format!("totpctl --json explain {arguments}")).stdout_ok();
        schema.check("explain", &printed);
    }
    // Nobody was asked, and nothing was used.
    let shown: Value =
        serde_json::from_str(&machine.run("totpctl --json show alice").stdout_ok()).unwrap();
    assert_eq!(shown["failures"], 0, "{shown}");
}

/// Everything that doctor finds in rules, each at its file and line.
#[test]
fn doctor_names_what_rules_open_and_shut() {
    let machine = Machine::new();
    machine.run("rm -f /etc/pam.d/totp").stdout_ok();
    machine.service("sudo", "auth required pam_unix.so\nauth required pam_totp.so\n");
    machine.service("sudo-i", "auth required pam_unix.so\nauth required pam_totp.so\n");
    let found = || -> Vec<(String, String)> {
        let doctor = machine.run("totpctl --json doctor").stdout;
        let doctor: Value = serde_json::from_str(&doctor).unwrap();
        let list = |key: &str| doctor["host"][key].as_array().unwrap().clone();
        let all = [list("problems"), list("notes")].concat();
        let place = |finding: &Value| {
            format!("{}:{}", finding["file"].as_str().unwrap_or_default(), finding["line"])
        };
        let mine = all.iter().filter(|finding| {
            let id = finding["id"].as_str().unwrap();
            id.starts_with("rule-") || id.starts_with("nss-")
        });
        mine.map(|finding| (finding["id"].as_str().unwrap().to_owned(), place(finding))).collect()
    };
    assert_eq!(found(), [], "no rules");
    machine.run("sed -i 's/^group:.*/group: files sss systemd/' /etc/nsswitch.conf").stdout_ok();
    let rules = [
        rule("office", "groups = [\"daemon\"]\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\""),
        rule("gone", "groups = [\"no-such-group\"]\nthen = \"deny\""),
        rule(
            "never",
            "groups = [\"daemon\", \"no-such-group\"]\nfrom = [\"10.1.0.0/16\"]\nthen = \"deny\"",
        ),
        rule("all", "then = \"deny\""),
    ];
    reload(&machine, &rules.concat());
    let line = machine.run("grep -n ^group: /etc/nsswitch.conf | cut -d: -f1").stdout_ok();
    let expected = [
        ("rule-never-decides", format!("{FILE}:10")),
        ("rule-denies-root", format!("{FILE}:15")),
        ("rule-skips-code", format!("{FILE}:1")),
        ("rule-group-unknown", format!("{FILE}:8")),
        ("nss-hides-outage", format!("/etc/nsswitch.conf:{}", line.trim())),
    ];
    let found_now = found();
    let expected = expected.map(|(id, place)| (id.to_owned(), place));
    assert_eq!(found_now, expected);
    let warned = machine.run("/usr/libexec/totpd --check-config");
    assert!(warned.status == 0, "{warned:#?}");
    for words in [
        "while sss is down, systemd",
        "\"never\" can never decide",
        "no group \"no-such-group\"",
        "\"all\" refuses root at every service and from everywhere",
    ] {
        assert!(warned.stderr.contains(words), "{words}: {warned:#?}");
    }
    // What is meant is accepted, until the rule changes.
    machine.run("totpctl doctor accept rule-skips-code --reason 'its own door'").stdout_ok();
    assert!(found().iter().all(|(id, _)| id != "rule-skips-code"));
    let wider = rules.concat().replace("10.0.0.0/8", "0.0.0.0/0");
    reload(&machine, &wider);
    assert!(found().iter().any(|(id, _)| id == "rule-skips-code"));
    // A rule for root opens a way.
    reload(
        &machine,
        &format!("{}{}", rule("root", "users = [\"root\"]\nthen = \"require\""), rules[3]),
    );
    assert!(found().iter().all(|(id, _)| id != "rule-denies-root"));
}

/// A file is compared with the rules in force before it takes their place.
#[test]
fn a_check_says_what_a_file_would_change() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let schema = JsonSchema::of_totpctl();
    let office = rule(
        "office",
        "groups = [\"daemon\"]\nservices = [\"sshd\"]\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"",
    );
    reload(&machine, &office);
    let check = |text: &str| {
        machine.write("/root/10-rules.toml", text);
        machine.run("totpctl --json rules check /root/10-rules.toml")
    };
    let same = check(&office.replace("office", "lan"));
    assert_eq!(same.status, 0, "{same:#?}");
    assert_eq!(
        schema.check("rules_check", &same.stdout).remove(0)["changes"],
        serde_json::json!([])
    );
    let wider =
        check(&format!("{}[verify]\nskew = 4\n", office.replace("\"sshd\"", "\"sshd\", \"su\"")));
    assert_eq!(wider.status, 5, "{wider:#?}");
    let object = schema.check("rules_check", &wider.stdout).remove(0);
    let change = &object["changes"][0];
    assert_eq!(object["changes"].as_array().unwrap().len(), 1, "{object}");
    assert_eq!(change["services"], serde_json::json!(["su"]));
    assert_eq!(change["from"], serde_json::json!(["10.0.0.0", "10.255.255.255"]));
    assert_eq!((&change["before"], &change["after"]), (&"a code".into(), &"no code".into()));
    assert_eq!(object["needs_restart"], serde_json::json!(["verify.skew"]));
    let users = change["users"].to_string();
    assert!(users.contains("members of daemon") && !users.contains("alice"), "{users}");
    // alice is named because she has a factor, although no rule names her.
    let denied = check(&rule("all", "then = \"deny\""));
    assert!(denied.status == 5 && denied.stdout.contains("\"alice\""), "{denied:#?}");
    let invalid = check(&rule("office", "form = [\"10.0.0.0/8\"]\nthen = \"deny\""));
    assert!(
        invalid.status == 1 && invalid.stderr.contains("/root/10-rules.toml:3: "),
        "{invalid:#?}"
    );
    let object = schema.check("error", &invalid.stdout).remove(0);
    assert_eq!(object["error"]["code"], "invalid-configuration");
    assert_eq!(machine.run("totpctl rules check /root/none.toml").status, 1);
    // Without a file, those of the configuration as they are, before a reload.
    assert_eq!(machine.run("totpctl rules check").status, 0);
    machine.write(FILE, &rule("all", "then = \"deny\""));
    let edited = machine.run("totpctl rules check");
    assert!(edited.status == 5 && edited.stdout.contains("refused"), "{edited:#?}");
    let words = "anybody else";
    assert!(edited.stdout.contains(words), "{edited:#?}");
    reload(&machine, &office);
    assert_eq!(machine.run("totpctl rules check").status, 0, "nothing was written");
}
