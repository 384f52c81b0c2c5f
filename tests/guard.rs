//! The account phase as a guard: a login at which no code was given gets in only where none is
//! needed. With the real libpam, in one handle, by a program of the test's own.

use tests::{Machine, pam};

mod enable;
mod hosts;
mod programs;
mod ssh;

/// A stack whose account phase has the guard, and something else that accepts.
const GUARDED: &str = "auth required pam_totp.so nodelay\n\
                       account required pam_totp.so guard\naccount required pam_permit.so\n\
                       password required pam_permit.so\nsession required pam_permit.so\n";
const NEEDS_CODE: &str = "This login needs a second factor, and asked for none.";
const NO_FACTOR: &str = "You need a second factor here. Ask your administrator.";
const REFUSED: &str = "A rule refuses this login. Ask your administrator.";

/// Calls the phases of libpam in one handle. Returns each message, and each phase with its result.
fn phases(machine: &Machine, service: &str, user: &str, steps: &str) -> Vec<String> {
    let ran = machine.run(&format!("/opt/tests/phases {service} {user} {steps}")).stdout_ok();
    ran.lines().map(|line| line.trim_start_matches("shown: ").to_owned()).collect()
}

fn set_rules(machine: &Machine, rules: &str) {
    machine.write("/etc/totpd/totpd.toml.d/10-rules.toml", rules);
    machine.run("/usr/libexec/totpd --check-config").stdout_ok();
    machine.kill_daemon("TERM");
}

#[test]
fn a_code_of_this_user_in_this_handle_opens_the_account_phase() {
    let machine = Machine::new();
    machine.service("guarded", GUARDED);
    let (alice, bob) = (machine.enrolled("alice", 1), machine.enrolled("bob", 2));
    let denied = format!("account {}", pam::PERM_DENIED);
    let asked = "Verification code: ";
    for (steps, expected) in [
        // No code at all.
        ("account".to_owned(), vec![NEEDS_CODE, &denied]),
        ("account account".to_owned(), vec![NEEDS_CODE, &denied, NEEDS_CODE, &denied]),
        // A wrong code, and a host that continues nevertheless.
        ("answer=000000 auth account".to_owned(), vec![asked, "auth 7", NEEDS_CODE, &denied]),
        // The right one, whatever comes in between, and twice.
        (
            format!("answer={} auth setcred password session account account", alice.code()),
            vec![asked, "auth 0", "setcred 0", "password 0", "session 0", "account 0", "account 0"],
        ),
        // The guard before the code, and after it.
        (
            format!("account answer={} auth account", alice.next_code()),
            vec![NEEDS_CODE, &denied, asked, "auth 0", "account 0"],
        ),
    ] {
        assert_eq!(phases(&machine, "guarded", "alice", &steps), expected, "{steps}");
    }
    // The code of one user in a handle that continues with another one.
    let steps = format!("answer={} auth user=alice account user=bob account", bob.code());
    let expected = [asked, "auth 0", NEEDS_CODE, &denied, "account 0"];
    assert_eq!(phases(&machine, "guarded", "bob", &steps), expected);
    // A new attempt that fails ends what an earlier one proved.
    let steps = format!("answer={} auth answer=000000 auth account", machine.fresh_code("bob"));
    let expected = [asked, "auth 0", asked, "auth 7", NEEDS_CODE, &denied];
    assert_eq!(phases(&machine, "guarded", "bob", &steps), expected);
    let log = machine.log();
    for line in [
        "denied for alice at guarded from nowhere: no code was given",
        "TOTP_REASON=code-not-given",
        "TOTP_VERDICT=denied",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[test]
fn the_guard_lets_by_what_a_rule_or_nullok_lets_by() {
    let machine = Machine::new();
    machine.service("guarded", GUARDED);
    machine.service("nullok", &GUARDED.replace("guard", "guard nullok"));
    machine.service("twice", &GUARDED.replace("account required pam_totp.so guard\n", "account required pam_totp.so guard\naccount required pam_totp.so guard quiet timeout=7\n"));
    machine.enrolled("alice", 1);
    let denied = format!("account {}", pam::PERM_DENIED);
    for (service, user, steps, expected) in [
        ("guarded", "bob", "account", vec![NO_FACTOR, &denied]),
        ("nullok", "bob", "account", vec!["account 0"]),
        ("nullok", "alice", "account", vec![NEEDS_CODE, &denied]),
        ("twice", "alice", "account", vec![NEEDS_CODE, &denied]),
        ("guarded", "nobody-here", "account", vec![NEEDS_CODE, &denied]),
    ] {
        assert_eq!(phases(&machine, service, user, steps), expected, "{service} {user}");
    }
    set_rules(
        &machine,
        "[[rule]]\nname = \"office\"\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"\n\
         [[rule]]\nname = \"never\"\nusers = [\"carol\"]\nthen = \"deny\"\n\
         [[rule]]\nname = \"roll-out\"\nthen = \"enroll-by 2100-01-01\"\n",
    );
    for (service, user, steps, expected) in [
        ("guarded", "alice", "rhost=10.1.2.3 account", vec!["account 0"]),
        ("twice", "alice", "rhost=10.1.2.3 account", vec!["account 0"]),
        ("guarded", "alice", "rhost=11.1.2.3 account", vec![NEEDS_CODE, &denied]),
        ("nullok", "carol", "rhost=11.1.2.3 account", vec![REFUSED, &denied]),
    ] {
        assert_eq!(phases(&machine, service, user, steps), expected, "{service} {user}");
    }
    let told = phases(&machine, "guarded", "bob", "account");
    assert!(told[0].starts_with("Enroll a second factor: ") && told[1] == "account 0", "{told:?}");
    let log = machine.log();
    for line in [
        "skipped for alice at guarded from 10.1.2.3: no code is needed here (rule office)",
        "denied for carol at nullok from 11.1.2.3: nobody gets in here (rule never)",
        "skipped for bob at guarded from nowhere: not enrolled, and not due yet (rule roll-out)",
        "skipped for bob at nullok from nowhere: not enrolled",
        "denied for bob at guarded from nowhere: not enrolled",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

/// The guard only objects. So it ends no other check, and a stack needs something that accepts.
#[test]
fn the_guard_never_accepts() {
    let machine = Machine::new();
    machine.service(
        "alone",
        "auth required pam_totp.so nodelay\naccount required pam_totp.so guard\n",
    );
    machine.service(
        "sufficient",
        "auth required pam_totp.so nodelay\naccount sufficient pam_totp.so guard\n\
         account required pam_deny.so\n",
    );
    let denied = format!("account {}", pam::PERM_DENIED);
    for service in ["alone", "sufficient"] {
        let steps = format!("answer={} auth account", machine.fresh_code("alice"));
        let ran = phases(&machine, service, "alice", &steps);
        assert!(ran[2].starts_with("account ") && ran[2] != "account 0", "{service}: {ran:?}");
    }
    assert_eq!(phases(&machine, "alone", "alice", "account"), [NEEDS_CODE, &denied]);
}

#[test]
fn without_the_daemon_nobody_gets_in_but_cron() {
    let machine = Machine::new();
    for service in ["guarded", "cron", "systemd-user", "su"] {
        machine.service(service, GUARDED);
    }
    machine.kill_daemon("TERM");
    machine.run("mv /usr/libexec/totpd /usr/libexec/totpd.away").stdout_ok();
    machine.service("guarded", &GUARDED.replace("guard", "guard timeout=1"));
    let refused = phases(&machine, "guarded", "alice", "account");
    let expected = [
        "Verification is not available. Ask your administrator.".to_owned(),
        format!("account {}", pam::AUTHINFO_UNAVAIL),
    ];
    assert_eq!(refused, expected);
    for service in ["cron", "systemd-user", "su"] {
        assert_eq!(phases(&machine, service, "alice", "account"), ["account 0"], "{service}");
    }
}

#[test]
fn a_guard_in_another_place_or_with_other_options_refuses() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for (name, stack, step) in [
        ("auth", "auth required pam_totp.so guard\naccount required pam_permit.so\n", "auth"),
        (
            "echo",
            "auth required pam_permit.so\naccount required pam_totp.so guard echo\n",
            "account",
        ),
        ("gaurd", "auth required pam_permit.so\naccount required pam_totp.so gaurd\n", "account"),
    ] {
        machine.service(name, stack);
        let ran = phases(&machine, name, "alice", step);
        assert_eq!(ran, [format!("{step} {}", pam::SERVICE_ERR)], "{name}");
    }
    let log = machine.log();
    for line in [
        "guard has no function under \"auth\"; use it under \"account\"",
        "guard asks for nothing, and goes with debug, nullok, quiet and timeout alone",
        "unknown option \"gaurd\"",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    // Without the option, a line under account accepts as it always did.
    assert_eq!(phases(&machine, "totp", "alice", "account"), ["account 0"]);
}

#[test]
fn nobody_but_root_learns_what_the_guard_would_say() {
    let machine = Machine::new();
    machine.service("guarded", GUARDED);
    machine.enrolled("alice", 1);
    let call = "org.totpd.Totp1.Login.Guard";
    let of_carol = machine.call("carol", call, "carol '{}'").text();
    assert!(of_carol.contains("org.totpd.Totp1.Error.NotAuthorized"), "{of_carol}");
    let of_root = machine.call("root", call, "alice '{}'").stdout_ok();
    assert!(of_root.contains("denied") && of_root.contains(NEEDS_CODE), "{of_root}");
    let ran = machine.run_as("carol", "/opt/tests/phases guarded carol account").stdout_ok();
    assert_eq!(ran.trim(), format!("account {}", pam::SERVICE_ERR));
}
