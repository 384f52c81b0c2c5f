//! Shadow mode: pam_google_authenticator decides at a real sshd, and totpd notes what it would have
//! said.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tests::{Machine, SSH, eventually, scaled};

mod people;

use people::{Person, people};

const STACK: &str = "/etc/pam.d/sshd";

/// Returns a machine whose sshd asks for the password and for a code of google-authenticator, and
/// its users. A line behind it needs the password once more.
fn machine() -> (Machine, Vec<Person>) {
    let (machine, people) = (Machine::new(), people());
    let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
    machine
        .run(&format!(
            "for name in {}; do useradd -m -s /bin/bash $name; echo $name:${{name}}pw; done | chpasswd
             sed -i 's/^@include common-auth$/&\\n\
             auth required pam_google_authenticator.so no_increment_hotp\\n\
             auth requisite pam_unix.so use_first_pass/' {STACK}
             grep -c google {STACK}",
            names.join(" ")
        ))
        .stdout_ok();
    (machine, people)
}

/// Gives each user the file of google-authenticator, and a phone that shows its first code.
fn begin(machine: &Machine, people: &mut [Person]) {
    let mut script = String::new();
    for person in people {
        person.presses = 1;
        writeln!(script, "{}", person.write_file()).unwrap();
    }
    machine.run(&script).stdout_ok();
}

/// Logs in all users at once, each with its code. Returns for each whether it got in, and the
/// prompts.
fn logins(machine: &Machine, codes: &[(String, String)]) -> BTreeMap<String, String> {
    let mut script = format!(
        "rm -f /tmp/round.*
         login() {{
           export PROMPTS=/tmp/prompts.$1 PASSWORD=$1pw CODE=$2 SSH_ASKPASS=/opt/tests/askpass
           export SSH_ASKPASS_REQUIRE=force
           rm -f $PROMPTS
           out=$({SSH} $1@127.0.0.1 'echo in; env | grep -c PAM_TOTP' 2>/dev/null </dev/null)
           echo \"$1 $out $(tr '\\n' '|' <$PROMPTS)\" >/tmp/round.$1
         }}\n"
    );
    for (name, code) in codes {
        writeln!(script, "login {name} '{code}' &").unwrap();
    }
    script.push_str("wait; for file in /tmp/round.*; do tr '\\n' ' ' <$file; echo; done");
    let out = machine.run(&script).stdout_ok();
    let lines = out.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
}

/// Returns how a login ends that is asked for the password and the code.
fn ended(name: &str, got_in: bool) -> String {
    let (at, is_in) = (format!("({name}@127.0.0.1)"), if got_in { "in 0 " } else { "" });
    format!("{is_in}{at} Password: |{at} Verification code: |")
}

/// Logs in all users with the codes of a round, and checks that each ends as it must.
fn round(machine: &Machine, people: &mut [Person], number: u32) {
    let mut codes = Vec::new();
    let mut expected = BTreeMap::new();
    for person in people.iter_mut() {
        let is_right = person.is_right_in(number);
        codes.push((person.name.clone(), person.type_code(is_right)));
        expected.insert(person.name.clone(), ended(&person.name, is_right));
    }
    assert_eq!(logins(machine, &codes), expected, "round {number}");
}

/// Returns what is noted of each user.
fn report(machine: &Machine) -> BTreeMap<String, Value> {
    let lines = machine.run("totpctl --json shadow report").stdout_ok();
    let users = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    users.map(|user| (user["user"].as_str().unwrap().to_owned(), user)).collect()
}

/// Returns the users about which the modules differ, each with the cause.
fn differing(machine: &Machine) -> Vec<(String, String)> {
    let users = report(machine);
    let users = users.iter().filter(|(_, user)| user["state"] == "differs");
    users
        .map(|(name, user)| (name.clone(), user["refused_by"].as_str().unwrap().to_owned()))
        .collect()
}

fn enroll(machine: &Machine, people: &[&Person]) {
    let lines: String = people.iter().filter_map(|person| person.line_of_batch()).collect();
    machine.run_with_input("totpctl enroll --batch - --no-confirm", &lines).stdout_ok();
}

/// Has every login of `rounds` happen twice, without and with shadow mode. Without the daemon, it
/// has no effect either.
#[test]
fn the_report_names_those_who_would_be_shut_out_and_no_login_differs() {
    let rounds = scaled(10, 3);
    let (machine, mut people) = machine();
    begin(&machine, &mut people);
    for number in 0..rounds {
        round(&machine, &mut people, number);
    }

    begin(&machine, &mut people);
    enroll(&machine, &people.iter().collect::<Vec<_>>());
    let before = machine.run(&format!("cat {STACK}")).stdout_ok();
    let mut trial = Some(machine.start("exec totpctl shadow sshd >/tmp/tried 2>&1"));
    let in_shadow =
        |machine: &Machine| machine.run(&format!("grep shadow_end {STACK}")).status == 0;
    eventually("the lines are there", || in_shadow(&machine));
    for number in 0..rounds {
        let without_daemon = number % 3 == 1;
        if without_daemon {
            machine.run("mv /usr/libexec/totpd /usr/libexec/totpd.away").stdout_ok();
            machine.kill_daemon("KILL");
        }
        round(&machine, &mut people, number);
        if let Some(mut trial) = trial.take() {
            assert!(trial.wait().unwrap().success(), "{}", machine.run("cat /tmp/tried").stdout);
        }
        if without_daemon {
            machine.run("mv /usr/libexec/totpd.away /usr/libexec/totpd").stdout_ok();
        }
    }
    let expected: Vec<_> = [
        ("u16", "no-factor"),
        ("u17", "wrong-code"),
        ("u18", "digits"),
        ("u19", "window"),
        ("u20", "clock"),
    ]
    .map(|(name, cause)| (name.to_owned(), cause.to_owned()))
    .into();
    assert_eq!(differing(&machine), expected, "{:#?}", report(&machine));
    assert!(report(&machine).values().all(|user| user["state"] != "never-seen"));
    let told = machine.run("totpctl doctor sshd").text();
    assert!(told.contains("[shadow-mode]"), "{told}");

    a_daemon_that_hangs_delays_a_login_and_no_more(&machine, &mut people[0]);
    switch_and_return(&machine, &mut people, &before);
}

fn a_daemon_that_hangs_delays_a_login_and_no_more(machine: &Machine, person: &mut Person) {
    machine.run("totpctl list").stdout_ok();
    let daemon = machine.daemon().unwrap();
    machine.run(&format!("kill -STOP {daemon}")).stdout_ok();
    let codes = [(person.name.clone(), person.type_code(true))];
    let ended_as = logins(machine, &codes);
    machine.run(&format!("kill -CONT {daemon}")).stdout_ok();
    assert_eq!(ended_as.get(&person.name), Some(&ended(&person.name, true)));
}

/// Corrects what is wrong, puts totpd in the place of the other module, and goes back.
fn switch_and_return(machine: &Machine, people: &mut [Person], before: &str) {
    let refused = machine.run("totpctl shadow switch sshd");
    assert_eq!(refused.status, 1, "{refused:#?}");
    for named in [
        "u16 (no factor here)",
        "u17 (another seed)",
        "u18 (other digits)",
        "u19 (other window)",
        "u20 (clock)",
    ] {
        assert!(refused.stderr.contains(named), "{named}: {refused:#?}");
    }
    let wrong: Vec<_> = people.iter_mut().skip(15).collect();
    let mut script = String::new();
    for person in wrong {
        person.correct();
        writeln!(script, "{}", person.write_file()).unwrap();
    }
    machine.run(&format!("{script}totpctl remove u17 --yes; totpctl remove u18 --yes")).stdout_ok();
    enroll(machine, &people[15..18].iter().collect::<Vec<_>>());
    let all_in = |machine: &Machine, people: &mut [Person], what: &str, seconds: i64| {
        let codes: Vec<_> = people
            .iter_mut()
            .map(|person| (person.name.clone(), person.type_code_after(seconds)))
            .collect();
        for (name, end) in logins(machine, &codes) {
            assert!(end.starts_with("in 0 "), "{what}: {name}: {end}");
        }
    };
    all_in(machine, &mut people[15..], "corrected", 0);
    assert_eq!(differing(machine), []);

    let mut trial = machine.start("exec totpctl shadow switch sshd --yes >/tmp/tried 2>&1");
    let is_switched =
        || machine.run(&format!("grep -c '^auth.*google' {STACK}")).stdout.trim() == "0";
    eventually("the line is there", || is_switched() || trial.try_wait().unwrap().is_some());
    assert!(is_switched(), "{}", machine.run("cat /tmp/tried").stdout);
    all_in(machine, people, "switched", 30);
    assert!(trial.wait().unwrap().success(), "{}", machine.run("cat /tmp/tried").stdout);
    machine.run("totpctl shadow sshd --off").stdout_ok();
    assert_eq!(machine.run(&format!("cat {STACK}")).stdout_ok(), before);
    all_in(machine, people, "switched back", 0);
}

#[test]
fn nobody_but_root_notes_or_reads_verdicts() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let login = "org.totpd.Totp1.Login";
    for user in ["alice", "root"] {
        for (method, arguments) in [("Shadow", "alice 123456 '{}'"), ("ShadowLetIn", "alice '{}'")]
        {
            let told = machine.call(user, &format!("{login}.{method}"), arguments);
            assert!(told.stderr.contains("UnknownMethod"), "{user} {method}: {told:#?}");
        }
    }
    let told = machine.call("alice", "org.totpd.Totp1.Manager.ShadowReport", "'' 10");
    assert!(told.stderr.contains("NotAuthorized"), "{told:#?}");
    let told = machine.run_as("alice", "totpctl shadow report");
    assert_eq!(told.status, 4, "{told:#?}");
    assert_eq!(report(&machine)["alice"]["state"], "never-seen");
    assert!(machine.run("totpctl shadow report").stdout_ok().contains("never seen"));
}
