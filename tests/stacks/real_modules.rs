//! The modules of the distribution themselves under libpam: what they answer, and who gets in by
//! the profiles of the packages.

use std::fmt::Write as _;

use super::*;

/// Lines of real modules, and whether root or alice gets a success from them.
const LINES: [(&str, bool); 14] = [
    ("pam_env.so", false),
    ("pam_env.so user_readenv=1", false),
    ("pam_faildelay.so delay=1", false),
    ("pam_group.so", false),
    ("pam_issue.so", false),
    ("pam_keyinit.so revoke", false),
    ("pam_mail.so", false),
    ("pam_nologin.so", false),
    ("pam_nologin.so successok", true),
    ("pam_warn.so", false),
    ("pam_faillock.so preauth silent", true),
    ("pam_localuser.so", true),
    ("pam_permit.so", true),
    ("pam_usertype.so issystem", true),
];

#[test]
fn modules_that_never_accept_are_those_that_never_accept() {
    let machine = Machine::new();
    let (mut files, mut calls) = (String::new(), String::new());
    for (number, (line, _)) in LINES.iter().enumerate() {
        // Success leads to the second line, and all else to the third.
        let _ = write!(
            files,
            "@@@ m{number}\nauth [success=ignore default=1] {line}\n\
             auth requisite pam_debug.so auth=maxtries\nauth requisite pam_debug.so auth=cred_err\n"
        );
        for user in ["root", "alice"] {
            let _ = writeln!(calls, "m{number} m{number} {user} x");
        }
    }
    let verdicts = logins(&machine, &files, &calls);
    assert_eq!(verdicts.len(), 2 * LINES.len(), "{verdicts:#?}");
    let max_tries = ReturnCode::MAXTRIES.number().to_string();
    for ((line, accepts), both) in LINES.iter().zip(verdicts.chunks(2)) {
        let accepted =
            both.iter().any(|verdict| verdict.split_whitespace().nth(2) == Some(&*max_tries));
        println!("{line}: {}", if accepted { "accepts" } else { "never accepts" });
        assert_eq!(accepted, *accepts, "{line} {both:?}");
        let text = format!("auth required {line}\n");
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &|_| Some(text.clone())) else {
            panic!("{line}")
        };
        assert_eq!(never_accepts(&rules[0]), !accepts, "{line}");
    }
}

/// Lines of real modules that ask nothing.
const SILENT_LINES: [&str; 34] = [
    "pam_access.so",
    "pam_cap.so",
    "pam_debug.so",
    "pam_deny.so",
    "pam_env.so",
    "pam_faildelay.so delay=1",
    "pam_faillock.so preauth",
    "pam_group.so",
    "pam_issue.so",
    "pam_keyinit.so revoke",
    "pam_lastlog.so",
    "pam_limits.so",
    "pam_listfile.so item=user sense=deny file=/etc/ftpusers onerr=succeed",
    "pam_localuser.so",
    "pam_loginuid.so",
    "pam_mail.so",
    "pam_mkhomedir.so",
    "pam_motd.so",
    "pam_nologin.so",
    "pam_permit.so",
    "pam_rhosts.so",
    "pam_rootok.so",
    "pam_securetty.so",
    "pam_selinux.so",
    "pam_sepermit.so",
    "pam_shells.so",
    "pam_succeed_if.so uid >= 0",
    "pam_time.so",
    "pam_timestamp.so",
    "pam_umask.so",
    "pam_usertype.so isregular",
    "pam_warn.so",
    "pam_wheel.so",
    "pam_xauth.so",
];
/// Lines of real modules that ask for something.
const ASKING_LINES: [&str; 4] = [
    "pam_unix.so",
    "pam_exec.so expose_authtok /bin/true",
    "pam_ftp.so users=alice",
    "pam_userdb.so db=/root/x",
];

#[test]
fn modules_that_ask_nothing_are_those_that_ask_nothing() {
    let machine = Machine::new();
    let lines = SILENT_LINES.into_iter().map(|line| (line, true));
    for (line, is_silent) in lines.chain(ASKING_LINES.map(|line| (line, false))) {
        machine.service("x", &format!("auth required {line}\n"));
        let shown = machine.pam("x", "alice", "000000").run().shown;
        assert_eq!(shown.is_empty(), is_silent, "{line} {shown:?}");
        let text = format!("auth required {line}\nauth required pam_totp.so use_first_pass\n");
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &|_| Some(text.clone())) else {
            panic!("{line}")
        };
        assert_eq!(lacks_first_pass(&rules).is_some(), is_silent, "{line}");
    }
}

/// No module here is a stand-in: an ignored line and a jump count for nothing in libpam.
#[test]
fn by_a_profile_users_without_a_factor_get_in_with_the_right_password_alone() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("echo root:rootpw | chpasswd").stdout_ok();
    let mut tried = 0;
    for case in profiles().iter().filter(|case| !case.expected.contains(&"not asked".into())) {
        let skips = case.expected.contains(&"skips unenrolled users".to_owned());
        for (name, text) in &case.files {
            let text = text
                .replace("pam_totp.so", "pam_totp.so nodelay")
                .replace("pam_unix.so", "pam_unix.so nodelay")
                .replace("delay=2000000", "delay=0");
            machine.service(name, &text);
        }
        let get_in = |user: &str, password: &str| {
            machine.run("rm -rf /run/faillock").stdout_ok();
            machine.pam("x", user, password).run().rc == tests::pam::SUCCESS
        };
        for (user, password, expected) in [
            ("root", "rootpw", skips),
            ("bob", "bobpw", skips),
            // alice has a factor, and the password is no code.
            ("alice", "alicepw", false),
            ("root", "wrong", false),
            ("bob", "wrong", false),
        ] {
            assert_eq!(get_in(user, password), expected, "{} {user} {password}", case.name);
        }
        machine.run("totpctl unlock alice").stdout_ok();
        tried += 1;
    }
    assert!(tried >= 17, "{tried}");
}
