//! Booted hosts, with their own OpenSSH, cron and systemd.

use tests::{Host, SSH, eventually};

use super::NEEDS_CODE;
use crate::systemd::{enrolled, fresh};

/// Logs alice in by ssh, with her key and these methods. Returns all that the client shows.
fn by_ssh(host: &Host, methods: &str, code: &str) -> (bool, String) {
    let ssh = SSH.replace("LogLevel=ERROR", "LogLevel=INFO");
    let ran = host.run(&format!(
        "cd /tmp; exec runuser -u alice -- env HOME=/home/alice PASSWORD=alicepw CODE='{code}' \
         SSH_ASKPASS=/opt/tests/askpass SSH_ASKPASS_REQUIRE=force {ssh} \
         -o PreferredAuthentications={methods} alice@127.0.0.1 'echo in as $(id -un)'"
    ));
    (ran.stdout.lines().any(|line| line == "in as alice"), ran.text())
}

fn guarded(suite: &str) {
    let host = Host::boot(suite);
    host.run("apt-get install -y /opt/tests/libpam-totp.deb").stdout_ok();
    enrolled(&host, "alice", 1);
    host.run(
        "set -e
         install -d -o alice /home/alice/.ssh
         runuser -u alice -- ssh-keygen -q -t ed25519 -N '' -f /home/alice/.ssh/id_ed25519
         install -o alice /home/alice/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys
         # Since OpenSSH 9.8 a refused login counts against its address.
         if /usr/sbin/sshd -T -o PerSourcePenalties=no >/dev/null 2>&1; then
           echo 'PerSourcePenalties no' > /etc/ssh/sshd_config.d/05-penalties.conf
         fi
         systemctl restart ssh
         totpctl enable --guard --write-sshd --even-so --yes sshd",
    )
    .stdout_ok();
    eventually("sshd asks", || by_ssh(&host, "keyboard-interactive", &fresh(&host, "alice")).0);
    let (got_in, told) = by_ssh(&host, "publickey", "");
    assert!(!got_in && told.contains(NEEDS_CODE), "{suite}: {told}");
    host.run(
        "echo 'AuthenticationMethods publickey,keyboard-interactive' > /etc/ssh/sshd_config.d/20-methods.conf
         systemctl restart ssh",
    )
    .stdout_ok();
    eventually("key and code get in", || {
        by_ssh(&host, "publickey,keyboard-interactive", &fresh(&host, "alice")).0
    });
    let (got_in, told) = by_ssh(&host, "publickey,keyboard-interactive", "000000");
    assert!(!got_in, "{suite}: {told}");
    let doctor = host.run("totpctl doctor sshd");
    assert!(!doctor.text().contains("guard-"), "{suite}: {doctor:#?}");
    others_go_on(&host, suite);
}

/// A guard in the file that all services include stops none that nobody sits behind.
fn others_go_on(host: &Host, suite: &str) {
    host.run("sed -i '1i account required pam_totp.so guard' /etc/pam.d/common-account")
        .stdout_ok();
    assert_eq!(host.run("su alice -c 'id -un'").stdout_ok().trim(), "alice", "{suite}");
    assert_eq!(host.run("su - alice -c 'id -un'").stdout_ok().trim(), "alice", "{suite}");
    let manager = "systemctl start user@$(id -u alice).service && systemctl is-active user@$(id -u alice).service";
    assert_eq!(host.run(manager).stdout_ok().trim(), "active", "{suite}");
    if host.run("test -x /usr/sbin/cron").status == 0 {
        // cron runs this job when it starts for the first time after a boot.
        host.run(
            "rm -f /tmp/cron-ran /run/crond.reboot; echo '@reboot id -un > /tmp/cron-ran' | crontab -u alice - && \
             systemctl reset-failed cron && systemctl restart cron",
        )
        .stdout_ok();
        eventually("cron runs the job of alice", || {
            host.run("cat /tmp/cron-ran 2>/dev/null").stdout.trim() == "alice"
        });
    }
    let refused = host.run("runuser -u bob -- sh -c 'echo alicepw | su alice -c id'");
    assert!(refused.status != 0, "{suite}: {refused:#?}");
}

#[test]
fn a_key_alone_is_refused_on_debian_12() {
    guarded("bookworm");
}

#[test]
fn a_key_alone_is_refused_on_debian_13() {
    guarded("trixie");
}
