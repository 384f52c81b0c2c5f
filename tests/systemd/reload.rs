//! The reload of rules by systemd.

use super::{SUITES, with_alice};

#[test]
fn systemctl_reload_fails_where_a_file_has_a_fault() {
    const FILE: &str = "/etc/totpd/totpd.toml.d/10-rules.toml";
    for suite in SUITES {
        let (host, _) = with_alice(suite);
        let pid = host.run("systemctl show -P MainPID totpd").stdout_ok();
        let write = |keys: &str| {
            let rule = format!("[[rule]]\nname = \"office\"\nfrom = [\"10.0.0.0/8\"]\n{keys}\n");
            host.run_with_input(&format!("cat > {FILE}"), &rule).stdout_ok();
            host.run("systemctl reload totpd")
        };
        write("then = \"skip\"").stdout_ok();
        let explain = || host.run("totpctl explain alice sshd --from 10.1.2.3").stdout_ok();
        assert!(explain().contains("the rule \"office\" decides"), "{suite}: {}", explain());
        assert_ne!(write("then = \"skpi\"").status, 0, "{suite}");
        assert!(explain().contains("the rule \"office\" decides"), "{suite}: {}", explain());
        let journal =
            host.run("journalctl -t totpd TOTP_REASON=rules-not-reloaded -o cat").stdout_ok();
        assert!(journal.contains(&format!("{FILE}:4: ")), "{suite}: {journal}");
        let state =
            host.run("systemctl is-active totpd; systemctl show -P MainPID totpd").stdout_ok();
        assert_eq!(state, format!("active\n{pid}"), "{suite}: it runs on");
    }
}
