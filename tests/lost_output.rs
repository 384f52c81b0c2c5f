//! Keys and codes whose output nobody got: no factor or code is replaced by them.

use tests::{Machine, pam};

/// Fills a file system of 16 KiB under /mnt.
const FULL_DISK: &str =
    "mount -t tmpfs -o size=16k tmpfs /mnt; dd if=/dev/zero of=/mnt/full bs=1k || true";

/// Returns the ids of the factors of bob.
fn factors(machine: &Machine) -> Vec<String> {
    let state = machine.run("totpctl --json show bob").stdout_ok();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let factors = state["factors"].as_array().unwrap().iter();
    factors.map(|factor| factor["factor"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_that_nobody_got_replaces_no_factor() {
    let machine = Machine::new();
    let seed = machine.enrolled("bob", 1);
    let before = factors(&machine);
    machine.run(FULL_DISK).stdout_ok();
    let known = "echo JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP |";
    for (script, told) in [
        ("totpctl enroll bob --no-confirm >/dev/full", "stays valid"),
        ("totpctl --json enroll bob --no-confirm >/dev/full", "stays valid"),
        ("totpctl enroll bob --no-confirm >&-", "nobody would see the key"),
        ("totpctl --json enroll bob --no-confirm >&-", "nobody would see the key"),
        ("totpctl enroll bob --no-confirm >/dev/null", "nobody would see the key"),
        ("totpctl enroll bob --no-confirm --qr none --qr-file /mnt/q.png", "stays valid"),
        ("totpctl --json enroll bob --no-confirm --qr-file /mnt/q.svg", "stays valid"),
        (
            &format!("{known} totpctl enroll bob --no-confirm --secret-stdin >/dev/full"),
            "stays valid",
        ),
        (
            &format!("{known} totpctl --json enroll bob --no-confirm --secret-stdin >/dev/full"),
            "stays",
        ),
        ("echo bob | totpctl enroll --batch - --no-confirm >/dev/full", "cannot write"),
        ("echo bob | totpctl enroll --batch - --no-confirm >&-", "nobody would see the keys"),
        ("echo bob | totpctl enroll --batch - >/dev/null", "nobody would see the keys"),
        ("echo bob | totpctl enroll --batch - --no-confirm --sheet /mnt/s.html", "stay valid"),
        (
            "echo bob | totpctl enroll --batch - --no-confirm --sheet /mnt/s.pdf >/dev/null",
            "stay valid",
        ),
    ] {
        let ran = machine.run(script);
        assert_eq!(ran.status, 1, "{script}: {ran:#?}");
        assert!(ran.stderr.contains(told), "{script}: {ran:#?}");
        assert!(factors(&machine).contains(&before[0]), "{script}: {ran:#?}");
    }
    for json in ["", "--json"] {
        let closed = format!(
            "{{ sleep 1; totpctl {json} enroll bob --no-confirm 2>/root/told; echo $? >/root/status; }} | true"
        );
        machine.run(&closed);
        assert_eq!(machine.run("cat /root/status").stdout_ok(), "1\n");
        let told = machine.run("cat /root/told").stdout_ok();
        assert!(told.contains("its reader is gone") && told.contains("stays valid"), "{told}");
    }
    assert_eq!(machine.pam("totp", "bob", &seed.code()).run().rc, pam::SUCCESS);
    let left = machine.run("ls /mnt").stdout_ok();
    assert_eq!(left, "full\n", "no unwritten file stays");
    // The same commands replace it if the key is written.
    machine.run("umount /mnt").stdout_ok();
    let done =
        machine.run("totpctl --json enroll bob --no-confirm --qr-file /mnt/q.svg").stdout_ok();
    let object: serde_json::Value = serde_json::from_str(&done).unwrap();
    assert_eq!(factors(&machine), [object["factor"].as_str().unwrap()]);
    assert_eq!(object["replaces"].as_array().map(Vec::len), Some(0), "{done}");
    machine.run("rm /mnt/q.svg").stdout_ok();
}

#[test]
fn a_sheet_has_the_key_of_each_factor_that_a_batch_verified() {
    let machine = Machine::new();
    let lines = "alice\nbob\ncarol\n";
    let batch = "totpctl enroll --batch - --no-confirm --sheet /root/sheet.html";
    let ran = machine.run_with_input(&format!("{batch} >/dev/full"), lines);
    assert_eq!(ran.status, 1, "{ran:#?}");
    let sheet = machine.run("cat /root/sheet.html").stdout_ok();
    for user in ["alice", "bob", "carol"] {
        assert!(sheet.contains(&format!("Second factor of {user}")), "{user}");
    }
    machine.run("rm /root/sheet.html").stdout_ok();
    let done = machine.run_with_input(batch, lines).stdout_ok();
    assert_eq!(done.matches("\"result\":\"enrolled\"").count(), 3, "{done}");
    assert_eq!(machine.run("ls -A /root | grep -c sheet").stdout_ok(), "1\n");
}

#[test]
fn recovery_codes_that_nobody_would_see_are_not_made() {
    let machine = Machine::new();
    let made = machine.run("totpctl --json enroll bob --no-confirm").stdout_ok();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let codes = made["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10, "{made}");
    for output in [">&-", ">/dev/null"] {
        for json in ["", "--json"] {
            let refused = machine.run(&format!("totpctl {json} recovery-codes bob {output}"));
            assert_eq!(refused.status, 1, "{refused:#?}");
            assert!(refused.stderr.contains("nothing is changed"), "{refused:#?}");
        }
    }
    let code = codes[0].as_str().unwrap();
    assert_eq!(machine.pam("totp", "bob", code).run().rc, pam::SUCCESS);
    machine.run("totpctl recovery-codes bob --save /root/codes >/dev/null").stdout_ok();
    let lost = machine.run("totpctl recovery-codes bob >/dev/full");
    assert_eq!(lost.status, 1, "{lost:#?}");
    assert!(lost.stderr.contains("earlier recovery codes are invalid"), "{lost:#?}");
}
