//! What `totpctl doctor` says of sudo, beside what sudo does: stacks and rules by a generator.

use tests::Machine;

use super::{doctor, door};

#[test]
fn sudo_asks_whom_doctor_says() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    // A wrong password takes no time.
    machine.run("sed -i 's/pam_unix.so/pam_unix.so nodelay/' /etc/pam.d/common-auth").stdout_ok();
    machine
        .run("groupadd ops; usermod -aG ops bob; echo root:rootpw | chpasswd; cp /etc/pam.d/sudo /root/sudo")
        .stdout_ok();
    // The generator is the test's own, so each run tries the same.
    let mut state = 20_261_126_u64;
    let mut draw = |count: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % count
    };
    let mut compared = 0;
    let mut differ = Vec::new();
    for _ in 0..CASES {
        let stack = STACKS[draw(STACKS.len())];
        let rules = RULES[draw(RULES.len())];
        let setting = SETTINGS[draw(SETTINGS.len())];
        machine.run(&format!("{{ {stack}; }} < /root/sudo > /etc/pam.d/sudo")).stdout_ok();
        machine.write(
            "/etc/sudoers.d/50",
            &format!("Defaults passwd_tries = 1\nalice, bob ALL=(ALL) ALL\n{rules}\n{setting}\n"),
        );
        let told = door(&doctor(&machine, "sudo").stdout, "sudo");
        let is_of_root = ["Defaults rootpw", "Defaults targetpw"].contains(&setting);
        for user in ["alice", "bob", "carol"] {
            let enters = ["rootpw".to_owned(), format!("{user}pw")].iter().any(|password| {
                let command = format!("runuser -u {user} -- sudo -S -k /usr/bin/true");
                machine.run_with_input(&command, &format!("{password}\n\n")).status == 0
            });
            let said = may_enter(&told, user, is_of_root);
            // carol has no rule of her own.
            let said = said && (user != "carol" || rules.starts_with("ALL"));
            compared += 1;
            if enters != said {
                differ
                    .push(format!("{stack} | {rules} | {setting} | {user}: {enters}, but {told}"));
            }
        }
    }
    println!("{compared} logins by sudo compared with doctor, {} differ", differ.len());
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn callers_who_give_the_code_of_root_are_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("echo root:rootpw | chpasswd; totpctl enable sudo").stdout_ok();
    let rules = "alice, bob ALL=(ALL) ALL\nDefaults passwd_tries = 1\n";
    machine.write("/etc/sudoers.d/50", &format!("{rules}Defaults:alice rootpw\n"));
    let becomes_root =
        || machine.run_with_input("runuser -u alice -- sudo -S -k true", "rootpw\n\n").status == 0;

    let shut = doctor(&machine, "sudo");
    let told = door(&shut.stdout, "sudo (alice: the code of root)");
    assert_eq!(told, "asks for a code that nobody can give: rootpw: root has no factor");
    assert_eq!(door(&shut.stdout, "sudo"), "asks for a code");
    let finding =
        "problem: /etc/sudoers.d/50:3: sudo asks alice for the password and the code of root";
    assert!(shut.stdout.contains(finding), "{shut:#?}");
    assert!(!becomes_root());

    machine.run("totpctl enable sudo --option nullok").stdout_ok();
    let open = doctor(&machine, "sudo");
    let told = door(&open.stdout, "sudo");
    let exception = "alice (rootpw: root has no factor, /etc/sudoers.d/50:3)";
    assert!(told.contains(exception) && open.status == 1, "{open:#?}");
    assert!(open.stdout.contains("[sudo-skips-code]"), "{open:#?}");
    assert!(becomes_root());

    machine.write("/etc/sudoers.d/50", &format!("{rules}Defaults@elsewhere rootpw\n"));
    let other = doctor(&machine, "sudo");
    assert!(!other.stdout.contains("rootpw"), "{other:#?}");
    assert!(!becomes_root());
}

/// Reports whether doctor says that `user` gets in with a password and without a code.
fn may_enter(told: &str, user: &str, is_of_root: bool) -> bool {
    if told.starts_with("does not ask") {
        return true;
    }
    let Some((_, exceptions)) = told.split_once("not asked: ") else { return false };
    exceptions.split("; ").any(|exception| {
        let (people, _) = exception.rsplit_once(" (").unwrap();
        let (people, commands) = people.split_once(" for ").unwrap_or((people, "/usr/bin/true"));
        let names: Vec<_> = people.split(", ").collect();
        let is_named = names.iter().any(|name| match *name {
            "everybody" | "users who become root" | "users who run /usr/bin/true" => true,
            "members of ops" => user == "bob",
            "users without a factor" => is_of_root || user != "alice",
            name => name == user,
        });
        is_named && commands.contains("/usr/bin/true") && !names.contains(&&*format!("not {user}"))
    })
}

const CASES: usize = 40;

/// Scripts that make the stack from the usual one.
const STACKS: [&str; 5] = [
    "sed '/^@include common-auth/a auth required pam_totp.so nodelay'",
    "sed '/^@include common-auth/a auth required pam_totp.so nodelay'",
    "sed '/^@include common-auth/a auth required pam_totp.so nodelay nullok'",
    "sed '/^@include common-auth/i auth sufficient pam_unix.so\\nauth required pam_totp.so nodelay'",
    "cat",
];

const RULES: [&str; 9] = [
    "",
    "alice ALL=(ALL) NOPASSWD: ALL",
    "%ops ALL=(ALL) NOPASSWD: /usr/bin/true",
    "User_Alias BOTH = alice, \\\n  bob # two\nBOTH ALL = NOPASSWD: /usr/bin/id",
    "User_Alias BOTH = alice : NONE = carol\nBOTH ALL = (root) TIMEOUT=5m NOPASSWD: SETENV: /bin/id, /usr/bin/true",
    "ALL, !bob ALL=(ALL) NOPASSWD: ALL",
    "alice ALL=(ALL) PASSWD: ALL, NOPASSWD: /usr/bin/true",
    "alice ALL=(ALL) NOPASSWD: /usr/bin/true, PASSWD: ALL",
    "#0 ALL=(ALL) NOPASSWD: ALL",
];

const SETTINGS: [&str; 14] = [
    "",
    "Defaults:bob !authenticate",
    "Defaults !authenticate",
    "Defaults rootpw",
    "Defaults targetpw",
    "Defaults targetpw, !targetpw",
    "Defaults:alice rootpw",
    "Defaults>root targetpw",
    "Defaults!/usr/bin/true runaspw",
    "Defaults@elsewhere rootpw",
    "Defaults:bob rootpw\nDefaults:bob !rootpw",
    "Defaults exempt_group = ops",
    "Defaults!/usr/bin/true !authenticate",
    "Defaults timestamp_timeout = -1, !lecture",
];

#[test]
fn a_host_may_have_another_name_for_sudo() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sudo").stdout_ok();
    machine.write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 web.example.org totp-test\n");
    for (rules, expected) in [
        ("bob web=(ALL) NOPASSWD: ALL\n", "not asked: bob (NOPASSWD"),
        (
            "bob ALL=(ALL) NOPASSWD: ALL\nbob totp-test=(ALL) ALL\n",
            "not asked: bob, who may be asked",
        ),
    ] {
        machine.write("/etc/sudoers.d/50", rules);
        let enters = machine.run("runuser -u bob -- sudo -n -k /usr/bin/id -u");
        assert_eq!(enters.stdout_ok().trim(), "0", "{rules}");
        let told = door(&doctor(&machine, "sudo").stdout, "sudo");
        assert!(told.contains(expected), "{rules} {told}");
    }
}
