//! Whatever comes in: a clear error, or a plain refusal, and nothing lost.

use tests::{Machine, pam};

#[test]
fn answers_that_are_no_code() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("head -c 1048576 /dev/zero | tr '\\0' 1 > /tmp/megabyte; printf '\\377\\376123456' > /tmp/binary; printf '\\b\\n\\r\\177INCORRECT' > /tmp/sshd").stdout_ok();
    for answer in
        ["", "abcdef", "12345", "123456789", "١٢٣٤٥٦", "１２３４５６", "-123456", "123456;"]
    {
        let refusal = machine.pam("totp", "alice", answer).run();
        assert_eq!(refusal.rc, pam::AUTH_ERR, "{answer:?}: {refusal:#?}");
    }
    for file in ["/tmp/megabyte", "/tmp/binary", "/tmp/sshd", "/dev/null"] {
        let refusal = machine.pam("totp", "alice", file).answer_in_file().run();
        assert_eq!(refusal.rc, pam::AUTH_ERR, "{file}: {refusal:#?}");
    }
    let log = machine.log();
    assert_eq!(log.matches("TOTP_REASON=sshd-blocked-login").count(), 1, "{log}");
    // None of them was a guess, and spaces are no fault.
    let code = seed.code();
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    assert_eq!(machine.pam("totp", "alice", &spaced).run().rc, pam::SUCCESS);
}

#[test]
fn names_that_are_no_user() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let long = "x".repeat(300);
    for user in ["", "../x", "a:b", "with\nnewline", "\u{1b}[2Jx", "$'al\\377ce'", &long, "ALICE"] {
        let result = if user.starts_with('$') {
            machine.run(&format!("/opt/tests/pam totp {user} 123456")).stdout
        } else {
            machine.pam("totp", user, "123456").run().text
        };
        // An empty name never gets as far as a module.
        let expected = format!("rc={} yes=0", pam::AUTH_ERR);
        let other = format!("rc={} yes=0", pam::SERVICE_ERR);
        assert!(
            result.contains(&expected) || (user.is_empty() && result.contains(&other)),
            "{result}"
        );
        if !user.is_empty() {
            assert!(result.contains("shown: Verification code: "), "{user:?}: {result}");
        }
    }
    let log = machine.log();
    assert!(!log.contains("newline") && !log.contains('\u{1b}'), "{log}");
    // An empty word is refused as a wrong command line.
    for (user, status, words) in [
        ("''", 2, "USER is empty"),
        ("'../x'", 1, "no user"),
        (&*format!("'{long}'"), 1, "no user"),
    ] {
        let refusal = machine.run(&format!("totpctl enroll {user}"));
        assert_eq!(refusal.status, status, "{refusal:#?}");
        assert!(refusal.stderr.contains(words), "{refusal:#?}");
    }
}

#[test]
fn options_of_enroll() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let before = machine.run("totpctl --json show alice").stdout_ok();
    for (options, key) in [
        ("{'digits': <uint32 5>}", "digits"),
        ("{'digits': <uint32 9>}", "digits"),
        ("{'digits': <6>}", "digits"),
        ("{'period': <uint32 14>}", "period"),
        ("{'period': <uint32 301>}", "period"),
        ("{'period': <'30'>}", "period"),
        ("{'algorithm': <'MD5'>}", "algorithm"),
        ("{'kind': <'steam'>}", "kind"),
        ("{'counter': <uint64 1>}", "counter"),
        ("{'secret': <b'short'>}", "secret"),
        ("{'secret': <'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'>}", "secret"),
        ("{'issuer': <'a:b'>}", "issuer"),
        ("{'name': <'a\\\\nb'>}", "name"),
        ("{'confirmed': <'yes'>}", "confirmed"),
        ("{'color': <'blue'>}", "color"),
    ] {
        let refusal =
            machine.call("root", "org.totpd.Totp1.Manager.Enroll", &format!("alice \"{options}\""));
        assert!(refusal.stderr.contains("Error.InvalidArgument"), "{options}: {refusal:#?}");
        assert!(refusal.stderr.contains(key), "{options}: {refusal:#?}");
    }
    let wrong_signature =
        machine.call("root", "org.totpd.Totp1.Manager.Enroll", "alice \"{'a': 'b'}\"");
    assert_ne!(wrong_signature.status, 0);
    assert_eq!(machine.run("totpctl --json show alice").stdout_ok(), before);
}

#[test]
fn a_context_of_too_many_keys_and_one_of_wrong_types() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let verify = "org.totpd.Totp1.Login.Verify";
    // Too long for a command line in one piece, so the shell makes it.
    let with_keys = |count: u32| {
        machine.run(&format!(
            "context=$(for n in $(seq {count}); do printf \"'%x':<0>,\" $n; done); \
             gdbus call --system --dest org.totpd.Totp1 --object-path /org/totpd/Totp1 \
             --method org.totpd.Totp1.Login.Verify alice 000000 \"{{$context 'service': <'x'>}}\""
        ))
    };
    // Unknown keys are ignored, as far as they are read: 32 of them, and 64 KiB.
    assert!(with_keys(20).stdout_ok().contains("denied"));
    for (count, error) in [(32, "DBus.Error.InvalidArgs"), (10_000, "Error.LimitsExceeded")] {
        let refusal = with_keys(count);
        assert!(refusal.stderr.contains(error), "{count}: {refusal:#?}");
    }
    for context in ["{'service': <7>}", "{'rhost': <true>}", "{'nullok': <'yes'>}"] {
        let refusal = machine.call("root", verify, &format!("alice 000000 \"{context}\""));
        assert!(refusal.stderr.contains("Error.InvalidArgument"), "{context}: {refusal:#?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_meant() {
    let machine = Machine::new();
    let file = "/etc/totpd/totpd.toml.d/10-test.toml";
    assert_eq!(
        machine.run("/usr/libexec/totpd --check-config").stdout_ok(),
        "the configuration is good\n"
    );
    for (text, words) in [
        ("[enrollment]\nperiode = 30\n", ":2: periode: unknown field"),
        ("[enrollment]\nperiod = 7\n", ":2: period: 7 is not in 15 to 300"),
        ("[throttle]\nfirst_wait = \"soon\"\n", ":2: first_wait: \"soon\" is no length of time"),
        ("[store]\nmark = \"no\"\n", ":2: mark: invalid type: string \"no\", expected a boolean"),
        ("[store]\nmark = 0\n", ":2: mark: invalid type: integer `0`, expected a boolean"),
        ("this is not TOML\n", ":1: "),
    ] {
        machine.write(file, text);
        let refusal = machine.run("/usr/libexec/totpd --check-config");
        assert_eq!(refusal.status, 1, "{refusal:#?}");
        assert!(refusal.stderr.contains(&format!("{file}{words}")), "{text}: {refusal:#?}");
    }
    machine.write(file, "");
    machine.run(&format!("chmod 666 {file}")).stdout_ok();
    let refusal = machine.run("/usr/libexec/totpd --check-config");
    assert!(
        refusal
            .stderr
            .contains(&format!("cannot trust {file}: it is owned by uid 0 and has mode 0666")),
        "{refusal:#?}"
    );
    machine.run(&format!("rm {file}; mkdir {file}")).stdout_ok();
    let refusal = machine.run("/usr/libexec/totpd --check-config");
    assert!(refusal.stderr.contains(&format!("cannot read {file}")), "{refusal:#?}");
    let usage = machine.run("/usr/libexec/totpd --frobnicate");
    assert_eq!(usage.status, 2, "{usage:#?}");
}
