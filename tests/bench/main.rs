//! The cost of a login, alone and in a storm, beside the peers, and of a refusal for all users. All
//! runs are in one run, interleaved, on a real disk. The program prints medians and ratios, and
//! writes the table of `docs/reference/performance.md`.

use std::collections::BTreeMap;
use std::path::Path;

use tests::{Machine, pam};

use crate::table::Table;

mod enrollments;
mod logins;
mod storms;
mod table;

const REFUSALS: u32 = 2000;

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR")).join(std::process::id().to_string());
    std::fs::create_dir_all(&disk).unwrap();
    {
        let machine = Machine::on_disk(&disk);
        machine
            .run("mkdir -m 700 /disk/totpd /disk/ga /disk/oath && mount --bind /disk/totpd /var/lib/totpd")
            .stdout_ok();
        let mut table = Table::default();
        logins::measure(&machine, &mut table);
        storms::measure(&machine, &mut table);
        enrollments::measure(&machine, &mut table);
        refusals(&machine);
        memory(&machine);
        table.write();
    }
    std::fs::remove_dir_all(&disk).unwrap();
}

/// Measures refusals. A refusal must cost the same for every user, down to the durable write.
fn refusals(machine: &Machine) {
    // The limit of wrong codes without a wait is high here. A throttled user has spent all of them.
    machine.write(
        "/etc/totpd/totpd.toml.d/10-bench.toml",
        "[throttle]\nfree_failures = 100\nlock_after = 100\n",
    );
    machine.kill_daemon("TERM");
    // The store of the storms is too full to enroll in quickly, and knows all of them.
    machine.kill_daemon("KILL");
    machine.run("rm -rf /var/lib/totpd/*").stdout_ok();
    let per_user = 50;
    let users = REFUSALS / per_user;
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
    for turn in 0..per_user {
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
    println!(
        "A refusal in a running process, without its delay, {REFUSALS} interleaved tries each"
    );
    let medians: Vec<_> = times.iter().map(|(label, times)| (label, median(times))).collect();
    for (label, median) in &medians {
        println!("{label:34}{median:>9.0} µs");
    }
    let most = medians.iter().map(|(_, median)| *median).fold(0.0, f64::max);
    let least = medians.iter().map(|(_, median)| *median).fold(f64::MAX, f64::min);
    println!("greatest / least: {:.3} (at most 1.05)\n", most / least);
    let each = |ticks: u64| ticks as f64 * 10_000.0 / lines.lines().count() as f64;
    println!("CPU that one of these takes, of what has to run one after the other, in µs");
    for (name, before) in [("dbus-daemon", before.0), ("totpd", before.1)] {
        println!("{name:34}{:>9.0}", each(cpu(machine, name) - before));
    }
    println!();
}

/// Returns the user and system time of a program so far, in ticks of 10 ms.
fn cpu(machine: &Machine, name: &str) -> u64 {
    let stat = machine.run(&format!("cat /proc/$(pidof -s {name})/stat")).stdout_ok();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn memory(machine: &Machine) {
    // Threads that looked names up end after two idle seconds.
    tests::eventually("the daemon is idle", || {
        let threads = machine.run("ls /proc/$(pidof totpd)/task | wc -l").stdout_ok();
        threads.trim().parse::<u32>().unwrap() <= 7
    });
    let rollup = machine.run("cat /proc/$(pidof totpd)/smaps_rollup").stdout_ok();
    let private: u64 = rollup
        .lines()
        .filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    println!("Private memory of the idle daemon: {private} kB (at most 6144)");
    let size = machine.run("stat -c %s $(find /usr/lib* -name pam_totp.so | head -n1)").stdout_ok();
    println!("pam_totp.so: {} bytes (at most 1200000)", size.trim());
}

/// Runs a series of the harness. Returns the times of each label in microseconds.
fn run(
    machine: &Machine,
    how: &str,
    lines: &str,
    check: impl Fn(&str, i32),
) -> BTreeMap<String, Vec<f64>> {
    machine.write("/tmp/series", lines);
    let out = machine.run(&format!("/opt/tests/pam {how} /tmp/series")).stdout_ok();
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in out.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        check(words[0], words[2].parse().unwrap());
        times.entry(words[0].into()).or_default().push(words[1].parse().unwrap());
    }
    assert_eq!(out.lines().count(), lines.lines().count());
    times
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
