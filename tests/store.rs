//! The store as a whole, by the commands that an administrator has: backup, restore, rekey,
//! verify-store, resync.

use tests::{Machine, Seed, eventually, pam};

const PASSPHRASE: &str = "correct horse battery staple";

/// Makes a backup of alice (a phone) and bob (a token that counts presses) in /root/b. Returns the
/// seeds of both.
fn backed_up(machine: &Machine) -> (Seed, Seed) {
    let alice = machine.enrolled("alice", 1);
    let bob = Seed::numbered(2);
    let enroll = "totpctl enroll bob --secret-stdin --no-confirm --hotp --qr none";
    machine.run_with_input(enroll, &format!("{}\n", bob.0)).stdout_ok();
    let backup = machine.run_with_input("totpctl backup /root/b", &format!("{PASSPHRASE}\n"));
    assert!(backup.stderr.contains("/root/b holds 2 users"), "{backup:#?}");
    assert_eq!(backup.status, 0, "{backup:#?}");
    (alice, bob)
}

fn restore(machine: &Machine, options: &str) -> tests::Output {
    machine
        .run_with_input(&format!("totpctl restore /root/b {options}"), &format!("{PASSPHRASE}\n"))
}

#[test]
fn a_backup_moves_all_users_and_reopens_no_code() {
    let machine = Machine::new();
    let (alice, bob) = backed_up(&machine);
    assert_eq!(machine.run("stat -c %a /root/b").stdout_ok().trim(), "600");
    // Used after the backup was made, so the backup does not know.
    let used = alice.code();
    assert_eq!(machine.pam("totp", "alice", &used).run().rc, pam::SUCCESS);
    let press = |n: u32| {
        let seed = &bob.0;
        machine.run(&format!("oathtool --base32 -c {n} {seed}")).stdout_ok().trim().to_owned()
    };
    assert_eq!(machine.pam("totp", "bob", &press(0)).run().rc, pam::SUCCESS);

    // Another machine: nothing is left of the first.
    machine.kill_daemon("KILL");
    machine.run("rm -rf /var/lib/totpd").stdout_ok();
    let planned = restore(&machine, "--dry-run");
    assert_eq!(planned.status, 0, "{planned:#?}");
    assert!(planned.stdout.contains("Backup of 2 users, created on totp-test"), "{planned:#?}");
    assert!(planned.stdout.contains("totpctl resync bob"), "{planned:#?}");
    let unasked = restore(&machine, "");
    assert_eq!(unasked.status, 1, "{unasked:#?}");
    assert!(unasked.stderr.contains("not changed: not confirmed"), "{unasked:#?}");
    assert_eq!(machine.run("totpctl list").stdout_ok(), "");
    // These codes are of time steps up to that of the restoration and the one after it.
    let reopened = [used, alice.code(), alice.next_code()];
    let restored = restore(&machine, "--yes");
    assert_eq!(restored.status, 0, "{restored:#?}");

    for code in &reopened {
        let again = machine.pam("totp", "alice", code).from("192.0.2.9").run();
        assert_eq!(again.rc, pam::AUTH_ERR, "{again:#?}");
    }
    machine.run("totpctl unlock alice").stdout_ok();
    // A phone that ran ahead could have used codes. These stay closed for five minutes more.
    machine.kill_daemon("TERM");
    let mut later = machine.start("exec faketime -f +360s /usr/libexec/totpd");
    eventually("the daemon is on the bus", || machine.owns_its_name());
    let fresh = machine.pam("totp", "alice", &alice.code_after(390)).run();
    assert_eq!(fresh.rc, pam::SUCCESS, "{fresh:#?}");
    // The token opens nothing before it is in step again.
    assert_eq!(machine.pam("totp", "bob", &press(1)).run().rc, pam::AUTH_ERR);
    assert!(machine.log().contains("totpctl resync"), "{}", machine.log());
    let resync = |codes: &str| machine.run_with_input("totpctl resync bob", codes);
    let wrong = resync(&format!("{}\n{}\n", press(7), press(9)));
    assert_eq!(wrong.status, 1, "{wrong:#?}");
    assert_eq!(resync(&format!("{}\n{}\n", press(7), press(8))).status, 0);
    assert_eq!(machine.pam("totp", "bob", &press(8)).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "bob", &press(9)).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    later.wait().unwrap();
}

#[test]
fn a_store_with_users_is_replaced_only_by_saying_so() {
    let machine = Machine::new();
    backed_up(&machine);
    machine.enrolled("carol", 3);
    let refusal = restore(&machine, "--yes");
    assert_eq!(refusal.status, 1, "{refusal:#?}");
    assert!(refusal.stderr.contains("3 users already; use --replace"), "{refusal:#?}");
    assert!(machine.run("totpctl list").stdout_ok().contains("carol"));
    restore(&machine, "--yes --replace").stdout_ok();
    let listed = machine.run("totpctl list").stdout_ok();
    assert!(listed.contains("alice") && !listed.contains("carol"), "{listed}");
    let left = machine.run("ls /var/lib/totpd").stdout_ok();
    assert_eq!(left, "store.db\nstore.db-wal\nstore.key\n");
    // The restored records are durable.
    machine.kill_daemon("KILL");
    assert_eq!(machine.run("totpctl list").stdout_ok(), listed);
}

#[test]
fn a_backup_for_a_recipient_opens_with_age_and_its_identity() {
    let machine = Machine::new();
    let (alice, _) = backed_up(&machine);
    let recipient =
        machine.run("age-keygen -o /root/id 2>/dev/null; age-keygen -y /root/id").stdout_ok();
    machine.run(&format!("totpctl backup /root/r --recipient {}", recipient.trim())).stdout_ok();
    let plain = machine.run("age -d -i /root/id /root/r | head -n 1").stdout_ok();
    assert_eq!(plain, "totpd backup 4\n");
    let planned =
        machine.run("totpctl --json restore /root/r --identity /root/id --dry-run").stdout_ok();
    assert!(planned.contains("\"users\":2"), "{planned}");
    for (arguments, reason) in [
        ("restore /root/r --dry-run", "made for age recipients"),
        ("restore /root/b --identity /root/id --dry-run", "protected by a passphrase"),
        ("restore /root/b --identity /etc/passwd --dry-run", "identities of age"),
        ("backup /root/x --recipient age1nonsense", "recipients of age"),
    ] {
        let refusal =
            machine.run_with_input(&format!("totpctl {arguments}"), &format!("{PASSPHRASE}\n"));
        assert_eq!(refusal.status, 1, "{arguments}: {refusal:#?}");
        assert!(refusal.stderr.contains(reason), "{arguments}: {refusal:#?}");
    }
    machine.run("age-keygen -o /root/other 2>/dev/null").stdout_ok();
    let other = machine.run("totpctl restore /root/r --identity /root/other --dry-run");
    assert!(other.stderr.contains("wrong passphrase or identity"), "{other:#?}");
    assert_eq!(machine.pam("totp", "alice", &alice.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_file_that_is_no_backup_is_refused_and_loses_nothing() {
    let machine = Machine::new();
    let (alice, _) = backed_up(&machine);
    let length: usize = machine.run("stat -c %s /root/b").stdout_ok().trim().parse().unwrap();
    machine
        .run("cp /root/b /root/whole; truncate -s 10G /root/zeros; echo hello > /root/letter")
        .stdout_ok();
    machine.run("age-keygen -o /root/id 2>/dev/null; echo hello | age -r $(age-keygen -y /root/id) > /root/foreign").stdout_ok();
    for (what, reason) in [
        (format!("head -c {} /root/whole > /root/b", length - 1), "damaged or cut short"),
        (format!("head -c {} /root/whole > /root/b", length / 2), "damaged or cut short"),
        ("head -c 100 /root/whole > /root/b".into(), "not a backup"),
        (": > /root/b".into(), "not a backup"),
        ("rm /root/b; ln -s /root/zeros /root/b".into(), "not a backup"),
        ("rm /root/b; cp /root/letter /root/b".into(), "not a backup"),
        ("rm /root/b; mkdir /root/b".into(), "not a regular file"),
        ("rmdir /root/b; mkfifo /root/b".into(), "not a regular file"),
        ("rm /root/b".into(), "No such file"),
    ] {
        machine.run(&what).stdout_ok();
        let refusal = restore(&machine, "--yes --replace");
        assert_eq!(refusal.status, 1, "{what}: {refusal:#?}");
        assert!(refusal.stderr.contains(reason), "{what}: {refusal:#?}");
    }
    let foreign = machine.run("totpctl restore /root/foreign --identity /root/id --yes --replace");
    assert!(foreign.stderr.contains("not a backup of totpd"), "{foreign:#?}");
    machine.run("cp /root/whole /root/b").stdout_ok();
    let wrong =
        machine.run_with_input("totpctl restore /root/b --yes --replace", "another passphrase\n");
    assert!(wrong.stderr.contains("wrong passphrase or identity"), "{wrong:#?}");
    assert_eq!(machine.pam("totp", "alice", &alice.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_no_half_of_itself() {
    let machine = Machine::new();
    backed_up(&machine);
    machine.run("echo mine > /root/file; ln -s /root/file /root/link; ln -s /root/nowhere /root/dangling").stdout_ok();
    for (target, words) in [
        ("/root/file", "exists already"),
        ("/root/link", "exists already"),
        ("/root/dangling", "exists already"),
        ("/root", "exists already"),
        ("/root/no/folder", "cannot write /root/no/folder"),
    ] {
        let refusal =
            machine.run_with_input(&format!("totpctl backup {target}"), &format!("{PASSPHRASE}\n"));
        assert_eq!(refusal.status, 1, "{target}: {refusal:#?}");
        assert!(refusal.stderr.contains(words), "{target}: {refusal:#?}");
    }
    assert_eq!(machine.run("cat /root/file; ls /root/nowhere 2>/dev/null").stdout, "mine\n");
    let short = machine.run_with_input("totpctl backup /root/short", "too short\n");
    assert!(short.stderr.contains("at least 12 characters"), "{short:#?}");
    machine.run("mkdir /root/small && mount -t tmpfs -o size=4k tmpfs /root/small && echo > /root/small/x").stdout_ok();
    let full = machine.run_with_input("totpctl backup /root/small/b", &format!("{PASSPHRASE}\n"));
    assert_eq!(full.status, 1, "{full:#?}");
    assert!(full.stderr.contains("cannot write /root/small/b: No space left"), "{full:#?}");
    assert_eq!(
        machine.run("ls /root/short /root/small 2>/dev/null").stdout.trim(),
        "/root/small:\nx"
    );
}

#[test]
fn a_rekey_leaves_the_users_and_makes_the_old_key_useless() {
    let machine = Machine::new();
    let (alice, _) = backed_up(&machine);
    machine.run("cp -a /var/lib/totpd/store.key /root/old.key").stdout_ok();
    let done = machine.run("totpctl rekey");
    assert!(done.stderr.contains("sealed under the new key k-"), "{done:#?}");
    assert_eq!(machine.pam("totp", "alice", &alice.code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    assert_eq!(machine.pam("totp", "alice", &alice.next_code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    machine.run("cp -a /root/old.key /var/lib/totpd/store.key").stdout_ok();
    assert_eq!(machine.run("totpctl list").status, 3);
    assert!(machine.log().contains("is missing (found: k-"), "{}", machine.log());
}

#[test]
fn the_key_may_be_a_credential_and_a_rekey_moves_to_it() {
    let machine = Machine::new();
    let alice = machine.enrolled("alice", 1);
    machine.kill_daemon("TERM");
    machine.run("mkdir -m 700 /run/cred && head -c 32 /dev/urandom > /run/cred/totpd.key && chmod 400 /run/cred/totpd.key").stdout_ok();
    let start = || {
        let daemon = machine.start("CREDENTIALS_DIRECTORY=/run/cred exec /usr/libexec/totpd");
        eventually("the daemon is on the bus", || machine.owns_its_name());
        daemon
    };
    let mut daemon = start();
    assert!(machine.log().contains("\"totpctl rekey\" changes that"), "{}", machine.log());
    machine.run("totpctl rekey").stdout_ok();
    assert_eq!(machine.run("ls /var/lib/totpd").stdout_ok(), "store.db\nstore.db-wal\n");
    assert_eq!(machine.pam("totp", "alice", &alice.code()).run().rc, pam::SUCCESS);
    let again = machine.run("totpctl rekey");
    assert_eq!(again.status, 1, "{again:#?}");
    assert!(again.stderr.contains("totpd.key.old"), "{again:#?}");
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
    // The daemon opens nothing without the credential, and makes no key.
    assert_eq!(machine.run("totpctl list").status, 3);
    assert!(machine.log().contains("found: no key"), "{}", machine.log());
    assert_eq!(machine.run("ls /var/lib/totpd").stdout_ok(), "store.db\nstore.db-wal\n");
    // A new credential beside the old one, and the store moves on.
    machine.run("cd /run/cred && mv totpd.key totpd.key.old && head -c 32 /dev/urandom > totpd.key && chmod 400 totpd.key").stdout_ok();
    let mut daemon = start();
    machine.run("totpctl rekey").stdout_ok();
    machine.run("rm /run/cred/totpd.key.old").stdout_ok();
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
    let mut daemon = start();
    assert_eq!(machine.pam("totp", "alice", &alice.next_code()).run().rc, pam::SUCCESS);
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
}

#[test]
fn damaged_records_are_named_and_can_be_removed() {
    let machine = Machine::new();
    let (alice, _) = backed_up(&machine);
    machine.enrolled("carol", 3);
    let all = machine.run("totpctl verify-store");
    assert_eq!(all.stdout, "3 records read and unsealed.\n", "{all:#?}");
    machine.kill_daemon("KILL");
    machine
        .run(
            "sqlite3 -cmd '.timeout 10000' /var/lib/totpd/store.db \"UPDATE record SET uid = uid + 1 WHERE subject = 'bob'; \
             INSERT INTO record SELECT 'a/b', uid, sealed FROM record WHERE subject = 'carol'; \
             INSERT INTO record SELECT CAST(X'ff0aff' AS TEXT), uid, sealed FROM record WHERE subject = 'carol'\"",
        )
        .stdout_ok();
    let check = machine.run("totpctl verify-store");
    assert_eq!(check.status, 1, "{check:#?}");
    for name in ["damaged: bob\n", "damaged: a/b\n", "3 damaged records: restore a backup"] {
        assert!(check.stderr.contains(name), "{name}: {check:#?}");
    }
    assert_eq!(check.stdout, "5 records read and unsealed.\n");
    let listed = machine.run("totpctl list").stdout_ok();
    assert!(listed.contains("damaged") && listed.contains("carol"), "{listed}");
    assert_eq!(machine.pam("totp", "alice", &alice.code()).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "bob", "123456").run().rc, pam::AUTH_ERR);
    let partly = machine.run_with_input("totpctl backup /root/partly", &format!("{PASSPHRASE}\n"));
    assert_eq!(partly.status, 1, "{partly:#?}");
    assert!(partly.stderr.contains("not in the backup"), "{partly:#?}");
    machine.run("totpctl remove bob").stdout_ok();
    assert!(machine.run("totpctl show bob").stdout_ok().contains("is not enrolled"));
}

#[test]
fn only_root_may_touch_the_store_as_a_whole() {
    let machine = Machine::new();
    backed_up(&machine);
    machine.run("cp /root/b /tmp/b && chmod 644 /tmp/b").stdout_ok();
    for command in ["rekey", "verify-store", "backup /tmp/mine", "restore /tmp/b --yes --replace"] {
        let refusal = machine.run_as_with_input(
            "alice",
            &format!("totpctl {command}"),
            &format!("{PASSPHRASE}\n"),
        );
        assert_eq!(refusal.status, 4, "{command}: {refusal:#?}");
    }
    assert_eq!(machine.run("ls /tmp/mine").status, 2);
    let progress = machine.call("alice", "org.totpd.Totp1.Store.Progress", "");
    assert!(progress.stderr.contains("AccessDenied"), "{progress:#?}");
    let resync = machine.run_as_with_input("bob", "totpctl resync", "123456\n123456\n");
    assert_eq!(resync.status, 4, "{resync:#?}");
}
