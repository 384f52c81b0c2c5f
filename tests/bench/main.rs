//! The cost of a login, alone and in a storm, beside the peers, and of a refusal for all users. All
//! runs are in one run, interleaved, on a real disk. The program prints medians, and the rows of
//! the table of `docs/reference/performance.md`.

use std::collections::BTreeMap;
use std::path::Path;

use tests::{Machine, scaled};

use crate::row::{Target, row};

mod enrollments;
mod logins;
mod refusals;
mod row;
mod slow_disk;
mod storms;

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
        logins::measure(&machine);
        slow_disk::measure(&machine);
        storms::measure(&machine);
        enrollments::measure(&machine);
        refusals::measure(&machine);
        memory(&machine);
    }
    std::fs::remove_dir_all(&disk).unwrap();
}

/// Returns how often something is done: `usual`, or less at a scale below that of each push.
fn rounds(usual: u32) -> u32 {
    scaled(usual.saturating_mul(10), 3).min(usual)
}

fn memory(machine: &Machine) {
    // Threads that looked names up end after two idle seconds.
    tests::eventually("the daemon is idle", || {
        machine.run("grep -q tokio-rt-worker /proc/$(pidof totpd)/task/*/comm").status == 1
    });
    let rollup = machine.run("cat /proc/$(pidof totpd)/smaps_rollup").stdout_ok();
    let private: f64 = rollup
        .lines()
        .filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap())
        .sum();
    let what = "private memory of the idle daemon, after it made recovery codes";
    row(what, private, " kB", Target::AtMost(6144.0));
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
