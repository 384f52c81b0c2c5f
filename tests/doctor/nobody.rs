//! Services that let nobody in, although users are enrolled.

use tests::Machine;

use super::doctor;

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
