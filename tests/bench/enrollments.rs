//! The cost of enrolling, without the person.

use std::time::Instant;

use tests::{Machine, Seed};
use totpd_qr::Picture;

use crate::row::{Target, row};
use crate::{median, rounds};

const ROUNDS: u32 = 41;

pub(crate) fn measure(machine: &Machine) {
    machine.kill_daemon("KILL");
    machine.run("rm -rf /var/lib/totpd/*").stdout_ok();
    machine.with_trouble_in_nss();
    machine.enrolled("crowd0", 1);
    println!("\nEnrollment, medians of {}", rounds(ROUNDS));
    let median_row = |what: &str, times: &[f64], bound: f64| {
        row(what, median(times), " ms", Target::AtMost(bound));
    };
    median_row("`totpctl show`", &timed(machine, "totpctl show crowd0", ""), 25.0);
    median_row("`totpctl doctor`", &timed(machine, "totpctl doctor; true", ""), 300.0);
    let many = "cd /etc/pam.d && for i in $(seq 10000); do cp sshd many$i; done";
    machine
        .run(&format!(
            "{many}; for i in $(seq 5000); do echo 'auth required pam_totp.so' >> many$i; done"
        ))
        .stdout_ok();
    median_row(
        "the same, with 10,000 services",
        &timed(machine, "totpctl doctor; true", ""),
        3000.0,
    );
    machine.run("find /etc/pam.d -name 'many*' -delete").stdout_ok();
    let enroll = "totpctl --json enroll crowd$((n + 100)) --no-confirm";
    median_row(
        "an enrollment with ten recovery codes, without the person",
        &timed(machine, enroll, ""),
        50.0,
    );
    // A wrong first code, of each kind: five drop a factor, so each is of a new one.
    machine.run("for n in $(seq 1000 1200); do totpctl --json enroll crowd$n; done").stdout_ok();
    let (mut least, mut most) = (f64::MAX, 0.0_f64);
    for (kind, seconds) in [("nothing fits", 86_400), ("slow by four minutes", -240)] {
        let times: Vec<f64> = (0..rounds(ROUNDS))
            .map(|n| {
                let user = format!("crowd{}", 1000 + n + if seconds < 0 { 100 } else { 0 });
                let enrollment = machine.run(&format!("totpctl --json enroll {user}")).stdout_ok();
                let secret =
                    enrollment.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
                let code = Seed(secret.to_owned()).code_after(seconds);
                timed_once(machine, &format!("totpctl confirm {user}"), &code)
            })
            .collect();
        println!("{kind}: {:.1} ms", median(&times));
        (least, most) = (least.min(median(&times)), most.max(median(&times)));
    }
    median_row("a wrong first code and its diagnosis", &[most], 20.0);
    let what = "the same, the slowest kind / the fastest";
    row(what, most / least, "", Target::AtMost(1.2));
    let link = "x".repeat(100);
    let times: Vec<f64> = (0..rounds(ROUNDS))
        .map(|_| {
            let start = Instant::now();
            let picture = Picture::new(&link, 4).unwrap();
            std::hint::black_box(picture.half_blocks());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    median_row("a QR code of 100 characters, in half blocks", &times, 2.0);
    let last = 9999 + rounds(10_000);
    machine
        .run(&format!("for n in $(seq 10000 {last}); do echo crowd$n; done > /tmp/names"))
        .stdout_ok();
    let batch = "totpctl enroll --batch /tmp/names --no-confirm";
    let seconds = timed_once(machine, batch, "") / 1e3;
    row("a batch of 10,000 users", seconds, " s", Target::AtMost(20.0));
}

/// Milliseconds that a command takes from start to end, each time.
fn timed(machine: &Machine, command: &str, input: &str) -> Vec<f64> {
    (0..rounds(ROUNDS)).map(|n| timed_once(machine, &format!("n={n}; {command}"), input)).collect()
}

fn timed_once(machine: &Machine, command: &str, input: &str) -> f64 {
    let script = format!(
        "start=$EPOCHREALTIME; {{ {command} ; }} >/tmp/out 2>&1 </tmp/input; \
         echo $(( ${{EPOCHREALTIME/./}} - ${{start/./}} ))"
    );
    machine.write("/tmp/input", &format!("{input}\n"));
    machine.run(&script).stdout_ok().trim().parse::<f64>().unwrap() / 1e3
}
