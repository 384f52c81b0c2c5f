//! The cost of a refusal. It must be the same for every user, down to the durable write.

use tests::{Machine, pam};

use crate::row::{Target, row};
use crate::{median, rounds, run};

const PER_USER: u32 = 50;

pub(crate) fn measure(machine: &Machine) {
    // The limit of wrong codes without a wait is high here. A throttled user has spent all of them.
    machine.write(
        "/etc/totpd/totpd.toml.d/10-bench.toml",
        "[throttle]\nfree_failures = 100\nlock_after = 100\n",
    );
    machine.kill_daemon("TERM");
    // The store of the storms is too full to enroll in quickly, and knows all of them.
    machine.kill_daemon("KILL");
    machine.run("rm -rf /var/lib/totpd/*").stdout_ok();
    let users = rounds(40);
    for n in 0..120 {
        let known = format!("grep -q ^bench{n}: /etc/passwd || useradd -M bench{n}");
        machine.run(&known).stdout_ok();
    }
    let mut lines = String::new();
    for n in 0..users {
        let user = format!("bench{n}");
        machine.enrolled(&user, n);
        machine.pam("totp", &user, "000000").repeat(101).run();
        machine.enrolled(&format!("bench{}", 40 + n), n);
        machine.run(&format!("totpctl unlock bench{}", 40 + n)).stdout_ok();
    }
    for turn in 0..PER_USER {
        for n in 0..users {
            let mut kinds = [
                format!("unknown totp nobody{n} 000000"),
                format!("unenrolled totp bench{} 000000", 80 + n),
                format!("enrolled totp bench{} 000000", 40 + n),
                format!("throttled totp bench{n} 000000"),
            ];
            kinds.rotate_left((turn + n) as usize % 4);
            lines.push_str(&kinds.join("\n"));
            lines.push('\n');
        }
    }
    let before = (cpu(machine, "dbus-daemon"), cpu(machine, "totpd"));
    let times = run(machine, "-b", &lines, |label, rc| {
        let expected = if label == "throttled" { pam::MAXTRIES } else { pam::AUTH_ERR };
        assert_eq!(rc, expected, "{label}");
    });
    let tries = PER_USER * users;
    println!("A refusal in a running process, without its delay, {tries} interleaved tries each");
    let medians: Vec<_> = times.iter().map(|(label, times)| (label, median(times))).collect();
    let most = medians.iter().map(|(_, median)| *median).fold(0.0, f64::max);
    let least = medians.iter().map(|(_, median)| *median).fold(f64::MAX, f64::min);
    for (label, median) in &medians {
        println!("{label:34}{median:>9.0} µs {:+5.1} %", percent_above(*median, least));
    }
    let what =
        "spread of the medians of a refusal: unknown, unenrolled, enrolled and throttled users";
    row(what, percent_above(most, least), " %", Target::AtMost(5.0));
    let each = |ticks: u64| ticks as f64 * 10_000.0 / lines.lines().count() as f64;
    println!("CPU that one of these takes, of what has to run one after the other, in µs");
    for (name, before) in [("dbus-daemon", before.0), ("totpd", before.1)] {
        println!("{name:34}{:>9.0}", each(cpu(machine, name) - before));
    }
    println!();
}

fn percent_above(value: f64, least: f64) -> f64 {
    (value / least - 1.0) * 100.0
}

/// Returns the user and system time of a program so far, in ticks of 10 ms.
fn cpu(machine: &Machine, name: &str) -> u64 {
    let stat = machine.run(&format!("cat /proc/$(pidof -s {name})/stat")).stdout_ok();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
