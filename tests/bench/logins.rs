//! The cost of one login, beside the peers. It runs in a fresh process and in one that stays, over
//! the private socket and over the bus. 100,000 users are in our store all the time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tests::{Machine, Seed, pam};

use crate::table::Table;
use crate::{median, run};

const ROUNDS: u32 = 61;
const USERS: u32 = 100_000;

pub(crate) fn measure(machine: &Machine, table: &mut Table) {
    let seed = machine.generate_users(USERS);
    machine.run("totpctl show crowd0").stdout_ok();
    machine.service("bench-permit", "auth required pam_permit.so\n");
    machine.service("bench-totp", "auth required pam_totp.so\n");
    machine.service(
        "bench-ga",
        "auth required pam_google_authenticator.so user=root secret=/disk/ga/${USER}\n",
    );
    for (service, file) in [
        ("bench-oath1", "one-${USER}"),
        ("bench-oath1000", "thousand"),
        ("bench-oath100000", "hundred-thousand"),
    ] {
        let line = format!("auth required pam_oath.so usersfile=/disk/oath/{file}\n");
        machine.service(service, &line);
    }
    peers_files(machine, &seed);

    let (code, hex) = codes(machine, &seed);
    let fresh = series(machine, "-e", |n| {
        vec![
            format!("permit bench-permit crowd{n} x"),
            format!("totp bench-totp crowd{n} {code}"),
            format!("bus bench-totp crowd{} {code}", 1000 + n),
            format!("ga bench-ga crowd{n} {code}"),
            format!("oath1000 bench-oath1000 crowd{n} {hex}"),
            format!("oath100000 bench-oath100000 crowd{n} {hex}"),
        ]
    });
    let (code, hex) = codes(machine, &seed);
    let lasting = series(machine, "-b", |n| {
        vec![
            format!("permit bench-permit crowd{n} x"),
            format!("totp bench-totp crowd{} {code}", 2000 + n),
            format!("ga bench-ga crowd{} {code}", 500 + n),
            format!("oath1 bench-oath1 crowd{} {hex}", 500 + n),
        ]
    });
    println!("One authentication above pam_permit, {ROUNDS} interleaved rounds, medians in µs");
    for (how, times) in [("a fresh process", &fresh), ("a process that stays", &lasting)] {
        println!("{how}: pam_permit itself {:.0}", median(&times["permit"]));
        for label in times.keys().filter(|label| *label != "permit") {
            println!("  {label:12}{:>9.0}", above(times, label));
        }
    }
    let mut row = |what: &str, ours: f64, theirs: f64, bound: f64| {
        table.row(what, ours / theirs, bound, false, "");
    };
    let (socket, bus) = (above(&fresh, "totp"), above(&fresh, "bus"));
    row(
        "a fresh process, private socket / pam_google_authenticator",
        socket,
        above(&fresh, "ga"),
        0.5,
    );
    row("the same / pam_oath with 1,000 users", socket, above(&fresh, "oath1000"), 1.0);
    row("a fresh process, system bus / pam_google_authenticator", bus, above(&fresh, "ga"), 0.7);
    row("100,000 users: private socket / pam_oath", socket, above(&fresh, "oath100000"), 0.05);
    let socket = above(&lasting, "totp");
    row(
        "a running process, private socket / pam_google_authenticator",
        socket,
        above(&lasting, "ga"),
        0.3,
    );
    row("the same / pam_oath with 1 user", socket, above(&lasting, "oath1"), 1.0);
    let load = |module: &str| -> f64 {
        let out = machine
            .run(&format!("/opt/tests/pam -L $(find /usr/lib* -name {module} | head -n1)"))
            .stdout_ok();
        out.trim().parse().unwrap()
    };
    let (ours, theirs) = (load("pam_totp.so"), load("pam_google_authenticator.so"));
    println!("dlopen: {ours:.0} µs, pam_google_authenticator {theirs:.0} µs");
    table.row("loading the module / pam_google_authenticator", ours / theirs, 1.0, false, "");
}

/// Returns a code that is right for all users now and in the next half minute. The second form is
/// pam_oath's notation.
fn codes(machine: &Machine, seed: &Seed) -> (String, String) {
    let hex = hex_of(machine, seed);
    let code = machine.run(&format!("oathtool --totp --now '30 seconds' {hex}")).stdout_ok();
    (seed.next_code(), code.trim().to_owned())
}

fn hex_of(machine: &Machine, seed: &Seed) -> String {
    let bytes = format!("echo {} | base32 -d | od -An -v -tx1 | tr -d ' \\n'", seed.0);
    machine.run(&bytes).stdout_ok().trim().to_owned()
}

fn peers_files(machine: &Machine, seed: &Seed) {
    let hex = hex_of(machine, seed);
    let ga = format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n\" WINDOW_SIZE 17\n", seed.0);
    machine.write("/root/ga", &ga);
    machine
        .run(&format!(
            "umask 077; for n in $(seq 0 {ROUNDS}) $(seq 500 {}); do cp /root/ga /disk/ga/crowd$n; done; \
             for n in $(seq 500 {}); do echo \"HOTP/T30/6 crowd$n - {hex}\" > /disk/oath/one-crowd$n; done; \
             for n in $(seq 0 99999); do echo \"HOTP/T30/6 crowd$n - {hex}\"; done > /disk/oath/hundred-thousand; \
             head -n 1000 /disk/oath/hundred-thousand > /disk/oath/thousand",
            500 + ROUNDS,
            500 + ROUNDS,
        ))
        .stdout_ok();
}

fn series(
    machine: &Machine,
    how: &str,
    kinds: impl Fn(u32) -> Vec<String>,
) -> BTreeMap<String, Vec<f64>> {
    let mut lines = String::new();
    for n in 0..ROUNDS {
        let mut kinds = kinds(n);
        let turn = n as usize % kinds.len();
        kinds.rotate_left(turn);
        let _ = writeln!(lines, "{}", kinds.join("\n"));
    }
    run(machine, how, &lines, |label, rc| assert_eq!(rc, pam::SUCCESS, "{label}"))
}

fn above(times: &BTreeMap<String, Vec<f64>>, label: &str) -> f64 {
    median(&times[label]) - median(&times["permit"])
}
