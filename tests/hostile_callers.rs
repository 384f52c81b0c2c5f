//! Attacks by people who are not let in, and by daemons that do not belong to this module.

use tests::{Machine, eventually, pam};

#[test]
fn hostile_text_is_escaped_in_logs_and_prompts() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let evil = "\\033]0;x\\007\\nMESSAGE=forged\\r\\033[2J";
    let ran = machine.run(&format!(
        "evil=$(printf '{evil}'); /opt/tests/pam -h \"$evil\" -r \"$evil\" -t \"$evil\" totp alice 000000; \
         /opt/tests/pam totp \"$evil\" 000000; /opt/tests/pam \"$evil\" alice 000000"
    ));
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:#?}");
    eventually("it is logged", || machine.log().matches("denied for").count() == 2);
    let log = machine.run("grep -a -v unix_chkpwd /run/log.txt").stdout;
    let ours: Vec<_> = log
        .lines()
        .filter(|line| line.contains("totp"))
        .filter(|line| line.contains('\u{1b}'))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
    assert!(!log.lines().any(|line| line.starts_with("MESSAGE=forged")), "{log}");
}

/// A server with CVE-2015-5600 lets a person try a thousand times in one connection.
#[test]
fn a_thousand_prompts_in_one_process_are_a_handful_of_guesses() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let wrong = seed.wrong_code();
    let many = machine.pam("totp", "alice", &wrong).from("192.0.2.1").repeat(1000).run();
    assert_eq!((many.yes, many.rc), (0, pam::MAXTRIES));
    let log = machine.log();
    let looked_at = log.matches("TOTP_REASON=code-wrong").count();
    assert!((1..=5).contains(&looked_at), "{looked_at} codes were looked at");
    // A user who logs in from a usual place is not kept out by that, after one success.
    machine.run("totpctl unlock alice").stdout_ok();
    let home = machine.pam("totp", "alice", &seed.code()).from("198.51.100.7").run();
    assert_eq!(home.rc, pam::SUCCESS);
    machine.pam("totp", "alice", &wrong).from("192.0.2.1").repeat(100).run();
    let again = machine.pam("totp", "alice", &seed.next_code()).from("198.51.100.7").run();
    assert_eq!(again.rc, pam::SUCCESS);
}

/// A damaged record tells a stranger nothing. It tells neither that it exists, nor that it is
/// damaged.
#[test]
fn a_damaged_record_looks_like_any_other_until_the_end() {
    let machine = Machine::new();
    for (service, options) in
        [("nullok", "nodelay nullok"), ("enroll", "nodelay enroll"), ("slow", "")]
    {
        machine.service(service, &format!("auth required pam_totp.so {options}\n"));
    }
    machine.enrolled("alice", 1);
    machine.enrolled("bob", 2);
    machine.kill_daemon("KILL");
    let damage = "UPDATE record SET uid = uid + 1 WHERE subject = 'bob'";
    let edit = "sqlite3 -cmd '.timeout 10000' /var/lib/totpd/store.db";
    machine.run(&format!("{edit} \"{damage}\"")).stdout_ok();
    // The screens of a user, without the length of a wait.
    let messages = |user: &str| {
        [
            ("totp", "000000"),
            ("nullok", "0000-0000-0000-0000"),
            ("enroll", "000000"),
            ("enroll", "000000"),
            ("slow", "000000"),
        ]
        .map(|(service, code)| {
            let login = machine.pam(service, user, code).terminal("ssh").from("192.0.2.9").run();
            // libpam makes one to three seconds of two.
            assert!(service != "slow" || login.ms >= 1000, "no delay: {login:#?}");
            let shown = login.shown.concat().replace(|c: char| c.is_ascii_digit(), "");
            (login.rc, shown)
        })
    };
    let (whole, damaged) = (messages("alice"), messages("bob"));
    assert_eq!(whole, damaged);
    let codes = damaged.map(|(rc, _)| rc);
    let (denied, throttled) = (pam::AUTH_ERR, pam::MAXTRIES);
    assert_eq!(codes, [denied, denied, denied, throttled, throttled]);
    let own = machine.run_as("bob", "/opt/tests/pam totp bob 000000");
    assert!(own.stdout.contains(&format!("rc={throttled} ")), "over the bus: {own:#?}");
    // The administrator is told, at the priority of an error.
    let log = machine.log();
    let told =
        "MESSAGE=cannot unseal the record of bob: it was damaged, or changed by another program;";
    let lines: Vec<_> = log.lines().collect();
    let is_error = |pair: &[&str]| pair[0].starts_with(told) && pair[1] == "PRIORITY=3";
    assert!(lines.windows(2).any(is_error), "{log}");
    assert!(log.contains("denied for bob at totp from 192.0.2.9: the record is damaged"), "{log}");
    let state = machine.run("totpctl verify-store");
    assert!(state.stderr.contains("damaged: bob\n"), "nothing was enrolled: {state:#?}");
}

/// A program may replace the delay of libpam. It is told what the module asked for, which does not
/// depend on the reason.
#[test]
fn each_refusal_asks_libpam_for_the_same_delay() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.service("slow", "auth required pam_totp.so\n");
    let ask = |service: &str, user: &str, code: &str| {
        let ran = machine.run(&format!("/opt/tests/pam -D {service} {user} {code}")).stdout;
        let word = |name: &str| {
            let value = ran.split_whitespace().find_map(|word| word.strip_prefix(name));
            value.and_then(|value| value.parse::<i32>().ok()).unwrap_or_else(|| panic!("{ran}"))
        };
        (word("rc="), word("delay="), word("ms="))
    };
    let mut codes = Vec::new();
    for user in ["alice", "alice", "alice", "alice", "bob", "nobody-has-this-name"] {
        let (rc, delay, ms) = ask("slow", user, "000000");
        assert!((1_000_000..=3_000_000).contains(&delay), "{user}: {delay} µs");
        assert!(ms < 1000, "{user}: the program waited {ms} ms");
        codes.push(rc);
    }
    assert!(codes.contains(&pam::AUTH_ERR) && codes.contains(&pam::MAXTRIES), "{codes:?}");
    assert_eq!(ask("totp", "bob", "000000").1, 0, "nodelay");
    machine.run("totpctl unlock alice").stdout_ok();
    let (rc, delay, _) = ask("slow", "alice", &seed.code());
    assert_eq!((rc, delay), (pam::SUCCESS, 0));
}

/// An ordinary user asks about itself as fast as it can.
#[test]
fn a_flood_of_an_ordinary_user_keeps_nobody_else_out() {
    let machine = Machine::new();
    machine.enrolled("carol", 2);
    let seed = machine.enrolled("alice", 1);
    let mut flood = machine.start(
        "exec setpriv --reuid carol --clear-groups sh -c \
         'touch /tmp/flooding; while :; do /opt/tests/user_flood 1000 carol; done' > /tmp/flood 2>&1",
    );
    eventually("it floods", || machine.run("test -e /tmp/flooding").status == 0);
    let login = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(login.rc, pam::SUCCESS, "{login:#?}");
    machine.run("rm /run/totpd/private").stdout_ok();
    let over_the_bus = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!(over_the_bus.rc, pam::SUCCESS, "{over_the_bus:#?}");
    flood.kill().unwrap();
    flood.wait().unwrap();
}

/// A daemon of another version may know words that this module does not. It may lack details that
/// the module would like. Only known words open a door.
#[test]
fn the_words_of_another_version_open_no_door() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.kill_daemon("KILL");
    machine.run("chmod -x /usr/libexec/totpd; rm /run/totpd/private").stdout_ok();
    for (action, verdict, rc) in [
        // An older one: no detail of how many digits.
        ("prompt", "approved", pam::SUCCESS),
        ("prompt", "denied", pam::AUTH_ERR),
        ("prompt", "throttled", pam::MAXTRIES),
        // Newer ones.
        ("prompt", "perhaps", pam::SERVICE_ERR),
        ("prompt", "Approved", pam::SERVICE_ERR),
        ("enroll", "approved", pam::SERVICE_ERR),
        ("wait", "approved", pam::SERVICE_ERR),
        ("", "", pam::SERVICE_ERR),
    ] {
        let mut other = machine.start(&format!(
            "exec /opt/tests/fake_totpd unix:path=/run/dbus/system_bus_socket /tmp/asked '{action}' '{verdict}'"
        ));
        eventually("it has the name", || machine.owns_its_name());
        let login = machine.pam("totp", "alice", "123456").run();
        assert_eq!(login.rc, rc, "{action} {verdict}: {login:#?}");
        machine.run("kill $(pidof fake_totpd)").stdout_ok();
        other.wait().unwrap();
        eventually("it is gone", || !machine.owns_its_name());
    }
}

/// While the daemon is down, an ordinary user cannot take its name or its socket. The user cannot
/// answer for it either.
#[test]
fn nobody_stands_in_for_a_daemon_that_is_down() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.kill_daemon("KILL");
    machine.run("chmod -x /usr/libexec/totpd").stdout_ok();
    for command in [
        "/opt/tests/fake_totpd unix:path=/run/dbus/system_bus_socket /tmp/asked",
        "socat UNIX-LISTEN:/run/totpd/other EXEC:yes",
        "rm -f /run/totpd/private",
        "mv /run/totpd/private /tmp/",
    ] {
        let call = machine.run_as("carol", &format!("timeout 5 {command}"));
        assert_ne!(call.status, 0, "{command}: {call:#?}");
    }
    assert_eq!(machine.run("test -S /run/totpd/private").status, 0);
    assert_eq!(machine.pam("totp", "alice", "123456").run().rc, pam::AUTHINFO_UNAVAIL);
}

/// One program may have two stacks open. One stack may name the module twice.
#[test]
fn two_stacks_in_one_process_do_not_disturb_each_other() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine
        .service("twice", "auth required pam_totp.so nodelay\nauth required pam_totp.so nodelay\n");
    let login = machine.pam("twice", "alice", &seed.code()).run();
    assert_eq!(login.rc, pam::AUTH_ERR, "the same code for both");
    assert_eq!(login.shown.len(), 2);
    machine
        .run("cp $(find /usr/lib* -name pam_totp.so | head -n1) /usr/lib/pam_totp_copy.so")
        .stdout_ok();
    machine.service(
        "copies",
        "auth required pam_totp.so nodelay\nauth [success=ok default=bad] /usr/lib/pam_totp_copy.so use_first_pass\n",
    );
    let login = machine.pam("copies", "alice", &seed.next_code()).run();
    assert_eq!(login.rc, pam::AUTH_ERR, "it hands on no code that it used: {login:#?}");
    assert_eq!(login.shown.len(), 1);
}
