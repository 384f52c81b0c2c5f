//! Changes of PAM that are tried, over reboots and power cuts.

use tests::{Host, eventually};

use super::{fresh, with_alice};

#[test]
fn systemd_reverts_a_trial_over_reboots_and_power_cuts() {
    let (mut host, seed) = with_alice("bookworm");
    let files = |host: &Host| {
        host.run("cd /etc/pam.d && find . -mindepth 1 -printf '%p %m %u %g %s %T@\\n' | sort; sha256sum *")
            .stdout_ok()
    };
    let before = files(&host);
    // The trial is no process of this test, because a shutdown stops all processes of a host.
    let start = |host: &Host, minutes: u32| {
        let start = format!("totpctl try sshd --minutes {minutes} >/root/tried 2>&1 </dev/null &");
        host.run(&format!("rm -f /root/tried; setsid {start}")).stdout_ok();
    };
    let output = |host: &Host| host.run("cat /root/tried").stdout;
    let hold = |host: &Host, minutes: u32| {
        start(host, minutes);
        eventually("it holds", || output(host).contains("Enabled until"));
    };
    // Nothing ends a trial whose timer was stopped, and it says so.
    hold(&host, 5);
    assert!(!host.ssh("alice", "000000"));
    let state = host.run("totpctl try").stdout_ok();
    assert!(state.contains("is being tried until"), "{state}");
    assert!(state.contains("denied since it began.\nTo see denied logins: journalctl"), "{state}");
    let command = state.split("denied logins: ").nth(1).unwrap();
    assert!(host.run(command.trim()).stdout_ok().contains("denied for alice at sshd"), "{state}");
    host.run("systemctl stop 'totpctl-try-*.timer'; kill $(pgrep -f '^totpctl try sshd')")
        .stdout_ok();
    let state = host.run("totpctl try").stdout_ok();
    assert!(state.contains("nothing will revert it"), "{state}");
    assert!(host.run("totpctl doctor").stdout.contains("[trial-not-reverted]"));
    host.run("totpctl try --undo").stdout_ok();
    assert_eq!(files(&host), before);
    host.run("totpctl unlock alice").stdout_ok();
    // The terminal of the trial is gone, and the daemon. The time of day is no guide.
    hold(&host, 1);
    host.run("kill -HUP $(pgrep -f '^totpctl try sshd'); systemctl kill -s KILL totpd.service")
        .stdout_ok();
    let left = host.run("systemctl list-timers --no-legend 'totpctl-try-*'").stdout_ok();
    assert_eq!(left.lines().count(), 1, "{left}");
    // The rest of the minute goes by.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
    while files(&host) != before && std::time::Instant::now() < end {
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    assert_eq!(files(&host), before, "{}", host.run("journalctl --no-pager | tail -30").stdout);
    assert!(host.run("totpctl try").stdout_ok().contains("reverted, nobody logged in"));

    for how in ["reboot", "power cut"] {
        hold(&host, 5);
        assert_ne!(files(&host), before);
        if how == "reboot" {
            host.reboot()
        } else {
            host.power_cut()
        }
        assert_eq!(
            files(&host),
            before,
            "{how}: {}",
            host.run("journalctl --no-pager -u totpctl-try").stdout
        );
        assert!(host.ssh("alice", ""), "{how}: by the password alone");
    }
    // What the trial wrote for sshd is reverted, too.
    let written = "/etc/ssh/sshd_config.d/10-totp.conf";
    host.run(
        "rm -f /root/tried; mv /etc/ssh/sshd_config /etc/ssh/sshd_config.d/10-test.conf /root; \
         printf '%s\\n' 'Include /etc/ssh/sshd_config.d/*.conf' 'ListenAddress 127.0.0.1' 'UsePAM yes' \
           'KbdInteractiveAuthentication no' >/etc/ssh/sshd_config; systemctl reload ssh; \
         setsid totpctl try sshd --write-sshd --minutes 5 >/root/tried 2>&1 </dev/null &",
    )
    .stdout_ok();
    eventually("it holds", || output(&host).contains("Enabled until"));
    host.run(&format!("test -e {written}")).stdout_ok();
    host.reboot();
    host.run(&format!(
        "test ! -e {written}; mv /root/sshd_config /etc/ssh; mv /root/10-test.conf /etc/ssh/sshd_config.d; \
         systemctl reload ssh"
    ))
    .stdout_ok();
    assert_eq!(files(&host), before, "{}", host.run("journalctl --no-pager -u totpctl-try").stdout);
    // Power cuts and reboots at moments of the change itself.
    let mut random = 7_u32;
    for round in 0..tests::scaled(40, 10) {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        start(&host, 5);
        std::thread::park_timeout(std::time::Duration::from_micros(u64::from(random % 120_000)));
        if round % 2 == 0 {
            host.power_cut();
        } else {
            host.reboot();
        }
        assert_eq!(files(&host), before, "round {round}");
    }
    hold(&host, 5);
    assert!(host.ssh("alice", &seed.code()));
    eventually("it is kept", || output(&host).contains("the change is kept, alice"));
    let changed_files = files(&host);
    assert!(host.run("cat /etc/pam.d/sshd").stdout_ok().contains("pam_totp.so\n"));
    assert_eq!(host.run("systemctl list-timers --no-legend 'totpctl-try-*'").stdout, "");
    // Otherwise people would wait a minute after the cut (systemd/marks.rs).
    host.run("systemctl stop totpd.service").stdout_ok();
    host.power_cut();
    assert_eq!(files(&host), changed_files, "what is kept is kept");
    assert!(!host.ssh("alice", ""), "and asks");
    // sudo -i asks under another name.
    host.run("usermod -aG sudo alice; totpctl enable sudo").stdout_ok();
    let code = fresh(&host, "alice");
    let sudo = |code: &str| {
        host.run(&format!(
            "su alice -c \"/opt/tests/type-enrollment alicepw '{code}' x sudo -k -i id -un\""
        ))
        .stdout
    };
    assert!(!sudo("000000").lines().any(|line| line.trim() == "root"));
    assert!(sudo(&code).lines().any(|line| line.trim() == "root"));
}
