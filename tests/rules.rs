//! Rules of the administrator, with the real libpam: who gives no code, who is refused or asked,
//! and what the journal says of it.

use tests::{Machine, pam};

const FILE: &str = "/etc/totpd/totpd.toml.d/10-rules.toml";

/// Makes these rules the ones in force.
fn set_rules(machine: &Machine, rules: &str) {
    machine.write(FILE, rules);
    machine.run("/usr/libexec/totpd --check-config").stdout_ok();
    machine.kill_daemon("TERM");
}

/// A login without a code is `PAM_IGNORE`. So our line alone lets nobody in.
#[test]
fn what_is_let_by_is_ignored_and_never_accepted() {
    let machine = Machine::new();
    machine.service("behind", "auth required pam_totp.so nodelay\nauth required pam_permit.so\n");
    machine.service("alone", "auth sufficient pam_totp.so nodelay\n");
    let alice = machine.enrolled("alice", 1);
    set_rules(
        &machine,
        "[[rule]]\nname = \"office\"\nusers = [\"alice\"]\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"\n\
         [[rule]]\nname = \"evening\"\nusers = [\"bob\"]\nservices = [\"behind\"]\nthen = \"deny\"\n",
    );
    let office = machine.pam("behind", "alice", "").from("10.1.2.3").run();
    assert_eq!((office.rc, office.shown.len()), (pam::SUCCESS, 0), "{office:#?}");
    let alone = machine.pam("alone", "alice", "").from("10.1.2.3").run();
    assert_ne!(alone.rc, pam::SUCCESS, "{alone:#?}");
    for from in ["11.1.2.3", "127.0.0.1", "office.example.org", "10.0.0.1.example.org"] {
        // An empty answer is no wrong code, so nobody has to wait.
        let refused = machine.pam("behind", "alice", "").from(from).run();
        assert_eq!((refused.rc, refused.shown.len()), (pam::AUTH_ERR, 1), "{from}: {refused:#?}");
    }
    let code = machine.pam("behind", "alice", &alice.code()).from("11.1.2.4").run();
    assert_eq!(code.rc, pam::SUCCESS, "{code:#?}");
    let bob = machine.enrolled("bob", 2);
    let denied = machine.pam("behind", "bob", &bob.code()).run();
    assert_eq!((denied.rc, denied.shown.len()), (pam::AUTH_ERR, 1), "{denied:#?}");
    let log = machine.log();
    for line in [
        "skipped for alice at behind from 10.1.2.3: no code is needed here (rule office)",
        "denied for bob at behind from nowhere: nobody gets in here (rule evening)",
        "TOTP_RULE=office",
        "TOTP_REASON=skipped-by-rule",
        "TOTP_REASON=denied-by-rule",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

/// With `forward_pass`, nobody sees before the password whether a code is needed.
#[test]
fn forward_pass_asks_everybody_alike() {
    let machine = Machine::new();
    machine.service(
        "combined",
        "auth required pam_totp.so forward_pass nodelay\nauth required pam_unix.so use_first_pass nodelay\n",
    );
    set_rules(&machine, "[[rule]]\nname = \"lan\"\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"\n");
    for (typed, from, expected) in [
        ("alicepw", "10.1.2.3", pam::SUCCESS),
        ("alicepw123456", "10.1.2.3", pam::SUCCESS),
        ("wrong", "10.1.2.3", pam::AUTH_ERR),
        ("alicepw", "11.1.2.3", pam::AUTH_ERR),
        ("alicepw123456", "11.1.2.3", pam::AUTH_ERR),
    ] {
        let asked = machine.pam("combined", "alice", typed).from(from).run();
        assert_eq!(asked.rc, expected, "{typed} {from}: {asked:#?}");
        assert_eq!(asked.shown, ["Password and verification code: "], "{typed} {from}");
    }
    // Who has no factor is not told to a stranger without the password.
    set_rules(&machine, "[[rule]]\nname = \"roll-out\"\nthen = \"enroll-by 2100-01-01\"\n");
    for (typed, expected) in [("bobpw", pam::SUCCESS), ("wrong", pam::AUTH_ERR)] {
        let asked = machine.pam("combined", "bob", typed).run();
        assert_eq!(asked.rc, expected, "{typed}: {asked:#?}");
        assert_eq!(asked.shown, ["Password and verification code: "], "{typed}");
    }
}

/// While a service of NSS is down, nobody knows who is in a group, or whether a name is a user. So
/// a rule that would refuse refuses, and none behind it opens.
#[test]
fn a_user_database_that_is_down_opens_nothing() {
    let machine = Machine::new();
    machine.service("behind", "auth required pam_totp.so nodelay\nauth required pam_permit.so\n");
    let rules = |condition: &str| {
        format!(
            "[[rule]]\nname = \"gone\"\n{condition}\nthen = \"deny\"\n\
             [[rule]]\nname = \"office\"\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"\n"
        )
    };
    let login = |user: &str| machine.pam("behind", user, "000000").from("10.1.2.3").run().rc;
    for condition in ["groups = [\"former\", \"daemon\"]", "users = [\"gone-mallory\"]"] {
        set_rules(&machine, &rules(condition));
        assert_eq!(login("alice"), pam::SUCCESS, "all answers: {condition}");
        assert_eq!(login("gone-bob"), pam::SUCCESS, "all answers: {condition}");
    }
    machine.with_trouble_in_nss();
    machine.run("sed -i 's/^group:.*/group: files trouble/' /etc/nsswitch.conf").stdout_ok();
    set_rules(&machine, &rules("groups = [\"former\", \"daemon\"]"));
    assert_eq!(login("alice"), pam::AUTH_ERR, "a group");
    assert_eq!(login("alice"), pam::AUTH_ERR, "nothing is kept");
    assert_eq!(login("gone-bob"), pam::AUTH_ERR, "nobody knows the user");
    set_rules(&machine, &rules("users = [\"gone-mallory\"]"));
    assert_eq!(login("alice"), pam::SUCCESS, "the rule names no group");
    assert_eq!(login("gone-bob"), pam::AUTH_ERR, "nobody knows the user");
    let log = machine.log();
    for line in
        ["rules that name users or groups count as strictly as they can", "(rule gone, in doubt)"]
    {
        assert!(log.contains(line), "{line}: {log}");
    }
    machine.run("sed -i 's/^group:.*/group: files/' /etc/nsswitch.conf").stdout_ok();
    set_rules(&machine, &rules("groups = [\"former\", \"daemon\"]"));
    assert_eq!(login("alice"), pam::SUCCESS, "the database is back");
}

/// glibc asks nscd first, which says "no such group" while a directory is down. That is no
/// knowledge.
#[test]
fn the_word_of_nscd_about_a_directory_opens_nothing() {
    let machine = Machine::new();
    machine.service("behind", "auth required pam_totp.so nodelay\nauth required pam_permit.so\n");
    let login = || machine.pam("behind", "alice", "000000").from("10.1.2.3").run().rc;
    machine.write("/root/nscd.py", include_str!("harness/nscd.py"));
    let start = "setsid python3 /root/nscd.py >/dev/null 2>&1 & \
                 until [ -S /var/run/nscd/socket ]; do sleep 0.1; done";
    machine.run(start).stdout_ok();
    let rules = "[[rule]]\nname = \"gone\"\ngroups = [\"former\"]\nthen = \"deny\"\n\
                 [[rule]]\nname = \"office\"\nfrom = [\"10.0.0.0/8\"]\nthen = \"skip\"\n";
    set_rules(&machine, rules);
    assert_eq!(login(), pam::SUCCESS, "it answers for files");
    machine.with_trouble_in_nss();
    machine.run("sed -i 's/^passwd:.*/passwd: files/; s/^group:.*/group: files trouble/' /etc/nsswitch.conf")
        .stdout_ok();
    set_rules(&machine, rules);
    assert_eq!(login(), pam::AUTH_ERR, "it answers for a directory");
    let doctor = machine.run("totpctl doctor behind").stdout;
    assert!(doctor.contains("nscd answers for trouble and hides its outages"), "{doctor}");
}

/// Many network services name neither their remote end nor a terminal. They are not `local`.
#[test]
fn a_service_that_says_nothing_of_its_origin_is_not_local() {
    let machine = Machine::new();
    machine.service("openvpn", "auth required pam_totp.so nodelay\nauth required pam_permit.so\n");
    set_rules(&machine, "[[rule]]\nname = \"here\"\nfrom = [\"local\"]\nthen = \"skip\"\n");
    let asked = machine.pam("openvpn", "alice", "000000").run();
    assert_eq!((asked.rc, asked.shown.len()), (pam::AUTH_ERR, 1), "{asked:#?}");
}

/// A roll-out: with time left, users without a factor get in and are told. Afterwards they do not,
/// even if the clock goes back.
#[test]
fn a_deadline_that_passed_stays_passed() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so nodelay\nauth required pam_permit.so\n");
    let day = machine.run("date -u -d '+5 days' +%FT%TZ").stdout_ok();
    let then = format!("then = \"enroll-by {}\"", day.trim());
    machine.write(FILE, &format!("[[rule]]\nname = \"roll-out\"\n{then}\n"));
    let mut daemon = machine.start_with_clock();
    let told = machine.pam("totp", "bob", "").run();
    assert_eq!(told.rc, pam::SUCCESS, "{told:#?}");
    assert_eq!(told.shown, ["Enroll a second factor: 5 days left, run totpctl enroll"]);
    machine.set_clock(6 * 86_400);
    assert_eq!(machine.pam("totp", "bob", "000000").run().rc, pam::AUTH_ERR);
    let log = machine.log();
    assert!(log.contains("also if the clock goes back (rule roll-out)"), "{log}");
    for restarts in [false, true] {
        machine.set_clock(0);
        if restarts {
            machine.kill_daemon("TERM");
            let _ = daemon.wait();
            daemon = machine.start_on_disk_with_clock(0);
        }
        let refused = machine.pam("totp", "bob", "000000").run();
        assert_eq!(refused.rc, pam::AUTH_ERR, "{restarts}: {refused:#?}");
    }
    machine.kill_daemon("TERM");
    let _ = daemon.wait();
}

/// The check names file, line and what to do. The daemon refuses the same file.
#[test]
fn a_bad_rule_is_named_by_file_and_line() {
    let machine = Machine::new();
    let rule = |keys: &str| format!("[[rule]]\nname = \"x\"\nthen = \"skip\"\n{keys}\n");
    for (keys, line, words) in [
        ("from = [\"10.0.0.1/8\"]", 4, "write \"10.0.0.0/8\" or one address"),
        ("form = [\"local\"]", 4, "form: unknown field"),
        ("[[rule]]\nname = \"y\"\nusers = [\"bob\"]\nthen = \"deny\"", 1, "\"y\" can never decide"),
    ] {
        machine.write(FILE, &rule(keys));
        let checked = machine.run("/usr/libexec/totpd --check-config");
        let text = checked.text();
        assert!(checked.status != 0 && text.contains(&format!("{FILE}:{line}")), "{text}");
        assert!(text.contains(words), "{text}");
    }
    machine.write(FILE, &rule("groups = [\"no-such-group\"]"));
    let checked = machine.run("/usr/libexec/totpd --check-config");
    let text = checked.text();
    assert!(checked.status == 0 && text.contains(&format!("{FILE}:4: groups: no group")), "{text}");
}
