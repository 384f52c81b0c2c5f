//! A seed is only in the daemon while it works, and in its answer at enrollment.

use tests::{Machine, eventually, scaled};

#[test]
fn no_seed_is_anywhere_after_many_enrollments_and_logins() {
    let machine = Machine::new();
    machine.write(
        "/etc/totpd/totpd.toml.d/10-test.toml",
        "[throttle]\nfree_failures = 100\nlock_after = 100\n",
    );
    let count = scaled(100, 20);
    let users: String =
        (0..count).map(|n| format!("s{n}:x:{}:100::/:/bin/sh\n", 30_000 + n)).collect();
    machine.run_with_input("cat >> /etc/passwd", &users).stdout_ok();
    // Seeds that the daemon makes; they stay in this shell.
    let seeds = machine
        .run_with_input(
            "read count; for n in $(seq 0 $((count - 1))); do \
               made=$(totpctl --json enroll s$n --no-confirm --qr none); \
               seed=$(sed -n 's/.*\"secret\":\"\\([A-Z2-7]*\\)\".*/\\1/p' <<<\"$made\"); \
               echo $seed; \
               for step in 0 30; do \
                 oathtool --totp --base32 --now @$(($(date +%s) + step)) $seed | totpctl verify s$n >&2; \
               done; \
               for wrong in 1 2 3 4 5 6 7 8; do echo 00000$wrong | totpctl verify s$n >&2; done; \
             done",
            &format!("{count}\n"),
        );
    assert_eq!(
        seeds.stderr.matches("denied").count(),
        count as usize * 8,
        "{}",
        seeds.stderr.len()
    );
    let approved =
        seeds.stderr.matches("approved").count() + seeds.stdout.matches("approved").count();
    assert!(
        approved >= count as usize * 19 / 10,
        "{approved} of {count} * 2: a time step may have ended in between"
    );
    let seeds: Vec<_> = seeds.stdout.lines().filter(|line| line.len() == 32).collect();
    assert_eq!(seeds.len(), count as usize);
    machine.run_with_input("totpctl backup /root/backup", "a long enough passphrase\n").stdout_ok();
    machine.run("totpctl rekey; totpctl verify-store").stdout_ok();
    // Its own thread, those that read, write, flush, copy the log, hash, and wait for signals, two
    // that accept on the private socket, and its runtime.
    eventually("the daemon is idle", || {
        machine.run("ls /proc/$(pidof totpd)/task | wc -l").stdout_ok().trim() == "10"
    });
    let look =
        "/opt/tests/find_seeds $(pidof totpd) /var/lib/totpd /var/log /run /tmp /root/backup";
    let findings = machine.run_with_input(look, &seeds.join("\n")).stdout_ok();
    println!("{findings}");
    assert!(!findings.contains("found:"), "{findings}");
    assert!(findings.contains("looked at"), "{findings}");
    assert_eq!(
        machine.run("tail -n +2 /proc/swaps | wc -l").stdout_ok().trim().parse(),
        Ok(0_u32),
        "swap is in use: look there too"
    );

    // The search finds what is there.
    machine.write("/tmp/leak", &format!("xx{}yy", seeds[10]));
    let findings = machine.run_with_input(look, &seeds.join("\n")).stdout_ok();
    assert!(findings.contains("found: base32 in /tmp/leak"), "{findings}");
}
