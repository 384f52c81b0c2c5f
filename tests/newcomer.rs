//! What a new administrator and a new user meet at a terminal.

use std::time::{Duration, Instant};

use tests::{Machine, Output, Seed, eventually, pam};

mod documents;
mod trial;

/// Runs a command at a terminal of `columns`, and types `input`.
fn at_a_terminal(machine: &Machine, columns: u32, command: &str, input: &str) -> Output {
    machine.run_with_input(
        &format!("script -qec 'stty cols {columns} rows 24 -echo; {command}' /dev/null"),
        input,
    )
}

#[test]
fn text_fits_the_terminal_and_is_whole_elsewhere() {
    let machine = Machine::new();
    machine.service("sshd", "auth required pam_unix.so\nauth required pam_totp.so\n");
    machine.enrolled("alice", 1);
    for columns in [60, 80] {
        for command in [
            "totpctl show alice",
            "totpctl list",
            "totpctl status",
            "totpctl doctor sshd",
            "totpctl show no-such-user",
            "totpctl backup /tmp/no/such/folder/backup --recipient age1",
        ] {
            let ran = at_a_terminal(&machine, columns, command, "");
            let shown = ran.stdout.replace('\r', "");
            assert!(!shown.is_empty(), "{command}: {ran:#?}");
            for line in shown.lines() {
                // A path or a link stays whole, so that it can be copied.
                let fits = line.chars().count() <= columns as usize;
                assert!(fits || !line.trim().contains(' '), "{command}: {line:?} in {shown}");
            }
        }
    }
    let whole = machine.run("totpctl doctor sshd").stdout;
    assert!(whole.lines().any(|line| line.len() > 100), "a program reads whole lines: {whole}");
}

#[test]
fn the_state_is_on_one_screen() {
    let machine = Machine::new();
    let nobody = machine.run("totpctl list");
    assert_eq!((nobody.status, &*nobody.stdout), (0, ""), "{nobody:#?}");
    assert!(nobody.stderr.contains("Nobody is enrolled. Next: totpctl enroll USER"), "{nobody:#?}");
    machine.service("sshd", "auth required pam_unix.so\nauth required pam_totp.so\n");
    let seed = machine.enrolled("alice", 1);
    for _ in 0..4 {
        machine.pam("totp", "alice", &seed.wrong_code()).run();
    }
    let host = machine.run("totpctl status").stdout_ok();
    assert!(host.lines().count() <= 24, "{host}");
    for expected in [
        "sshd",
        "Trial: none",
        "Users: 1 enrolled, 1 waiting (alice)",
        "Daemon: totpd ",
        "Clock: ",
        "Backups: signed by SHA256:",
    ] {
        assert!(host.contains(expected), "{expected}: {host}");
    }
    let json = machine.run("totpctl --json status").stdout_ok();
    assert!(json.contains("\"enrolled\":1") && json.contains("\"waiting\":[\"alice\"]"), "{json}");
    let own = machine.run_as("alice", "totpctl status").stdout_ok();
    for expected in [": verified", "Unknown sources: 3 wrong codes, wait", "sshd"] {
        assert!(own.contains(expected), "{expected}: {own}");
    }
    let none = machine.run_as("bob", "totpctl status").stdout_ok();
    assert!(none.contains("Next: totpctl enroll"), "{none}");
    let alone = machine.run("totpctl");
    assert_eq!(alone.status, 0, "{alone:#?}");
    assert!(alone.stdout.contains("The store (root):") && alone.stderr.is_empty(), "{alone:#?}");
}

#[test]
fn the_last_factor_is_removed_after_a_question() {
    let machine = Machine::new();
    machine.service("sshd", "auth required pam_unix.so\nauth required pam_totp.so\n");
    machine.run("rm -f /etc/pam.d/totp").stdout_ok();
    let enrolled =
        || machine.run("totpctl --json show alice").stdout_ok().contains("\"enrolled\":true");
    machine.enrolled("alice", 1);
    let kept = at_a_terminal(&machine, 80, "totpctl remove alice", "n\n");
    assert!(kept.stdout.contains("alice could then not log in by sshd. Go on?"), "{kept:#?}");
    assert!(kept.status == 1 && enrolled(), "{kept:#?}");
    let removed = at_a_terminal(&machine, 80, "totpctl remove alice", "y\n");
    assert!(removed.status == 0 && !enrolled(), "{removed:#?}");
    for (number, command) in
        [(2, "script -qec 'totpctl remove alice --yes' /dev/null"), (3, "totpctl remove alice")]
    {
        machine.enrolled("alice", number);
        let ran = machine.run(&format!("{command} </dev/null"));
        assert!(ran.status == 0 && !ran.text().contains("Go on?") && !enrolled(), "{ran:#?}");
    }
}

/// A list that leaves out a service of this host shuts the user out there.
#[test]
fn a_list_of_services_that_shuts_out_is_asked_about() {
    let machine = Machine::new();
    let asks = "auth required pam_unix.so\nauth required pam_totp.so\n";
    machine.service("sshd", asks);
    machine.service("sudo", asks);
    machine.run("rm -f /etc/pam.d/totp").stdout_ok();
    machine.enrolled("alice", 1);
    let services =
        || machine.run("totpctl --json show alice").stdout_ok().contains("\"services\":[\"sshd\"]");
    let set = "totpctl set alice --services sshd";
    let kept = at_a_terminal(&machine, 80, set, "n\n");
    assert!(kept.stdout.contains("alice could then not log in by sudo. Go on?"), "{kept:#?}");
    assert!(kept.status == 1 && !services(), "{kept:#?}");
    // A script has decided, and is told.
    let told = machine.run(&format!("{set} </dev/null"));
    assert!(told.stderr.contains("alice can no longer log in by: sudo (1)."), "{told:#?}");
    assert!(told.status == 0 && services(), "{told:#?}");
    // Nothing more is lost.
    let again = at_a_terminal(&machine, 80, set, "");
    assert!(again.status == 0 && !again.stdout.contains("Go on?"), "{again:#?}");
    machine.run("totpctl set alice --services ''").stdout_ok();
    let yes = at_a_terminal(&machine, 80, &format!("{set} --yes"), "");
    assert!(yes.status == 0 && !yes.stdout.contains("Go on?") && services(), "{yes:#?}");
}

/// A service may be installed later, so a person is asked, and a script is told.
#[test]
fn a_service_that_this_host_does_not_have_is_asked_about() {
    let machine = Machine::new();
    machine.service("sshd", "auth required pam_unix.so\naccount required pam_unix.so\n");
    machine.enrolled("alice", 1);
    let set = "totpctl set alice --services shsd";
    let restricted = || machine.run("totpctl --json show alice").stdout_ok().contains("\"shsd\"");
    let kept = at_a_terminal(&machine, 80, set, "n\n");
    assert!(kept.stdout.contains("This host has no PAM service shsd (similar: sshd"), "{kept:#?}");
    assert!(kept.status == 1 && !restricted(), "{kept:#?}");
    let yes = at_a_terminal(&machine, 80, &format!("{set} --yes"), "");
    assert!(yes.status == 0 && !yes.stdout.contains("Go on?") && restricted(), "{yes:#?}");
    let told = machine.run(&format!("{set} </dev/null"));
    assert!(told.status == 0 && told.stderr.contains("no PAM service shsd"), "{told:#?}");
    let refused = machine.run("totpctl set alice --services 'sshd;sudo'");
    assert!(refused.status == 2 && refused.stderr.contains("is no name"), "{refused:#?}");
    let accept = "totpctl doctor accept clock-unknown --service shsd --reason x";
    let refused = machine.run(accept);
    assert!(refused.status == 2 && refused.stderr.contains("similar names: sshd"), "{refused:#?}");
    machine.write(
        "/etc/totpd/totpd.toml.d/rule.toml",
        "[[rule]]\nname = \"x\"\nservices = [\"shsd\", \"sshd\"]\nthen = \"skip\"\n",
    );
    let checked = machine.run("/usr/libexec/totpd --check-config");
    assert!(checked.status == 0, "{checked:#?}");
    let warning = "rule.toml:1: services: this host has no PAM service \"shsd\"";
    assert!(checked.stderr.contains(warning), "{checked:#?}");
    assert_eq!(checked.stderr.lines().count(), 1, "{checked:#?}");
}

#[test]
fn a_user_with_one_factor_need_not_name_it() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl set alice --services sshd && totpctl rename alice Pixel").stdout_ok();
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("\"Pixel\"") && shown.contains("is valid only for sshd."), "{shown}");
    machine.run("totpctl --json enroll alice").stdout_ok();
    let several = machine.run("totpctl set alice --disable");
    assert_eq!(several.status, 2, "{several:#?}");
    assert!(several.stderr.contains("alice has 2 factors; name one"), "{several:#?}");
    let nobody = machine.run("totpctl set bob --disable");
    assert!(nobody.status == 1 && nobody.stderr.contains("totpctl enroll bob"), "{nobody:#?}");
}

#[test]
fn a_secret_is_taken_as_it_comes() {
    let machine = Machine::new();
    let enroll = "totpctl --json enroll alice --no-confirm --secret-stdin";
    for (text, secret) in [
        ("S46SQCPPTCNPROMHWYBDCTBZXV", "S46SQCPPTCNPROMHWYBDCTBZXU"),
        ("gezd gnbv-gy3t qojq gezd gnbv gy3t qojq=== ", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ("3132333435363738393031323334353637383930", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ("0x31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36", "GEZDGNBVGY3TQOJQGEZDGNBVGY"),
    ] {
        let made = machine.run_with_input(enroll, &format!("{text}\n")).stdout_ok();
        assert!(made.contains(&format!("\"secret\":\"{secret}\"")), "{text}: {made}");
    }
    let link =
        "otpauth://totp/Corp:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8&period=60";
    machine.run_with_input(enroll, &format!("{link}\n")).stdout_ok();
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("8 digits, a code every 60 s"), "{shown}");
    let contradicted =
        machine.run_with_input(&format!("{enroll} --digits 6"), &format!("{link}\n"));
    assert_eq!(contradicted.status, 2, "{contradicted:#?}");
    assert!(contradicted.stderr.contains("another number of digits"), "{contradicted:#?}");

    let short = machine.run_with_input(enroll, "JBSWY3DPEHPK3PXP\n");
    assert!(short.status == 0 && short.stderr.contains("only 80 bits"), "{short:#?}");
    machine.self_service();
    let own =
        machine.run_as_with_input("bob", "totpctl enroll --secret-stdin", "JBSWY3DPEHPK3PXP\n");
    assert!(own.status == 4 && own.stderr.contains("less than 128 bits"), "{own:#?}");
    for (text, helps) in [
        ("JBSWY3DPEHPK3PX0", "letter O"),
        ("JBSWY3DP", "needs at least 80"),
        ("123456", "a code, not the secret"),
        ("otpauth-migration://offline?data=x", "one account"),
    ] {
        let refused = machine.run_with_input(enroll, &format!("{text}\n"));
        assert!(refused.status == 1 && refused.stderr.contains(helps), "{text}: {refused:#?}");
    }
}

#[test]
fn a_batch_of_any_program_loses_nobody() {
    let machine = Machine::new();
    for (name, script) in [
        ("a byte order mark", "printf '\\xef\\xbb\\xbfalice\\r\\nbob\\r\\n'"),
        ("UTF-16", "printf 'alice\\r\\nbob' | iconv -t UTF-16"),
        ("UTF-16BE", "printf 'alice\\nbob\\n' | iconv -t UTF-16BE"),
        ("old line ends", "printf 'alice\\rbob\\r'"),
        ("comments", "printf '# people\\n\\nalice\\n\\n  bob\\n'"),
    ] {
        let ran =
            machine.run(&format!("{script} | totpctl enroll --batch - --no-confirm")).stdout_ok();
        let made = ran.matches("\"result\":\"enrolled\"").count();
        assert_eq!(made, 2, "{name}: {ran}");
        assert!(
            ran.contains("\"user\":\"alice\"") && ran.contains("\"user\":\"bob\""),
            "{name}: {ran}"
        );
    }
    for (line, helps) in [
        (r#"{"user":"CORP\bob"}"#, "a backslash in JSON is written twice"),
        (r#"{"user":"CORP\alice"}"#, "a backslash in JSON is written twice"),
        ("username", "header of a table"),
        ("alice,bob", "not a row of a table"),
    ] {
        let ran = machine.run_with_input("totpctl enroll --batch -", line);
        assert!(ran.status == 1 && ran.stdout.contains(helps), "{line}: {ran:#?}");
    }
}

#[test]
fn a_broken_configuration_is_reported_at_once() {
    let machine = Machine::new();
    machine.run("totpctl list").stdout_ok();
    let file = "/etc/totpd/totpd.toml.d/x.toml";
    machine.write(file, "[throttle]\nskwe = 1\n");
    machine.kill_daemon("KILL");
    let start = Instant::now();
    let refused = machine.run("totpctl list");
    assert!(start.elapsed() < Duration::from_secs(10), "{refused:#?}");
    assert_eq!(refused.status, 3, "{refused:#?}");
    assert!(refused.stderr.contains("totpd cannot start: "), "{refused:#?}");
    assert!(!refused.stderr.contains("cannot start: totpd: "), "{refused:#?}");
    assert!(refused.stderr.contains(&format!("{file}:2: skwe")), "{refused:#?}");
}

#[test]
fn a_replaced_phone_keeps_the_old_factor_until_the_new_one_is_confirmed() {
    let machine = Machine::new();
    machine.self_service();
    let old = machine.enrolled("alice", 1);
    let left = machine.run_as_with_input("alice", "totpctl enroll", &format!("{}\n", old.code()));
    assert!(left.stderr.contains("alice has a factor already"), "{left:#?}");
    assert_eq!(machine.pam("totp", "alice", &old.next_code()).run().rc, pam::SUCCESS);
    let password = machine.run_as_with_input("alice", "totpctl remove", "alicepw\n");
    assert!(password.status == 1 && password.stderr.contains("that is no code"), "{password:#?}");
}

#[test]
fn the_first_enrollment_names_the_next_step() {
    let machine = Machine::new();
    machine.run("grep -l pam_totp /etc/pam.d/* | xargs -r rm").stdout_ok();
    let seed = Seed::numbered(7);
    let enroll = "totpctl enroll alice --secret-stdin --no-confirm";
    let first = machine.run_with_input(enroll, &format!("{}\n", seed.0));
    assert!(first.stderr.contains("Next: totpctl try sshd"), "{first:#?}");
    machine.service("sshd", "auth required pam_unix.so\nauth required pam_totp.so\n");
    let later = machine.run_with_input(enroll, &format!("{}\n", Seed::numbered(8).0));
    assert!(!later.stderr.contains("Next:"), "{later:#?}");
}

/// systemd keeps the callers of a daemon that ends again and again waiting. Here programs that
/// never answer stand for it: one that the bus starts, and one that has the socket.
#[test]
fn a_daemon_that_cannot_start_is_explained_while_others_would_wait() {
    let machine = Machine::new();
    let file = "/etc/totpd/totpd.toml.d/x.toml";
    machine.write(file, "[throttle]\nskwe = 1\n");
    machine.kill_daemon("KILL");
    let bus = "/usr/share/dbus-1/system-services/org.totpd.Totp1.service";
    machine
        .run(&format!(
            "mkdir -p /run/totpd; rm -f /run/totpd/private; sed -i 's|^Exec=.*|Exec=/bin/sleep 100|; /^SystemdService/d' {bus}
             kill -HUP $(pidof dbus-daemon)"
        ))
        .stdout_ok();
    let assert_explained = |command: &str| {
        let start = Instant::now();
        let refused = machine.run(command);
        // The bus gives up after 25 s, and totpctl after 30.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}: {refused:#?}", start.elapsed());
        assert_eq!(refused.status, 3, "{command}: {refused:#?}");
        for part in ["totpd cannot start: ", &format!("{file}:2: skwe")] {
            assert!(refused.stderr.contains(part), "{command}: {refused:#?}");
        }
    };
    assert_explained("totpctl list");
    let mut socket = machine.start(
        "exec socat UNIX-LISTEN:/run/totpd/private,fork,mode=600 EXEC:'/bin/sleep 100',nofork",
    );
    eventually("the socket is there", || machine.run("test -S /run/totpd/private").status == 0);
    for command in ["totpctl list", "totpctl show alice", "totpctl enroll alice --no-confirm"] {
        assert_explained(command);
    }
    socket.kill().unwrap();
    socket.wait().unwrap();
}

/// Its name does not tell that it takes a code from the user.
#[test]
fn verify_says_that_it_uses_the_code_up() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let help = machine.run("totpctl help verify").stdout_ok();
    assert!(help.contains("it counts, and cannot be used again"), "{help}");
    let verified = machine.run_with_input("totpctl verify alice", &seed.code());
    assert_eq!(verified.stdout_ok(), "approved; this code is used up\n");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::AUTH_ERR);
    let again = machine.run_with_input("totpctl verify alice", &seed.code());
    assert!(
        again.status == 1 && again.stderr.contains("denied: the code is wrong, used"),
        "{again:#?}"
    );
    assert_eq!(machine.pam("totp", "alice", &seed.next_code()).run().rc, pam::SUCCESS);
}
