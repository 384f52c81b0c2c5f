//! Users who are not root, by the word of a real polkitd.

use tests::{Machine, Output, eventually, pam, picture};

/// Lets a person at a terminal enroll and answer an agent.
fn at_a_terminal(machine: &Machine, user: &str, words: &str, command: &str) -> Output {
    machine.run_as(user, &format!("cd; exec /opt/tests/type-enrollment {words} {command}"))
}

#[test]
fn a_user_enrolls_with_its_password_and_only_itself() {
    let machine = Machine::with_programs();
    let before = machine.enrolled("alice", 1);
    let state = machine.run("totpctl --json show alice").stdout_ok();
    let refused = at_a_terminal(&machine, "bob", "nonsense x right", "totpctl enroll");
    assert_eq!(refused.status, 4, "{refused:#?}");
    assert!(refused.stdout.contains("does not let you change"), "{refused:#?}");
    let cut = at_a_terminal(&machine, "bob", "'^C' x right", "totpctl enroll");
    for nothing in [refused, cut] {
        assert!(!nothing.stdout.contains("otpauth://"), "{nothing:#?}");
    }
    assert!(machine.run("totpctl --json show bob").stdout_ok().contains("\"factors\":[]"));
    let done = at_a_terminal(&machine, "bob", "bobpw x right", "totpctl enroll");
    assert_eq!(done.status, 0, "{done:#?}");
    assert!(done.stdout.contains("AUTHENTICATING FOR org.totpd.totp1.enroll-self"), "{done:#?}");
    assert!(done.stdout.contains("Recovery codes of bob"), "{done:#?}");
    assert_eq!(done.stdout.matches("Password:").count(), 1, "asked once: {done:#?}");
    assert!(machine.run("totpctl show bob").stdout_ok().contains("verified"));
    // Bob may not do anything to alice: her own password is no use to him, and he is no
    // administrator.
    for command in ["enroll alice", "remove alice", "unlock alice", "show alice", "list"] {
        let refused =
            at_a_terminal(&machine, "bob", "bobpw x right", &format!("totpctl {command}"));
        assert_eq!(refused.status, 4, "{command}: {refused:#?}");
        let reads = matches!(command, "show alice" | "list");
        assert_eq!(refused.stdout.contains("AUTHENTICATING"), !reads, "{command}: {refused:#?}");
        assert_eq!(refused.stdout.contains("your own"), reads, "{command}: {refused:#?}");
    }
    // A script asks nobody, and a user without a password is told so.
    for (before, command, told) in [
        ("true", "--no-ask-password enroll", "authentication is needed"),
        ("passwd -l carol", "enroll", "your account has no password"),
    ] {
        machine.run(before).stdout_ok();
        let refused =
            at_a_terminal(&machine, "carol", "carolpw x right", &format!("totpctl {command}"));
        assert_eq!(refused.status, 4, "{command}: {refused:#?}");
        assert!(!refused.stdout.contains("AUTHENTICATING"), "{command}: {refused:#?}");
        let told = refused.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(told);
        assert!(told, "{command}: {refused:#?}");
    }
    assert_eq!(machine.run("totpctl --json show alice").stdout_ok(), state);
    assert_eq!(machine.pam("totp", "alice", &before.code()).run().rc, pam::SUCCESS);
}

#[test]
fn an_agent_that_dies_lets_nobody_do_anything() {
    let machine = Machine::with_programs();
    let mut left = machine.start(
        "cd /tmp; exec setpriv --reuid bob --regid bob --init-groups \
         /opt/tests/type-enrollment hang x right totpctl enroll > /tmp/seen",
    );
    let seen = || machine.run("cat /tmp/seen").stdout;
    eventually("the agent asks", || seen().contains("Password:"));
    machine.run("kill -KILL $(pidof pkttyagent)").stdout_ok();
    assert_eq!(left.wait().unwrap().code(), Some(4), "{}", seen());
    assert!(!seen().contains("otpauth://"), "{}", seen());
    assert!(
        seen().contains("does not let you change") || seen().contains("canceled"),
        "{}",
        seen()
    );
    assert!(machine.run("totpctl --json show bob").stdout_ok().contains("\"factors\":[]"));
    // The canceled enrollment does not hinder the next one.
    let done = at_a_terminal(&machine, "bob", "bobpw x right", "totpctl enroll");
    assert_eq!(done.status, 0, "{done:#?}");
}

#[test]
fn a_silent_agent_delays_nobody_else() {
    let machine = Machine::with_programs();
    let seed = machine.enrolled("alice", 1);
    // Five minutes are five seconds for this daemon.
    machine.kill_daemon("TERM");
    let mut daemon = machine.start("exec faketime -f '+0s x60' /usr/libexec/totpd");
    eventually("the daemon is on the bus", || machine.owns_its_name());
    let mut left = machine.start(
        "cd /tmp; exec setpriv --reuid bob --regid bob --init-groups \
         /opt/tests/type-enrollment hang x right totpctl enroll > /tmp/seen",
    );
    let seen = || machine.run("cat /tmp/seen").stdout;
    eventually("the agent asks", || seen().contains("Password:"));
    // Everybody else is served at that time.
    assert_eq!(machine.pam("totp", "alice", "000000").run().rc, pam::AUTH_ERR);
    assert!(machine.run_as("bob", "totpctl show").stdout_ok().contains("not enrolled"));
    machine.run("totpctl show alice").stdout_ok();
    assert_eq!(left.wait().unwrap().code(), Some(4), "{}", seen());
    assert!(seen().contains("nobody authenticated in time"), "{}", seen());
    assert!(machine.run("totpctl --json show bob").stdout_ok().contains("\"factors\":[]"));
    machine.kill_daemon("TERM");
    daemon.wait().unwrap();
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_stolen_session_replaces_no_verified_factor() {
    let machine = Machine::with_programs();
    // polkit answers as if `active` is enough: yes, without a question.
    machine.self_service();
    let seed = machine.enrolled("alice", 1);
    let manager = "org.totpd.Totp1.Manager";
    for (method, arguments) in [
        ("Enroll", "alice '@a{sv} {}'"),
        ("Enroll", "alice \"{'resume': <true>}\""),
        ("Enroll", "alice \"{'code': <'000000'>}\""),
        ("Remove", "alice '' ''"),
        ("RecoveryCodes", "alice ''"),
        ("RecoveryCodes", "alice '0000-0000-0000-0000'"),
        ("SetFactor", "alice f-aaaaaaaa \"{'name': <'x'>}\" ''"),
    ] {
        let refused = machine.call("alice", &format!("{manager}.{method}"), arguments);
        assert!(refused.stderr.contains("Error.InvalidCode"), "{method} {arguments}: {refused:#?}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
    let limits = "alice f-aaaaaaaa \"{'disabled': <false>}\" ''";
    let refused = machine.call("alice", &format!("{manager}.SetFactor"), limits);
    assert!(refused.stderr.contains("Error.NotAuthorized"), "{refused:#?}");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    // The change succeeds with a code.
    let code = seed.next_code();
    let renewed = machine
        .run_as_with_input("alice", "totpctl recovery-codes", &format!("{code}\n"))
        .stdout_ok();
    let code = renewed.split_whitespace().find(|word| word.len() == 19).unwrap().to_owned();
    // The change succeeds with a recovery code too, for a person whose phone is gone.
    machine.run("totpctl unlock alice").stdout_ok();
    let made = machine.run_as_with_input("alice", "totpctl --json enroll", &format!("{code}\n"));
    assert!(made.stdout.contains("otpauth://"), "{made:#?}");
}

#[test]
fn an_answer_that_is_no_code_is_refused_before_a_password_is_asked_for() {
    let machine = Machine::with_programs();
    machine.enrolled("bob", 1);
    for command in ["recovery-codes", "remove --yes", "enroll"] {
        let tried = format!("totpctl {command}");
        let refused = at_a_terminal(&machine, "bob", "bobpw bobpw right", &tried);
        assert_eq!(refused.status, 1, "{command}: {refused:#?}");
        assert!(refused.stdout.contains("that is no code"), "{command}: {refused:#?}");
        assert!(!refused.stdout.contains("Password:"), "{command}: {refused:#?}");
    }
    let state = machine.run("totpctl show bob").stdout_ok();
    assert!(state.contains("Unknown sources: no wrong codes."), "it is no guess: {state}");
}

/// The users of cloud images log in by a key, and have no password.
#[test]
fn a_user_without_a_password_is_told_what_to_do_instead() {
    let machine = Machine::with_programs();
    machine.run("usermod -L bob").stdout_ok();
    let refused = at_a_terminal(&machine, "bob", "bobpw x right", "totpctl enroll");
    assert_eq!(refused.status, 4, "{refused:#?}");
    assert!(!refused.stdout.contains("Password:"), "{refused:#?}");
    let said = refused.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("your account has no password"), "{refused:#?}");
    assert!(said.contains("have root run \"totpctl enroll USER\""), "{refused:#?}");
    // A rule of the administrator may let such users enroll.
    machine.self_service();
    let done = at_a_terminal(&machine, "bob", "bobpw x right", "totpctl enroll");
    assert_eq!(done.status, 0, "{done:#?}");
}

#[test]
fn a_polkit_manager_is_not_root_and_needs_its_own_code() {
    let machine = Machine::with_programs();
    let helpdesk = include_str!("../packaging/polkit/50-totpd-helpdesk.rules");
    machine.write("/etc/polkit-1/rules.d/50-totpd-helpdesk.rules", helpdesk);
    machine.run("groupadd helpdesk && usermod -aG helpdesk carol").stdout_ok();
    machine.enrolled("alice", 1);
    machine.enrolled("carol", 3);
    for command in ["unlock alice", "show alice", "list", "--json enroll bob", "remove alice"] {
        machine.run_as("carol", &format!("totpctl {command} </dev/null")).stdout_ok();
    }
    assert!(machine.run("totpctl --json show alice").stdout_ok().contains("\"factors\":[]"));
    machine.enrolled("root", 4);
    for command in
        ["enroll bob --no-confirm", "enroll root", "remove root", "backup /tmp/b", "rekey"]
    {
        let refused = machine.run_as_with_input(
            "carol",
            &format!("cd /tmp; totpctl {command}"),
            "a passphrase\n",
        );
        assert_eq!(refused.status, 4, "{command}: {refused:#?}");
    }
    let own = machine.call("carol", "org.totpd.Totp1.Manager.Remove", "carol '' ''");
    assert_ne!(own.status, 0, "{own:#?}");
    assert!(machine.log().contains("TOTP_BY_UID=1003"), "{}", machine.log());
}

/// Users that a helpdesk could otherwise become, by a factor that it makes.
#[test]
fn a_helpdesk_manages_no_administrator_and_nobody_of_its_own() {
    let machine = Machine::with_programs();
    let helpdesk = include_str!("../packaging/polkit/50-totpd-helpdesk.rules");
    machine.write("/etc/polkit-1/rules.d/50-totpd-helpdesk.rules", helpdesk);
    machine
        .run(
            "groupadd helpdesk; getent group wheel || groupadd wheel; getent group sudo || groupadd sudo
             for user in dora everybody ghost; do useradd -m $user; done
             usermod -aG helpdesk carol; usermod -aG helpdesk dora
             usermod -aG sudo alice; usermod -aG wheel everybody",
        )
        .stdout_ok();
    for (number, user) in ["alice", "carol", "dora", "everybody", "ghost", "bob"].iter().enumerate()
    {
        machine.enrolled(user, u32::try_from(number).unwrap() + 1);
    }
    machine.run("userdel ghost").stdout_ok();
    let before = machine.run("totpctl --json list").stdout_ok();
    // An administrator by each group, another member of the helpdesk, root, and an account that is
    // gone.
    for user in ["alice", "everybody", "dora", "root", "ghost", "--help"] {
        for command in ["enroll", "remove", "unlock", "show", "recovery-codes"] {
            let tried = format!("totpctl --json {command} -- {user} </dev/null");
            let refused = machine.run_as("carol", &tried);
            assert_eq!(refused.status, 4, "{command} {user}: {refused:#?}");
        }
    }
    // Her own changes that need a code take the ordinary way. The other operations are not hers.
    let own = machine.run_as("carol", "totpctl unlock carol </dev/null");
    assert_eq!(own.status, 4, "{own:#?}");
    assert_eq!(machine.run("totpctl --json list").stdout_ok(), before, "nothing is changed");
    for command in ["unlock bob", "show bob", "list", "remove bob", "--json enroll bob"] {
        machine.run_as("carol", &format!("totpctl {command} </dev/null")).stdout_ok();
    }
}

/// A pending factor is no way to try codes of the verified one.
#[test]
fn a_code_of_the_old_factor_counts_where_a_first_code_is_wanted() {
    let machine = Machine::with_programs();
    machine.self_service();
    machine.write("/etc/totpd/totpd.toml.d/10-test.toml", "[throttle]\nfree_failures = 1\n");
    let seed = machine.enrolled("alice", 1);
    let manager = "org.totpd.Totp1.Manager";
    let made = machine.call(
        "alice",
        &format!("{manager}.Enroll"),
        &format!("alice \"{{'code': <'{}'>}}\"", seed.code()),
    );
    let made = made.stdout_ok();
    let factor = made.split('\'').nth(1).unwrap();
    let confirm = |code: &str| {
        machine.call("alice", &format!("{manager}.Confirm"), &format!("alice {factor} {code}"))
    };
    let first = confirm(&seed.next_code());
    assert!(first.stderr.contains("factor that you had before"), "{first:#?}");
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("(known): 1 wrong code, waits "), "it is counted: {state}");
    let second = confirm(&seed.next_code());
    assert!(second.stderr.contains("wrong code; 3 more tries"), "{second:#?}");
    assert!(!second.stderr.contains("had before"), "it waits: {second:#?}");
    // The first code itself is no guess, and is good at any time.
    let secret = made.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let right = machine.run(&format!("oathtool -b --totp {secret}")).stdout_ok();
    confirm(right.trim()).stdout_ok();
}

#[test]
fn only_root_manages_without_polkit() {
    let machine = Machine::new();
    machine
        .run("rm -f /usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service")
        .stdout_ok();
    let reload = "gdbus call --system --dest org.freedesktop.DBus --object-path / \
                  --method org.freedesktop.DBus.ReloadConfig";
    machine.run(reload).stdout_ok();
    let refused = machine.run_as("carol", "totpctl enroll </dev/null");
    assert_eq!(refused.status, 4, "{refused:#?}");
    assert!(refused.stderr.contains("polkit is not running"), "{refused:#?}");
    machine.run("totpctl --json enroll carol").stdout_ok();
    assert!(machine.run_as("carol", "totpctl show").stdout_ok().contains("carol"));
}

#[test]
fn the_example_of_the_api_enrolls() {
    let machine = Machine::with_programs();
    machine.self_service();
    machine.write("/tmp/enroll.py", include_str!("../docs/examples/enroll.py"));
    machine.run("mkfifo -m 666 /tmp/typed").stdout_ok();
    // The pipe is open at both ends, so it does not end between two lines.
    let mut example = machine.start(
        "cd /tmp; exec setpriv --reuid bob --regid bob --init-groups python3 -u enroll.py <>typed >seen 2>&1",
    );
    let seen = || machine.run("cat /tmp/seen").stdout;
    eventually("it shows a picture", || seen().contains("Scan this"));
    // A wrong code, of which it says what may be wrong.
    machine.run("echo 000000 >/tmp/typed").stdout_ok();
    eventually("it is told", || seen().contains("wrong code; 4 more tries"));
    let screen = seen();
    let drawn: Vec<_> =
        screen.lines().filter(|line| line.contains('█') || line.contains('▀')).collect();
    assert!(drawn.len() > 20, "{screen}");
    let link = picture::of_half_blocks(&drawn);
    let secret = link.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    machine.run(&format!("oathtool -b --totp {secret} >/tmp/typed")).stdout_ok();
    eventually("it is done", || seen().contains("Done. Recovery codes:"));
    assert!(example.wait().unwrap().success());
}

#[test]
fn a_subscriber_learns_only_of_its_own_factors() {
    let machine = Machine::with_programs();
    machine.self_service();
    machine.write("/tmp/watch.py", include_str!("../docs/examples/watch.py"));
    let heard = |user: &str| machine.run(&format!("cat /tmp/{user}.txt")).stdout;
    for user in ["alice", "bob"] {
        let start = format!("cd /tmp; python3 watch.py > /tmp/{user}.txt 2>&1 &");
        machine.run_as(user, &start).stdout_ok();
        eventually("it watches", || heard(user).contains("watching"));
    }
    let seed = machine.enrolled("bob", 1);
    eventually("bob is told of the factor", || heard("bob").contains("changed: bob"));
    let login = machine.pam("totp", "bob", &seed.code()).from("192.0.2.9").run();
    assert_eq!(login.rc, pam::SUCCESS);
    let asked = "a code is asked for by totp for 192.0.2.9";
    eventually("bob is told of the login", || heard("bob").contains(asked));
    // This question is about another user, and is answered after all of these.
    machine.enrolled("alice", 2);
    eventually("alice is told of her own", || heard("alice").contains("changed: alice"));
    assert!(!heard("alice").contains("bob") && !heard("alice").contains(asked));
    assert!(!heard("bob").contains("alice"), "{}", heard("bob"));
    // Eight programs of a user may watch, and one that has left makes room.
    let watch = "gdbus call --system --dest org.totpd.Totp1 --object-path /org/totpd/Totp1 \
                 --method org.totpd.Totp1.Manager.Subscribe";
    for _ in 0..20 {
        machine.run_as("bob", watch).stdout_ok();
    }
}
