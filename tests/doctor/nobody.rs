//! Services that let nobody in, although users are enrolled.

use tests::Machine;

use super::doctor;

/// All have a factor, and the rules let none of them in.
#[test]
fn rules_that_let_nobody_in_are_a_problem_and_not_enabled() {
    let machine = Machine::new();
    machine.run("rm /etc/pam.d/totp; echo root:rootpw | chpasswd").stdout_ok();
    for (n, user) in (1..).zip(["root", "alice", "bob", "carol"]) {
        machine.enrolled(user, n);
    }
    machine
        .run("sed -i '/PubkeyAuthentication/d; /PermitRootLogin/d' /etc/ssh/sshd_config")
        .stdout_ok();
    machine
        .run("sed -i '1i PubkeyAuthentication no\\nPermitRootLogin no' /etc/ssh/sshd_config")
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    let deny = "[[rule]]\nname = \"others\"\nthen = \"deny\"\n";
    let root = "[[rule]]\nname = \"root\"\nusers = [\"root\"]\nthen = \"require\"\n";
    let methods = |method: &str| {
        format!("[[rule]]\nname = \"all\"\nthen = \"require\"\nmethods = [\"{method}\"]\n")
    };
    for (rules, why) in [
        (methods("hotp"), "alice (no factor of a method that the rule allows)"),
        (deny.to_owned(), "alice (refused by a rule)"),
        (format!("{root}{deny}"), "root (refused by sshd)"),
    ] {
        machine.write("/etc/totpd/totpd.toml.d/10.toml", &rules);
        machine.run("totpctl rules reload").stdout_ok();
        let refused = machine.run("totpctl enable sshd");
        assert!(refused.status == 1 && refused.stderr.contains(why), "{refused:#?}");
        assert!(refused.stderr.contains("change the rule"), "{refused:#?}");
        machine.run("totpctl enable sshd --even-so").stdout_ok();
        let found = doctor(&machine, "sshd");
        let is_told = found.stdout.contains("[nobody-enrolled]") && found.stdout.contains(why);
        assert!(found.status == 1 && is_told, "{rules}: {found:#?}");
        let status = machine.run("totpctl status").stdout_ok();
        let none = !why.contains("sshd") && !status.contains("(0 of them can log in with a code)");
        assert!(!none, "{status}");
        machine.run("totpctl disable sshd").stdout_ok();
    }
    machine.write("/etc/totpd/totpd.toml.d/10.toml", &methods("totp"));
    machine.run("totpctl rules reload && totpctl enable sshd").stdout_ok();
    let found = doctor(&machine, "sshd");
    assert!(!found.stdout.contains("[nobody-enrolled]"), "{found:#?}");
}

#[test]
fn a_service_that_nobody_passes_is_a_problem_and_not_enabled() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    // Its stack asks for a code alone, which a locked password does not prevent.
    machine.run("rm /etc/pam.d/totp").stdout_ok();
    machine.run("passwd -l root; usermod -p '*' alice").stdout_ok();
    machine.run("sed -i '/PubkeyAuthentication/d' /etc/ssh/sshd_config").stdout_ok();
    let close_keys = "sed -i '1i PubkeyAuthentication no' /etc/ssh/sshd_config";
    machine.run(close_keys).stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    for service in ["sshd", "sudo"] {
        let refused = machine.run(&format!("totpctl enable {service}"));
        let told =
            format!("nobody could log in by {service}: enrolled are alice (password locked)");
        assert!(refused.status == 1 && refused.stderr.contains(&told), "{refused:#?}");
        machine.run(&format!("totpctl enable {service} --even-so")).stdout_ok();
        let found = doctor(&machine, service);
        assert!(found.status == 1 && found.stdout.contains("[nobody-enrolled]"), "{found:#?}");
    }
    let status = machine.run("totpctl status").stdout_ok();
    assert!(status.contains("Users: 1 enrolled (0 of them can log in with a code)"), "{status}");
    machine.run("echo alice:alicepw | chpasswd").stdout_ok();
    let found = doctor(&machine, "sshd sudo");
    assert!(!found.stdout.contains("[nobody-enrolled]"), "{found:#?}");

    // A factor that is of no use is no better than none.
    for set in ["--services sudo,sudo-i", "--disable"] {
        machine.run(&format!("totpctl set alice {set}")).stdout_ok();
        let found = doctor(&machine, "sshd");
        assert!(found.status == 1 && found.stdout.contains("[nobody-enrolled]"), "{found:#?}");
    }
}
