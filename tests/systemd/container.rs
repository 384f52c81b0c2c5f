//! A host that may not make mounts, as an unprivileged LXC without nesting.

use super::{SUITES, enrolled, fresh, with_alice};

#[test]
fn a_container_without_mounts_is_named_and_the_drop_in_helps() {
    for suite in SUITES {
        let (mut host, _) = with_alice(suite);
        host.run(
            "mv /usr/lib/systemd/systemd /usr/lib/systemd/systemd.real && \
             cp /opt/tests/deny_mounts /usr/lib/systemd/systemd",
        )
        .stdout_ok();
        host.reboot();

        let doctor = host.run("totpctl doctor").text();
        let named = doctor.lines().find(|line| line.contains("[unit-cannot-start]"));
        let named = named.unwrap_or_else(|| panic!("{suite}: {doctor}"));
        assert!(named.contains("226/NAMESPACE") && named.contains("container.conf"), "{named}");
        let before = host.run("cat /etc/pam.d/sshd").stdout_ok();
        for command in ["try", "enable"] {
            let refused = host.run(&format!("timeout 20 totpctl {command} sshd"));
            assert_eq!(refused.status, 3, "{suite}: {refused:#?}");
            assert!(
                refused.stderr.contains("not changed: systemd cannot start totpd"),
                "{refused:#?}"
            );
        }
        assert_eq!(host.run("cat /etc/pam.d/sshd").stdout_ok(), before, "{suite}");

        // The commands of docs/admin/install.md.
        let page = include_str!("../../docs/admin/install.md");
        let section = page.split("## Containers\n").nth(1).unwrap();
        let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
        let ran = host.run(block);
        assert!(!ran.text().contains("unit-cannot-start"), "{suite}: {ran:#?}");
        host.run("pam-auth-update --enable totp").stdout_ok();
        let code = fresh(&host, "alice");
        assert!(!host.ssh("alice", "000000") && host.ssh("alice", &code), "{suite}");
        enrolled(&host, "bob", 2);
        let own = "readlink /proc/$(systemctl show -P MainPID totpd)/ns/mnt /proc/1/ns/mnt | uniq | wc -l";
        assert_eq!(host.run(own).stdout_ok().trim(), "1", "{suite}: it has no mounts of its own");
        host.run("systemctl restart totpctl-try.service").stdout_ok();
    }
}
