//! The maker of a backup. Another person may have put a file for our recipient in its place, or an
//! older one.

use tests::{Machine, Output, eventually};

/// Makes an age identity in `file`, and answers its recipient.
fn identity(machine: &Machine, file: &str) -> String {
    let recipient = machine.run(&format!("age-keygen -o {file} 2>/dev/null; age-keygen -y {file}"));
    recipient.stdout_ok().trim().to_owned()
}

/// Returns the value of `key` in a JSON object: a text or a number.
fn value(json: &str, key: &str) -> String {
    let rest = json.split(&format!("\"{key}\":")).nth(1).unwrap_or_else(|| panic!("{key}: {json}"));
    rest.trim_start_matches('"').split(['"', ',', '}']).next().unwrap().to_owned()
}

/// Backs up for a recipient, and answers the fingerprint.
fn back_up(machine: &Machine, file: &str, recipient: &str) -> String {
    let backup =
        machine.run(&format!("totpctl --json backup {file} --recipient {recipient}")).stdout_ok();
    value(&backup, "fingerprint")
}

fn restore(machine: &Machine, file: &str, options: &str) -> Output {
    machine.run(&format!("totpctl restore {file} --identity /root/id {options}"))
}

#[track_caller]
fn assert_refused(ran: &Output, reason: &str) {
    assert_eq!(ran.status, 1, "{ran:#?}");
    assert!(ran.stderr.contains(reason), "{reason}: {ran:#?}");
}

/// Writes forged backups to the place of backups, each with bob in it. A person who knows the
/// recipient alone can make them. Another store signed one. An older totpd wrote one. One was
/// changed after it was signed.
fn forge(machine: &Machine, recipient: &str) -> String {
    machine.kill_daemon("TERM");
    machine.run("mv /var/lib/totpd /root/aside").stdout_ok();
    machine.enrolled("bob", 666);
    let fingerprint = back_up(machine, "/root/foreign", recipient);
    let own = identity(machine, "/root/thief");
    back_up(machine, "/root/own", &own);
    machine
        .run(&format!(
            "cd /root && age -d -i thief own > plain && \
             (printf 'totpd backup 3\\n'; tail -c +16 plain | head -c -96) | age -r {recipient} > unsigned && \
             (head -c -1 plain; printf X) | age -r {recipient} > changed"
        ))
        .stdout_ok();
    machine.kill_daemon("TERM");
    machine.run("rm -rf /var/lib/totpd && mv /root/aside /var/lib/totpd").stdout_ok();
    fingerprint
}

#[test]
fn a_backup_made_by_somebody_else_is_not_restored() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let recipient = identity(&machine, "/root/id");
    let ours = back_up(&machine, "/root/genuine", &recipient);
    let doctor = machine.run("totpctl doctor").stdout;
    assert!(doctor.contains(&format!("backups are signed by {ours}")), "{doctor}");
    let theirs = forge(&machine, &recipient);
    assert_ne!(ours, theirs);

    let named = format!("--fingerprint {ours}");
    for (file, options, reason) in [
        ("foreign", "", "another store signed the backup"),
        ("foreign", named.as_str(), "not from the store that you named"),
        ("unsigned", "", "the backup is not signed"),
        ("unsigned", named.as_str(), "nothing shows that the store"),
        ("changed", "", "does not fit what it holds"),
        ("changed", named.as_str(), "does not fit what it holds"),
        ("changed", "--unsigned", "does not fit what it holds"),
        ("genuine", "--fingerprint SHA256:x", "fingerprint must be SHA256:"),
        ("genuine", &format!("--fingerprint {theirs}"), "not from the store that you named"),
    ] {
        let file = format!("/root/{file}");
        assert_refused(&restore(&machine, &file, &format!("{options} --yes --replace")), reason);
        let listed = machine.run("totpctl list").stdout_ok();
        assert!(listed.contains("alice") && !listed.contains("bob"), "{file} {options}: {listed}");
    }
    let both = restore(&machine, "/root/genuine", &format!("{named} --unsigned"));
    assert_eq!(both.status, 2, "{both:#?}");

    // A dry run that changes nothing shows all without these words.
    for (file, line, signed_by) in [
        ("genuine", "Signed by this store.\n".to_owned(), "this store"),
        (
            "foreign",
            format!("Signed by another store, {theirs}: restore it only if"),
            "another store",
        ),
        ("unsigned", "Not signed: an older totpd created it".to_owned(), "nobody"),
    ] {
        let file = format!("/root/{file}");
        let is_refused = file != "/root/genuine";
        let plan = restore(&machine, &file, "--dry-run");
        assert_eq!(plan.status, i32::from(is_refused), "{file}: {plan:#?}");
        assert!(plan.stdout.contains(&line), "{file}: {plan:#?}");
        let plan = restore(&machine, &file, "--dry-run --json");
        assert_eq!(plan.status, i32::from(is_refused), "{file}: {plan:#?}");
        assert_eq!(value(&plan.stdout, "signed_by"), signed_by, "{plan:#?}");
        assert_eq!(plan.stdout.contains("\"refusal\":"), is_refused, "{plan:#?}");
    }
}

#[test]
fn a_backup_is_recognized_after_a_rekey_and_by_fingerprint() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let recipient = identity(&machine, "/root/id");
    let ours = back_up(&machine, "/root/genuine", &recipient);
    let theirs = forge(&machine, &recipient);
    let rekeyed = machine.run("totpctl --json rekey").stdout_ok();
    let new = value(&rekeyed, "fingerprint");
    assert!(new.starts_with("SHA256:") && new != ours, "{rekeyed}");
    machine.kill_daemon("TERM");
    let plan = restore(&machine, "/root/genuine", "--dry-run").stdout_ok();
    assert!(plan.contains("Signed by this store, with a key from before a rekey."), "{plan}");
    for options in ["", &format!("--fingerprint ' {ours} '")] {
        let restored = restore(&machine, "/root/genuine", &format!("{options} --yes --replace"));
        assert_eq!(restored.status, 0, "{restored:#?}");
    }
    // The old key signed the backup at that time. The new key signs the present ones.
    let other = restore(&machine, "/root/genuine", &format!("--fingerprint {new} --dry-run"));
    assert_refused(&other, "not from the store that you named");

    // Another machine: nothing is left of the first.
    machine.kill_daemon("TERM");
    machine.run("rm -rf /var/lib/totpd").stdout_ok();
    assert_refused(&restore(&machine, "/root/genuine", "--yes"), "another store signed the backup");
    let wrong = restore(&machine, "/root/foreign", &format!("--fingerprint {ours} --yes"));
    assert_refused(&wrong, "not from the store that you named");
    assert_eq!(machine.run("totpctl list").stdout_ok(), "");
    restore(&machine, "/root/genuine", &format!("--fingerprint {ours} --yes")).stdout_ok();
    assert!(machine.run("totpctl list").stdout_ok().contains("alice"));
    let log = machine.log();
    assert!(log.contains("signed by another store"), "{log}");

    // One that is not signed, and one of a stranger, if nobody can tell and it has to be.
    for file in ["unsigned", "foreign"] {
        let taken = restore(&machine, &format!("/root/{file}"), "--unsigned --yes --replace");
        assert_eq!(taken.status, 0, "{file}: {taken:#?}");
        assert!(machine.run("totpctl list").stdout_ok().contains("bob"), "{file}");
    }
    assert_ne!(theirs, ours);
}

#[test]
fn a_wrong_fingerprint_is_refused_despite_a_passphrase() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let passphrase = "correct horse battery staple\n";
    let backup = machine.run_with_input("totpctl --json backup /root/b", passphrase).stdout_ok();
    let ours = value(&backup, "fingerprint");
    machine.kill_daemon("TERM");
    machine.run("rm -rf /var/lib/totpd").stdout_ok();
    let restore = |options: &str| {
        machine.run_with_input(&format!("totpctl restore /root/b {options}"), passphrase)
    };
    let plan = restore("--dry-run").stdout_ok();
    let line = format!("Signed by another store, {ours}. Its creator knew the passphrase.\n");
    assert!(plan.contains(&line), "{plan}");
    let other = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    assert_refused(
        &restore(&format!("--yes --fingerprint {other}")),
        "not from the store that you named",
    );
    assert_eq!(machine.run("totpctl list").stdout_ok(), "");
    restore(&format!("--yes --fingerprint {ours}")).stdout_ok();
    restore("--yes --replace").stdout_ok();
    assert!(machine.run("totpctl list").stdout_ok().contains("alice"));
}

#[test]
fn an_older_backup_is_named_with_both_dates() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let recipient = identity(&machine, "/root/id");
    machine.kill_daemon("TERM");
    let mut earlier = machine.start("exec faketime -f -2d /usr/libexec/totpd");
    eventually("the daemon is on the bus", || machine.owns_its_name());
    back_up(&machine, "/root/old", &recipient);
    machine.kill_daemon("TERM");
    earlier.wait().unwrap();
    back_up(&machine, "/root/new", &recipient);

    let plan = |file: &str| restore(&machine, file, "--dry-run --json").stdout_ok();
    let (old, new) = (plan("/root/old"), plan("/root/new"));
    let newest = value(&new, "created");
    assert_eq!(value(&old, "newest_backup"), newest, "{old}");
    let date = |seconds: &str| machine.run(&format!("date -d @{seconds} '+%F %T'")).stdout_ok();
    let (old, new) = (date(&value(&old, "created")), date(&newest));
    let sentence = format!(
        "This backup is older than the newest one that the store knows. It was created at {}, the \
         newest one at {}.\n",
        old.trim(),
        new.trim()
    );
    let preview = restore(&machine, "/root/old", "--dry-run").stdout_ok();
    assert!(preview.contains(&sentence), "{sentence}: {preview}");
    let preview = restore(&machine, "/root/new", "--dry-run").stdout_ok();
    assert!(!preview.contains("older than the newest"), "{preview}");
    // It is not refused, and said also if nobody is asked.
    for options in ["--yes --replace", "--yes --replace --json"] {
        let restored = restore(&machine, "/root/old", options);
        assert_eq!(restored.status, 0, "{restored:#?}");
        assert!(restored.stderr.contains(&sentence), "{restored:#?}");
        assert!(!restored.stdout.contains("older than the newest"), "once: {restored:#?}");
    }
    // The restore of the older one is not taken for a newer backup.
    assert_eq!(value(&plan("/root/old"), "newest_backup"), newest);
}

/// A person who can write the file waits for the question, and replaces the file with last year's
/// backup.
#[test]
fn a_restore_restores_what_was_shown() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let recipient = identity(&machine, "/root/id");
    back_up(&machine, "/root/old", &recipient);
    machine.enrolled("bob", 2);
    back_up(&machine, "/root/new", &recipient);
    let answer = |during: &str| {
        machine.run(&format!(
            "expect -c 'spawn totpctl restore /root/new --identity /root/id --replace
             expect \"Restore?\"
             exec sh -c \"{during}\"
             send \"y\\r\"
             expect eof
             exit [lindex [wait] 3]'"
        ))
    };
    let replaced = answer("cp /root/new /root/kept; cat /root/old > /root/new");
    assert_eq!(replaced.status, 1, "{replaced:#?}");
    assert!(replaced.stdout.contains("is not the one that was shown"), "{replaced:#?}");
    assert!(machine.run("totpctl list").stdout_ok().contains("bob"), "nothing is changed");
    machine.run("cat /root/kept > /root/new").stdout_ok();
    let same = answer("true");
    assert_eq!(same.status, 0, "{same:#?}");
    assert!(same.stdout.contains("2 users restored"), "{same:#?}");
}
