//! Rules of sudo that let bob in without a password or a code: `totpctl doctor` names each.

use tests::Machine;

use super::{SUDO, doctor};

#[test]
fn no_rule_lets_in_without_a_word() {
    let machine = Machine::new();
    machine.run(SUDO).stdout_ok();
    let host = machine.run("uname -n | cut -d. -f1").stdout_ok().trim().to_owned();
    let (most, last) = host.split_at(host.len() - 1);
    let bracketed = format!("{most}[{last}]");
    let rules = "/etc/sudoers.d/50";
    machine.write(rules, "bob ALL=(ALL) ALL\n");
    let enters = || machine.run("runuser -u bob -- sudo -n -k /usr/bin/id").status == 0;
    let tells = || {
        let told = doctor(&machine, "sudo").stdout;
        let ids = ["[sudoers-exception]", "[sudoers-not-checked]"];
        (ids.iter().any(|id| told.contains(id)), told)
    };
    assert!(!enters() && !tells().0);
    machine.write("/etc/included", FREE);
    machine.write("/etc/included#1", FREE);
    for case in CASES {
        let case = case.replace("FREE ", FREE).replace("HOST", &host);
        let case = case.replace("BRACKETED", &bracketed);
        machine.write(rules, &format!("{case}\n"));
        assert!(enters(), "{case}");
        let (is_told, told) = tells();
        assert!(is_told, "{case}: {told}");
    }
    let name = "$'/etc/sudoers.d/caf\\xe9'";
    machine.run(&format!("rm {rules}; printf '%s' '{FREE}' > {name}")).stdout_ok();
    let (is_told, told) = tells();
    assert!(enters() && is_told, "{told}");
    machine
        .run(&format!(
            "rm {name}; {{ yes '# long' | head -c 1200000; echo; printf '%s' '{FREE}'; }} > {rules}"
        ))
        .stdout_ok();
    let (is_told, told) = tells();
    assert!(enters() && is_told && told.contains("larger than 1 MiB"), "{told}");
}

const FREE: &str = "bob ALL=(ALL) NOPASSWD: ALL\n";

/// Each makes bob root. `FREE` is a line that exempts him, `HOST` this host, and `BRACKETED` a
/// pattern for it.
const CASES: [&str; 25] = [
    "FREE ALL, !BOB ALL=(ALL) ALL",
    "FREE ALL, !%BOB ALL=(ALL) ALL",
    "FREE !bob, ALL, !bob ALL=(ALL) ALL",
    "User_Alias STAFF = alice, bob\nUser_Alias REST = ALL, !STAFF\nFREE !STAFF, REST ALL=(ALL) ALL",
    "FREE bob *.example.org=(ALL) ALL",
    "FREE bob HOST.other.example=(ALL) ALL",
    "FREE bob ALL,! HOST=(ALL) ALL",
    "FREE ALL, !\\x62ob ALL=(ALL) ALL",
    "Cmnd_Alias D = sha224:00000000000000000000000000000000000000000000000000000000 ALL\nFREE bob ALL=(ALL) PASSWD: D",
    "FREE bob ALL=(ALL) /bin/echo \" # x, ALL",
    "bob BRACKETED=(ALL) NOPASSWD: ALL",
    "bob ALL=(ALL) ALL\nDefaults@BRACKETED !authenticate",
    "#include /etc/included # site rules",
    "@include /etc/included # site rules",
    "@include /etc/included\\#1",
    "bob ALL=(root) /bin/echo \", NOPASSWD: /usr/bin/id",
    "bob ALL=(root) /bin/echo \"x : ALL=(root) NOPASSWD: /usr/bin/id",
    "bob ALL=(root) NOPASSWD: !!/usr/bin/id",
    "Cmnd_Alias NOID = ALL, !/usr/bin/id\nbob ALL=(root) NOPASSWD: !NOID",
    "bob ALL=(ALL) ALL\nDefaults:bob exempt_group=bob",
    "bob ALL=(ALL) ALL\nDefaults!/usr/bin/id exempt_group=bob",
    "bob ALL=(ALL) ALL\nDefaults!ALL !authenticate\nDefaults authenticate",
    "bob ALL=(ALL) ALL\nDefaults!ALL !authenticate\nDefaults>ALL authenticate",
    "Defaults nonsense\nbob ALL=(root) NOPASSWD: NONE, /usr/bin/id",
    "FREE ALL, !\"BOB\" ALL=(ALL) ALL",
];
