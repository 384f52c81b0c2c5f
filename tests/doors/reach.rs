//! What a change does beyond its service, and what polkit allows beside its stack.

use tests::{Machine, eventually, pam};

use super::{doctor, door};

#[test]
fn a_yes_of_polkit_is_named_where_a_user_becomes_root_by_it() {
    let machine = Machine::with_programs();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable polkit-1 --even-so --yes").stdout_ok();
    let named = || door(&doctor(&machine, "polkit-1").stdout, "pkexec");
    assert_eq!(named(), "asks for a code");
    let becomes_root = |user: &str, program: &str| {
        machine.run_as(user, &format!("pkexec {program} </dev/null")).stdout.starts_with("root")
    };
    assert!(!becomes_root("bob", "/usr/bin/whoami"));
    machine.write(
        "/etc/polkit-1/rules.d/99-a.rules",
        "/* polkit.Result.YES */\npolkit.addRule(function(a, s) {\n  if (s.user == 'bob') return 'yes';\n});\n",
    );
    eventually("bob becomes root", || becomes_root("bob", "/usr/bin/whoami"));
    let told = named();
    assert!(
        told.ends_with(
            "not asked: actions that a rule allows (/etc/polkit-1/rules.d/99-a.rules:3)"
        ),
        "{told}"
    );

    machine.run("rm /etc/polkit-1/rules.d/99-a.rules").stdout_ok();
    machine.write(
        "/usr/share/polkit-1/actions/x.policy",
        "<?xml version=\"1.0\"?><policyconfig><action id=\"x.y\"><message>x</message><defaults>\
         <allow_any>yes</allow_any><allow_inactive>yes</allow_inactive><allow_active>yes</allow_active>\
         </defaults><annotate key=\"org.freedesktop.policykit.exec.path\">/usr/bin/whoami</annotate>\
         </action></policyconfig>\n",
    );
    eventually("carol becomes root", || becomes_root("carol", "/usr/bin/whoami"));
    let told = named();
    assert!(told.contains("not asked: everybody for x.y, which runs /usr/bin/whoami"), "{told}");
}

#[test]
fn a_change_names_the_services_that_read_the_changed_stack() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.write("/etc/pam.d/i3lock", "auth include login\naccount include login\n");
    let refused = machine.run("totpctl enable login --yes");
    assert_ne!(refused.status, 0);
    assert!(refused.stderr.contains("nobody could log in through i3lock"), "{refused:#?}");
    assert_eq!(machine.pam("i3lock", "alice", "alicepw").run().rc, pam::SUCCESS);
    let enabled = machine.run("totpctl enable login --yes --even-so");
    assert!(enabled.stderr.contains("ask for a code too: i3lock (1)"), "{enabled:#?}");
    assert_ne!(machine.pam("i3lock", "alice", "alicepw").run().rc, pam::SUCCESS);
    let disabled = machine.run("totpctl disable login");
    assert!(disabled.stderr.contains("ask for no code either: i3lock (1)"), "{disabled:#?}");
    assert_eq!(machine.pam("i3lock", "alice", "alicepw").run().rc, pam::SUCCESS);

    machine
        .write("/etc/pam.d/runuser", "auth sufficient pam_rootok.so\nauth required pam_unix.so\n");
    for command in ["enable runuser --yes --even-so", "try runuser --yes --even-so"] {
        let refused = machine.run(&format!("totpctl {command}"));
        assert!(refused.stderr.contains("never authenticates anybody"), "{refused:#?}");
    }

    // A login shell of sudo has a service of its own.
    machine.run("rm /etc/pam.d/sudo-i").stdout_ok();
    let enabled = machine.run("totpctl enable sudo --yes --even-so");
    let advice = "cp /etc/pam.d/sudo /etc/pam.d/sudo-i";
    assert!(enabled.stderr.contains(advice), "{enabled:#?}");
    assert!(doctor(&machine, "sudo").stdout.contains(advice));
    machine.run(advice).stdout_ok();
    assert!(!doctor(&machine, "sudo").stdout.contains("[sudo-service-without-code]"));
}
