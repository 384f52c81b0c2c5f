//! What a login costs: a fresh process with one authentication, beside the peers, and a refusal
//! for everybody. All in one run, interleaved, on a real disk; prints medians and ratios.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use tests::{Machine, Seed, pam};

const ROUNDS: u32 = 121;
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
            .ok();
        logins(&machine);
        refusals(&machine);
        memory(&machine);
    }
    std::fs::remove_dir_all(&disk).unwrap();
}

/// A right code in a fresh process: ours, pam_google_authenticator, pam_oath, and pam_permit,
/// which is what a process and libpam cost by themselves.
fn logins(machine: &Machine) {
    machine.service("bench-permit", "auth required pam_permit.so\n");
    machine.service("bench-totp", "auth required pam_totp.so\n");
    machine.service(
        "bench-ga",
        "auth required pam_google_authenticator.so user=root secret=/disk/ga/${USER}\n",
    );
    machine.service("bench-oath", "auth required pam_oath.so usersfile=/disk/oath/users\n");
    let (mut passwd, mut oath) = (String::new(), String::new());
    for n in 0..1000_u32 {
        if n < ROUNDS {
            let _ = writeln!(passwd, "bench{n}:x:{}:100::/:/bin/sh", 30_000 + n);
        }
        let hex: String = Seed::numbered(n).0.bytes().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(oath, "HOTP/T30/6 bench{n} - {}", &hex[..40]);
    }
    machine.feed("cat >> /etc/passwd", &passwd).ok();
    machine.feed("umask 077; cat > /disk/oath/users", &oath).ok();
    let mut series = String::new();
    for n in 0..ROUNDS {
        let user = format!("bench{n}");
        let seed = machine.enrolled(&user, n);
        machine
            .feed(
                &format!("umask 077; cat > /disk/ga/{user}"),
                &format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n\" WINDOW_SIZE 17\n", seed.0),
            )
            .ok();
        let _ = writeln!(series, "{user}");
    }
    // Codes are made last, so that they are still right when their turn comes.
    let mut lines = String::new();
    for (n, user) in series.lines().enumerate() {
        let code = Seed::numbered(n as u32).next_code();
        let hex: String =
            Seed::numbered(n as u32).0.bytes().map(|byte| format!("{byte:02x}")).collect();
        let oath = machine.run(&format!("oathtool --totp {}", &hex[..40])).ok();
        let mut kinds = [
            format!("permit bench-permit {user} x"),
            format!("totp bench-totp {user} {code}"),
            format!("ga bench-ga {user} {code}"),
            format!("oath bench-oath {user} {}", oath.trim()),
        ];
        kinds.rotate_left(n % 4);
        lines.push_str(&kinds.join("\n"));
        lines.push('\n');
    }
    let times = run(machine, "-e", &lines, |label, rc| {
        assert_eq!(rc, pam::SUCCESS, "{label}");
    });
    let permit = median(&times["permit"]);
    println!("A fresh process with one authentication, {ROUNDS} interleaved rounds, medians in µs");
    println!("{:34}{:>9}{:>18}", "", "whole", "above pam_permit");
    for (label, name) in [
        ("permit", "pam_permit"),
        ("totp", "pam_totp, system bus"),
        ("ga", "pam_google_authenticator"),
        ("oath", "pam_oath, 1,000 users"),
    ] {
        let whole = median(&times[label]);
        println!("{name:34}{whole:>9.0}{:>18.0}", whole - permit);
    }
    let ours = median(&times["totp"]) - permit;
    let ratio = ours / (median(&times["ga"]) - permit);
    println!("pam_totp / pam_google_authenticator: {ratio:.2} (at most 0.7)");
    let ratio = ours / (median(&times["oath"]) - permit);
    println!("pam_totp / pam_oath: {ratio:.2}\n");
}

/// A refusal must cost the same whoever it is, down to the durable write.
fn refusals(machine: &Machine) {
    // As many as may be without waiting; a throttled user is one who has spent them.
    machine.write(
        "/etc/totpd/totpd.toml.d/10-bench.toml",
        "[throttle]\nfree_failures = 100\nlock_after = 100\n",
    );
    machine.kill_daemon("TERM");
    let per_user = 50;
    let users = REFUSALS / per_user;
    let mut lines = String::new();
    for n in 0..users {
        let user = format!("bench{n}");
        machine.enrolled(&user, n);
        machine.pam("totp", &user, "000000").with("-n 101").go();
        machine.enrolled(&format!("bench{}", 40 + n), n);
        machine.run(&format!("totpctl unlock bench{}", 40 + n)).ok();
        machine.run(&format!("totpctl remove bench{}", 80 + n)).ok();
        machine.run(&format!("totpctl unlock bench{}", 80 + n)).ok();
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

/// User and system time of a program so far, in ticks of 10 ms.
fn cpu(machine: &Machine, name: &str) -> u64 {
    let stat = machine.run(&format!("cat /proc/$(pidof -s {name})/stat")).ok();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn memory(machine: &Machine) {
    // Threads that looked names up end after two idle seconds.
    tests::eventually("the daemon is idle", || {
        let threads = machine.run("ls /proc/$(pidof totpd)/task | wc -l").ok();
        threads.trim().parse::<u32>().unwrap() <= 3
    });
    let rollup = machine.run("cat /proc/$(pidof totpd)/smaps_rollup").ok();
    let private: u64 = rollup
        .lines()
        .filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    println!("Private memory of the idle daemon: {private} kB (at most 6144)");
    let size = machine.run("stat -c %s $(find /usr/lib* -name pam_totp.so | head -n1)").ok();
    println!("pam_totp.so: {} bytes (at most 1200000)", size.trim());
}

/// Runs a series of the harness; answers the times of each label in microseconds.
fn run(
    machine: &Machine,
    how: &str,
    lines: &str,
    check: impl Fn(&str, i32),
) -> BTreeMap<String, Vec<f64>> {
    machine.write("/tmp/series", lines);
    let out = machine.run(&format!("/opt/tests/pam {how} /tmp/series")).ok();
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
