//! The cost of one login, beside the peers. It runs in a fresh process and in one that stays, over
//! the private socket and over the bus. 100,000 users are in our store all the time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tests::{Machine, Seed, pam, within_one_step};

use crate::row::{Target, row};
use crate::{median, rounds, run};

const ROUNDS: u32 = 61;
const USERS: u32 = 100_000;
/// The numbers of the users who log in in a running process follow those of the fresh ones.
const LASTING: u32 = 500;

pub(crate) fn measure(machine: &Machine) {
    let seed = machine.generate_users(rounds(USERS));
    machine.run("totpctl show crowd0").stdout_ok();
    machine.service("bench-permit", "auth required pam_permit.so\n");
    machine.service("bench-totp", "auth required pam_totp.so\n");
    peers(machine, "", "/disk");
    for (service, file) in
        [("bench-oath1000", "thousand"), ("bench-oath100000", "hundred-thousand")]
    {
        let line = format!("auth required pam_oath.so usersfile=/disk/oath/{file}\n");
        machine.service(service, &line);
    }
    peers_files(machine, &seed, "/disk", 0);
    peers_files(machine, &seed, "/disk", LASTING);
    let hex = hex_of(machine, &seed);
    machine
        .run(&format!(
            "for n in $(seq 0 99999); do echo \"HOTP/T30/6 crowd$n - {hex}\"; done > /disk/oath/hundred-thousand; \
             head -n 1000 /disk/oath/hundred-thousand > /disk/oath/thousand"
        ))
        .stdout_ok();

    let (code, hex) = codes(machine, &seed);
    let fresh = series(machine, "-e", |n| {
        vec![
            format!("permit bench-permit crowd{n} x"),
            format!("totp bench-totp crowd{n} {code}"),
            format!("bus bench-totp crowd{} {code}", 1000 + n),
            format!("ga bench-ga crowd{n} {code}"),
            format!("oath1 bench-oath1 crowd{n} {hex}"),
            format!("oath1000 bench-oath1000 crowd{n} {hex}"),
            format!("oath100000 bench-oath100000 crowd{n} {hex}"),
        ]
    });
    all_were_logged(machine);
    let (code, hex) = codes(machine, &seed);
    let lasting = series(machine, "-b", |n| {
        let n = LASTING + n;
        vec![
            format!("permit bench-permit crowd{n} x"),
            format!("totp bench-totp crowd{} {code}", 2000 + n),
            format!("ga bench-ga crowd{n} {code}"),
            format!("oath1 bench-oath1 crowd{n} {hex}"),
        ]
    });
    print("a fresh process", &fresh);
    print("a process that stays", &lasting);
    let fresh = |label| above(&fresh, label);
    let lasting = |label| above(&lasting, label);
    let at_most = |what: &str, ratio: f64, bound: f64| row(what, ratio, "", Target::AtMost(bound));
    at_most(
        "a fresh process, private socket / pam_google_authenticator",
        fresh("totp") / fresh("ga"),
        0.35,
    );
    at_most("the same / pam_oath with 1 user", fresh("totp") / fresh("oath1"), 0.35);
    at_most("the same / pam_oath with 1,000 users", fresh("totp") / fresh("oath1000"), 0.35);
    at_most("the same / pam_oath with 100,000 users", fresh("totp") / fresh("oath100000"), 0.05);
    at_most(
        "a fresh process, system bus / pam_google_authenticator",
        fresh("bus") / fresh("ga"),
        1.5,
    );
    at_most(
        "a running process, private socket / pam_google_authenticator",
        lasting("totp") / lasting("ga"),
        0.4,
    );
    at_most("the same / pam_oath with 1 user", lasting("totp") / lasting("oath1"), 0.4);
    let load = |module: &str| -> f64 {
        let out = machine
            .run(&format!("/opt/tests/pam -L $(find /usr/lib* -name {module} | head -n1)"))
            .stdout_ok();
        out.trim().parse().unwrap()
    };
    let (ours, theirs) = (load("pam_totp.so"), load("pam_google_authenticator.so"));
    println!("dlopen: {ours:.0} µs, pam_google_authenticator {theirs:.0} µs");
    at_most("loading the module / pam_google_authenticator", ours / theirs, 1.0);
}

/// Makes the services of the peers, bench-NAMEga and bench-NAMEoath1, with files of one user on
/// `disk`.
pub(crate) fn peers(machine: &Machine, name: &str, disk: &str) {
    let ga =
        format!("auth required pam_google_authenticator.so user=root secret={disk}/ga/${{USER}}\n");
    machine.service(&format!("bench-{name}ga"), &ga);
    let oath = format!("auth required pam_oath.so usersfile={disk}/oath/one-${{USER}}\n");
    machine.service(&format!("bench-{name}oath1"), &oath);
}

/// Writes the files of the peers for as many users as there are rounds, from `first` on.
pub(crate) fn peers_files(machine: &Machine, seed: &Seed, disk: &str, first: u32) {
    let ga = format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n\" WINDOW_SIZE 17\n", seed.0);
    machine.write("/root/ga", &ga);
    machine
        .run(&format!(
            "umask 077; for n in $(seq {first} {}); do cp /root/ga {disk}/ga/crowd$n; \
             echo \"HOTP/T30/6 crowd$n - {}\" > {disk}/oath/one-crowd$n; done",
            first + ROUNDS,
            hex_of(machine, seed),
        ))
        .stdout_ok();
}

/// Returns the code that all users see now, and that is right for another half minute. The second
/// form is pam_oath's notation. A code ahead of the clock would lean on no mark.
pub(crate) fn codes(machine: &Machine, seed: &Seed) -> (String, String) {
    let hex = hex_of(machine, seed);
    within_one_step(|| {
        let code = machine.run(&format!("oathtool --totp {hex}")).stdout_ok();
        (seed.code(), code.trim().to_owned())
    })
}

fn hex_of(machine: &Machine, seed: &Seed) -> String {
    let bytes = format!("echo {} | base32 -d | od -An -v -tx1 | tr -d ' \\n'", seed.0);
    machine.run(&bytes).stdout_ok().trim().to_owned()
}

pub(crate) fn series(
    machine: &Machine,
    how: &str,
    kinds: impl Fn(u32) -> Vec<String>,
) -> BTreeMap<String, Vec<f64>> {
    let mut lines = String::new();
    for n in 0..rounds(ROUNDS) {
        let mut kinds = kinds(n);
        let turn = n as usize % kinds.len();
        kinds.rotate_left(turn);
        let _ = writeln!(lines, "{}", kinds.join("\n"));
    }
    run(machine, how, &lines, |label, rc| assert_eq!(rc, pam::SUCCESS, "{label}"))
}

/// Fails if a login wrote its record anywhere but to the log socket. Without a socket the C
/// library of the peer would write to the console, which takes longer than the login.
fn all_were_logged(machine: &Machine) {
    let log = machine.log();
    for of_a_login in ["bench-ga(pam_google_authenticator)", "TOTP_SERVICE=bench-totp\n"] {
        let records = log.matches(of_a_login).count();
        assert!(records >= rounds(ROUNDS) as usize, "{records} records with {of_a_login}");
    }
}

pub(crate) fn print(how: &str, times: &BTreeMap<String, Vec<f64>>) {
    println!(
        "{how}: one authentication above pam_permit, {} interleaved rounds, medians in µs",
        rounds(ROUNDS)
    );
    println!("  pam_permit itself {:.0}", median(&times["permit"]));
    for label in times.keys().filter(|label| *label != "permit") {
        println!("  {label:12}{:>9.0}", above(times, label));
    }
}

/// Returns what a login takes above one that asks nothing, in microseconds.
pub(crate) fn above(times: &BTreeMap<String, Vec<f64>>, label: &str) -> f64 {
    median(&times[label]) - median(&times["permit"])
}
