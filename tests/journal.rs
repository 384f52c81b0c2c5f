//! What the journal holds, and what it must not hold.

use tests::{Machine, pam};

/// People type their password where a login asks for the name.
#[test]
fn what_is_typed_instead_of_a_name_is_in_no_log() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for options in ["debug", "debug nullok", "debug enroll", "debug names", "debug forward_pass"] {
        let service = options.replace(' ', "-");
        machine.service(&service, &format!("auth required pam_totp.so nodelay {options}\n"));
    }
    let long = format!("hunter2-{}", "x".repeat(300));
    for typed in ["hunter2-Trailer", "hunter2:a/b", "hunter2\nnew line", "Hunter2 hunter2", &long] {
        for service in ["totp", "debug", "debug-nullok", "debug-enroll", "debug-names"] {
            let refused = machine.pam(service, typed, "000000").with("-t ssh -h 192.0.2.1").go();
            assert!([pam::AUTH_ERR, pam::MAXTRIES].contains(&refused.rc), "{refused:#?}");
        }
        machine.pam("debug-forward_pass", typed, "a password 123456").go();
    }
    // Over the bus, by root and by others, and by what manages users.
    for user in ["root", "carol"] {
        for (method, arguments) in [
            ("Login.Begin", "hunter2 '@a{sv} {}'"),
            ("Login.Verify", "hunter2 000000 '@a{sv} {}'"),
            ("Login.Verify", "hunter2 0000-0000-0000-0000 '@a{sv} {}'"),
            ("Manager.GetUser", "hunter2"),
            ("Manager.Unlock", "hunter2"),
            ("Manager.Remove", "hunter2 '' ''"),
            ("Manager.Enroll", "hunter2 '@a{sv} {}'"),
        ] {
            machine.call(user, &format!("org.totpd.Totp1.{method}"), arguments);
        }
    }
    let known = machine.pam("debug", "alice", "000000").from("192.0.2.1").go();
    assert_eq!(known.rc, pam::AUTH_ERR, "{known:#?}");
    let log = machine.log();
    assert!(!log.to_lowercase().contains("hunter2"), "{log}");
    let unknown = "for a name that this machine does not know at totp from 192.0.2.1: no such user";
    assert!(log.contains(unknown), "{log}");
    assert!(log.contains("denied for alice at debug from 192.0.2.1: wrong code"), "{log}");
    assert!(log.contains("TOTP_USER=alice"), "{log}");
}
