//! Fewer prompts: logins that need no code, because the same user gave one a moment ago from the
//! same address at the same service.

use serde_json::Value;
use tests::{JsonSchema, Machine, pam};

mod clients;
mod ends;

const FILE: &str = "/etc/totpd/totpd.toml.d/10-rules.toml";
/// A stack in which something else accepts a login without a code.
const BEHIND: &str = "auth required pam_totp.so nodelay\nauth required pam_permit.so\n";
const HOME: &str = "192.0.2.1";

/// Has a rule for everybody everywhere remember codes.
fn remember(machine: &Machine, keys: &str) {
    let rule = format!("[[rule]]\nname = \"home\"\nthen = \"require\"\n{keys}\n");
    machine.write(FILE, &rule);
    machine.run("totpctl rules reload").stdout_ok();
}

/// Returns the result of a login with this answer, and how many prompts and messages it had.
fn login(machine: &Machine, service: &str, user: &str, from: &str, answer: &str) -> (i32, usize) {
    let ran = machine.pam(service, user, answer).from(from).run();
    (ran.rc, ran.shown.len())
}

const LET_BY: (i32, usize) = (pam::SUCCESS, 0);
const APPROVED: (i32, usize) = (pam::SUCCESS, 1);
const REFUSED: (i32, usize) = (pam::AUTH_ERR, 1);

fn trusted(machine: &Machine, whose: &str) -> Vec<Value> {
    let listed = machine.run(&format!("totpctl --json trust list {whose}")).stdout_ok();
    if listed.is_empty() {
        Vec::new()
    } else {
        JsonSchema::of_totpctl().check("trust_list", &listed)
    }
}

#[test]
fn a_code_is_remembered_for_its_user_source_and_service_alone() {
    let machine = Machine::new();
    for service in ["behind", "behind-i"] {
        machine.service(service, BEHIND);
    }
    machine.service("alone", "auth sufficient pam_totp.so nodelay\n");
    remember(&machine, "remember = \"8h\"");
    machine.enrolled("bob", 2);
    let code = machine.fresh_code("alice");
    let asked = |service: &str, user: &str, from: &str| login(&machine, service, user, from, "");
    assert_eq!(asked("behind", "alice", HOME), REFUSED);
    assert_eq!(login(&machine, "behind", "alice", HOME, &code), APPROVED);
    assert_eq!(asked("behind", "alice", HOME), LET_BY);
    assert_eq!(asked("behind", "alice", "::ffff:192.0.2.1"), LET_BY, "the same address");
    for (service, user, from) in [
        ("behind", "alice", "192.0.2.2"),
        ("behind", "alice", "127.0.0.1"),
        ("behind", "alice", "::1"),
        ("behind", "alice", "home.example.org"),
        ("behind", "bob", HOME),
        ("behind", "nobody-here", HOME),
        ("behind-i", "alice", HOME),
        ("totp", "alice", HOME),
    ] {
        assert_eq!(asked(service, user, from), REFUSED, "{service} {user} {from}");
    }
    let elsewhere = login(&machine, "behind", "alice", "192.0.2.2", &code);
    assert_eq!(elsewhere, REFUSED, "the code is used up");
    // A caller that is not root is not believed about its address.
    let forged = machine.run_as("alice", &format!("/opt/tests/pam -h {HOME} behind alice ''"));
    assert!(forged.stdout.contains("shown: ") && !forged.stdout.contains("rc=0"), "{forged:#?}");
    // PAM_IGNORE opens nothing where our line stands alone.
    machine.run("totpctl unlock alice").stdout_ok();
    let code = machine.fresh_code("alice");
    assert_eq!(login(&machine, "alone", "alice", HOME, &code), APPROVED);
    let alone = asked("alone", "alice", HOME);
    assert!(alone.0 != pam::SUCCESS && alone.1 == 0, "{alone:?}");
    let log = machine.log();
    for line in [
        "skipped for alice at behind from 192.0.2.1: an earlier code is remembered (rule home)",
        "TOTP_REASON=skipped-remembered",
        "denied for alice at behind from 192.0.2.2: code already used",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[test]
fn a_burst_opens_twenty_further_connections_and_no_more() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    remember(&machine, "burst = \"5m\"");
    let code = machine.fresh_code("alice");
    assert_eq!(login(&machine, "behind", "alice", HOME, &code), APPROVED);
    assert_eq!(login(&machine, "behind", "alice", "192.0.2.2", &code), REFUSED);
    let many = machine.pam("behind", "alice", "").from(HOME).repeat(30).run();
    assert_eq!(many.yes, 20, "{many:#?}");
    let code = machine.fresh_code("alice");
    assert_eq!(login(&machine, "behind", "alice", HOME, &code), APPROVED);
    machine.kill_daemon("TERM");
    assert_eq!(login(&machine, "behind", "alice", HOME, ""), REFUSED, "it was in memory");
    assert!(machine.log().contains("TOTP_REASON=skipped-in-burst"));
}

#[test]
fn with_forward_pass_nobody_sees_before_the_password_that_no_code_is_needed() {
    let machine = Machine::new();
    machine.service(
        "combined",
        "auth required pam_totp.so forward_pass nodelay\nauth required pam_unix.so use_first_pass nodelay\n",
    );
    remember(&machine, "remember = \"8h\"");
    let code = machine.fresh_code("alice");
    let answer = format!("alicepw{code}");
    assert_eq!(login(&machine, "combined", "alice", HOME, &answer), APPROVED);
    assert_eq!(login(&machine, "combined", "alice", HOME, "alicepw"), APPROVED, "asked alike");
    assert_eq!(login(&machine, "combined", "alice", HOME, "wrong").0, pam::AUTH_ERR);
    assert_eq!(login(&machine, "combined", "alice", "192.0.2.2", "alicepw"), REFUSED);
}

#[test]
fn users_see_and_end_their_own_and_administrators_all() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    remember(&machine, "remember = \"8h\"\nburst = \"5m\"");
    for user in ["alice", "bob"] {
        let code = machine.fresh_code(user);
        assert_eq!(login(&machine, "behind", user, HOME, &code), APPROVED);
    }
    let all = trusted(&machine, "--all");
    let kinds: Vec<_> = all.iter().map(|one| [&one["user"], &one["kind"]]).collect();
    assert_eq!(
        kinds,
        [["alice", "remember"], ["alice", "burst"], ["bob", "remember"], ["bob", "burst"]]
    );
    assert_eq!((&all[0]["source"], &all[0]["service"]), (&HOME.into(), &"behind".into()));
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("behind from 192.0.2.1: no code is needed until "), "{shown}");
    let explained = machine.run(&format!("totpctl explain alice behind --from {HOME}")).stdout_ok();
    assert!(explained.contains("But an earlier code is remembered until "), "{explained}");
    assert!(explained.contains("PAM gets PAM_IGNORE: an earlier code is remembered."));
    let doctor = machine.run("totpctl doctor").text();
    assert!(doctor.contains("[rule-remembers-code]"), "{doctor}");
    for command in ["trust list bob", "trust revoke bob", "trust list --all", "trust revoke --all"]
    {
        let refused = machine.run_as("alice", &format!("totpctl {command}"));
        assert_eq!(refused.status, 4, "{command}: {refused:#?}");
    }
    let own = machine.run_as("alice", "totpctl trust list").stdout_ok();
    assert!(own.contains("remember") && !own.contains("bob"), "{own}");
    let ended = machine.run_as("alice", "totpctl trust revoke");
    assert!(ended.status == 0 && ended.stderr.contains("2 remembered logins ended."), "{ended:#?}");
    assert_eq!(login(&machine, "behind", "alice", HOME, ""), REFUSED);
    assert_eq!(login(&machine, "behind", "bob", HOME, ""), LET_BY);
    let ended = machine.run("totpctl --json trust revoke --all").stdout_ok();
    JsonSchema::of_totpctl().check("trust_revoke", &ended);
    assert_eq!(login(&machine, "behind", "bob", HOME, ""), REFUSED);
    assert!(trusted(&machine, "--all").is_empty());
}
