//! The key in a TPM.

use tests::{Host, eventually};

use super::{PACKAGE, enrolled, fresh, try_fresh};

#[test]
fn a_key_in_the_tpm_is_bound_to_this_host_and_can_leave_it() {
    let mut host = Host::with_tpm("bookworm");
    host.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
    let seed = enrolled(&host, "alice", 1);
    host.run("pam-auth-update --enable totp").stdout_ok();
    host.run_with_input("totpctl backup /root/before.age", "a long passphrase\n").stdout_ok();
    // A TPM keeps the sessions of programs that ended, three at most. It does so without the
    // kernel's own manager of it.
    let fresh_sessions = |host: &Host| {
        host.run("tpm2_flushcontext -T swtpm:path=/mnt/share/tpm --loaded-session").stdout_ok();
    };
    let sealed = host.run("totpctl seal-key --tpm2").stdout_ok();
    assert!(host.run("test -e /var/lib/totpd/store.key").status != 0, "{sealed}");
    assert!(
        host.ssh("alice", &seed.code()),
        "{}",
        host.run("journalctl --no-pager -t totpd").stdout
    );
    let again = host.run("totpctl seal-key --tpm2");
    assert!(again.status == 1 && again.stderr.contains("--undo"), "{again:#?}");
    // Out again, and in again: every record goes along.
    let undo = |host: &Host| {
        // One that cannot start is tried again, each time with a session.
        host.run("systemctl stop totpd.service").stdout_ok();
        fresh_sessions(host);
        host.run("systemctl start totpd.socket").stdout_ok();
        host.run("totpctl seal-key --undo")
    };
    // It needs all three sessions.
    fresh_sessions(&host);
    host.run("systemctl restart totpd.service").stdout_ok();
    let cut = host.run("totpctl seal-key --undo");
    assert!(cut.status == 1 && cut.stderr.contains("not changed"), "{cut:#?}");
    // An extra start of the daemon may have taken one of the sessions. The command may then be run
    // again.
    let mut undone = undo(&host);
    if undone.status != 0 {
        let journal = host.run("journalctl --no-pager -b -o short-precise | tail -n 80").stdout;
        println!("{undone:#?}\n{journal}");
        assert!(journal.contains("out of memory for session contexts"), "{undone:#?}\n{journal}");
        undone = undo(&host);
    }
    undone.stdout_ok();
    host.run("test -s /var/lib/totpd/store.key && test ! -e /etc/credstore.encrypted/totpd.key")
        .stdout_ok();
    assert_eq!(host.run("totpctl seal-key --undo").status, 1);
    fresh_sessions(&host);
    host.run("totpctl verify-store && totpctl seal-key --tpm2 && totpctl verify-store").stdout_ok();
    fresh_sessions(&host);
    host.reboot();
    let code = fresh(&host, "alice");
    assert!(host.ssh("alice", &code), "after a reboot");

    // The disk is of no use on another machine. The error says so, and says what to do.
    host.another_tpm();
    host.reboot();
    assert!(!host.ssh("alice", &seed.next_code()), "nobody gets in");
    let output = host.run("totpctl show alice");
    assert_eq!(output.status, 3, "{output:#?}");
    let journal = host.run("journalctl --no-pager -b -u totpd.service").stdout_ok();
    assert!(journal.contains("totpd.key") || journal.contains("credentials"), "{journal}");
    // The way back by the backup, as docs/admin/store.md has it.
    host.run(
        "rm /etc/credstore.encrypted/totpd.key /etc/systemd/system/totpd.service.d/50-seal-key.conf && \
         mv /var/lib/totpd /var/lib/totpd.broken && systemctl daemon-reload",
    )
    .stdout_ok();
    host.run_with_input("totpctl restore /root/before.age --yes", "a long passphrase\n")
        .stdout_ok();
    assert!(host.run("totpctl show alice").stdout_ok().contains("verified"));
    // A factor that was made in the very second of the restore counts as made before it.
    eventually("a user who is enrolled again gets in", || {
        host.run("totpctl unlock alice").stdout_ok();
        try_fresh(&host, "alice").is_some_and(|code| host.ssh("alice", &code))
    });
    // Nothing is changed without a TPM.
    let none = Host::boot("bookworm");
    none.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
    enrolled(&none, "alice", 1);
    let refusal = none.run("totpctl seal-key --tpm2");
    assert!(refusal.status == 1 && refusal.stderr.contains("not changed"), "{refusal:#?}");
    none.run("totpctl verify-store && test -s /var/lib/totpd/store.key").stdout_ok();
}
