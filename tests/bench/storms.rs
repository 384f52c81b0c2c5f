//! Many logins at a time.

use std::collections::BTreeMap;

use tests::{Machine, eventually};

use crate::rounds;
use crate::row::{Target, row};

pub(crate) fn measure(machine: &Machine) {
    let seed = machine.generate_users(20_000);
    machine.run("totpctl show crowd0").stdout_ok();
    println!("\nStorms");
    let ours: f64 = machine
        .run(&format!("/opt/tests/clients64 {} {}", rounds(10_000), seed.code()))
        .stdout_ok()
        .trim()
        .parse()
        .unwrap();
    // The files of the other module are copies of the first part. Their codes are used up by now.
    let fresh = "umask 077; for n in $(seq 0 1999); do cp /root/ga /disk/ga/crowd$n; done";
    machine.run(fresh).stdout_ok();
    let logins = rounds(2000);
    let theirs =
        storm(machine, &format!("-s {logins} -w 64 bench-ga crowd%d {}", seed.next_code()));
    let theirs = f64::from(logins) / theirs["seconds"];
    println!("verifications a second: ours {ours:.0}, pam_google_authenticator {theirs:.0}");
    let clients = "verifications a second, 64 clients";
    row(clients, ours, "", Target::AtLeast(20_000.0));
    let what = "the same / pam_google_authenticator, 64 processes";
    row(what, ours / theirs, "", Target::AtLeast(20.0));

    let seed = machine.generate_users(20_000);
    machine.run("totpctl show crowd0").stdout_ok();
    let users = rounds(10_000);
    let half_a_minute =
        format!("-s {users} -R 340 -k 3000 bench-totp crowd%d {}", seed.next_code());
    let logins = storm(machine, &half_a_minute);
    let what = "10,000 users in 30 s, 1,000 at the prompt: how many got in";
    row(what, logins["yes"], "", Target::AtLeast(f64::from(users)));
    row("the same, p99 of a login", logins["p99"], " ms", Target::AtMost(1000.0));

    let seed = machine.generate_users(2000);
    machine.run("totpctl show crowd0").stdout_ok();
    let logins = rounds(400);
    let calm =
        storm(machine, &format!("-s {logins} -w 1 -R 50 bench-totp crowd%d {}", seed.next_code()));
    let mut flood = machine.start("exec /opt/tests/guess_flood 16667 > /tmp/wrong_codes");
    eventually("the flood runs", || machine.run("test -s /tmp/wrong_codes").status == 0);
    let right = format!("-s {logins} -w 1 -R 50 bench-totp crowd1%03d {}", seed.next_code());
    let flooded = storm(machine, &right);
    flood.kill().unwrap();
    flood.wait().unwrap();
    let rates = machine.run("cat /tmp/wrong_codes").stdout_ok();
    let rates: Vec<f64> = rates.lines().filter_map(|rate| rate.parse().ok()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of seconds")]
    let rate = rates.iter().sum::<f64>() / rates.len() as f64;
    assert!(flooded["yes"] == f64::from(logins) && calm["yes"] == f64::from(logins));
    let ratio = flooded["p99"] / calm["p99"];
    let what =
        "p99 of a right login while wrong codes are sent as fast as they are answered / alone";
    row(what, ratio, "", Target::AtMost(5.0));
    let what = "wrong codes answered per minute during that";
    row(what, rate * 60.0, "", Target::AtLeast(1_000_000.0));
}

pub(crate) fn storm(machine: &Machine, words: &str) -> BTreeMap<String, f64> {
    let output = machine.run(&format!("exec /opt/tests/pam {words}")).stdout_ok();
    println!("{}", output.lines().last().unwrap_or_default());
    let number = |word: &str| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    output.lines().last().unwrap_or_default().split_whitespace().filter_map(number).collect()
}
