//! Floods of ordinary users against the daemon over the bus, while others log in.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Instant;

use tests::{Machine, Seed, eventually, pam, scaled};

const ATTACKERS: [&str; 3] = ["carol", "mallory", "trudy"];
/// Seconds that a flood of these kinds lasts. Two lockers that wait in vain, four seconds each,
/// take part of the last.
fn lasts(kinds: &[&str]) -> u32 {
    if kinds.contains(&"unauthenticated") { 20 } else { scaled(20, 8) }
}

/// The floods. All three users send them at once, each with a number of kinds.
const FLOODS: [&[&str]; 6] = [
    &["silent"],
    &["descriptors-1", "descriptors-4", "descriptors-16"],
    &["large"],
    &["keys"],
    &["half"],
    &["unauthenticated"],
];

fn flood(machine: &Machine, kinds: &[&str]) -> Vec<Child> {
    machine.run("rm -f /tmp/flood-*").stdout_ok();
    let mut started = Vec::new();
    for user in ATTACKERS {
        for kind in kinds {
            started.push(machine.start(&format!(
                "exec setpriv --reuid {user} --regid {user} --init-groups \
                 /usr/bin/python3 /opt/tests/bus_flood.py {kind} {} {user} \
                 > /tmp/flood-{user}-{kind} 2>&1",
                lasts(kinds)
            )));
        }
    }
    // The messages of some kinds take seconds to make.
    eventually("all floods are ready", || {
        machine.run("cat /tmp/flood-*").stdout.matches(": ready").count() == started.len()
    });
    started
}

/// Returns the answer that a locker of bob gets over the bus, and its time in milliseconds.
fn locker(machine: &Machine, service: &str) -> (i32, u128) {
    let start = Instant::now();
    let asked = machine.run_as("bob", &format!("/opt/tests/pam {service} bob 000000"));
    let rc = asked.stdout.split("rc=").nth(1).and_then(|rest| rest.split(' ').next());
    (rc.and_then(|rc| rc.parse().ok()).unwrap_or(-1), start.elapsed().as_millis())
}

fn memory_kb(machine: &Machine, pid: u32) -> u32 {
    let most = machine.run(&format!("awk '/^VmHWM/ {{print $2}}' /proc/{pid}/status")).stdout_ok();
    most.trim().parse().unwrap()
}

/// Floods the machine with each kind in turn, under this limit of descriptors.
fn floods_keep_nobody_out(descriptors: u32) {
    let machine = Machine::new();
    let seed = machine.generate_users(20_000);
    machine.run("for user in mallory trudy; do useradd -m -s /bin/bash $user; done").stdout_ok();
    // A locker gives up after some seconds.
    machine.service("locker", "auth required pam_totp.so nodelay timeout=4\n");
    machine.service("totp", "auth required pam_totp.so nodelay timeout=5\n");
    machine.run("totpctl show crowd0").stdout_ok();
    let daemon = machine.daemon().unwrap();
    machine
        .run(&format!("prlimit --pid {daemon} --nofile={descriptors}:{descriptors}"))
        .stdout_ok();
    for (number, kinds) in FLOODS.iter().enumerate() {
        // The latency of a machine that does something else at this moment says nothing, so it is
        // compared with that of the moment before, and there is another try.
        let is_quick = (0..3).any(|round| {
            let first = 3 * number + round + 1;
            let alone = logins_alone(&machine, &seed, first);
            one_flood(&machine, &seed, kinds, first, daemon)
                .is_some_and(|p99| p99 < f64::max(200.0, 10.0 * alone))
        });
        assert!(
            is_quick,
            "{kinds:?}: root's logins take 200 ms or more, and ten times as long, or lockers wait in vain"
        );
    }
}

/// Returns the milliseconds that logins of root's programs take at most while nobody floods.
fn logins_alone(machine: &Machine, seed: &Seed, first: usize) -> f64 {
    // A flood has fewer than 500 logins, so these are of other users.
    let code = format!("{}/{}", seed.code(), seed.next_code());
    let logins = machine.run(&format!("/opt/tests/pam -s 30 -R 15 totp crowd{first}9%02d {code}"));
    numbers(&logins.stdout)["p99"]
}

/// Runs one flood of these kinds, while users crowd`first`000 and so on log in. Returns the
/// milliseconds that 99 of 100 logins of root's programs take at most; `None` if a locker waited in
/// vain, though the bus was not stalled.
fn one_flood(
    machine: &Machine,
    seed: &Seed,
    kinds: &[&str],
    first: usize,
    daemon: u32,
) -> Option<f64> {
    let code = seed.code();
    let mut flooding = flood(machine, kinds);
    // Root logs in during the whole flood over the socket, each time as another user.
    let mut logins = machine.start(&format!(
        "exec /opt/tests/pam -s {} -R 15 totp crowd{first}%03d {code}/{} > /tmp/logins 2>&1",
        lasts(kinds) * 13,
        seed.next_code()
    ));
    let stalled = kinds.contains(&"unauthenticated");
    let bus_answers = || machine.run("timeout 2 busctl --system list > /dev/null").status == 0;
    if stalled {
        eventually("the bus is stalled", || !bus_answers());
    }
    let (mut asked, mut slowest, mut is_in_time) = (0, 0, true);
    while logins.try_wait().unwrap().is_none() {
        let (rc, ms) = locker(machine, "locker");
        let answers: &[i32] = if stalled { &[] } else { &[pam::AUTH_ERR, pam::MAXTRIES] };
        let is_in_vain = rc == pam::AUTHINFO_UNAVAIL;
        assert!(is_in_vain || answers.contains(&rc), "{kinds:?}: rc {rc} after {ms} ms");
        is_in_time &= ms < 4000 && !is_in_vain;
        assert!(ms < 6000, "{kinds:?}: the locker waited {ms} ms");
        (asked, slowest) = (asked + 1, slowest.max(ms));
        if stalled && asked == 2 {
            assert!(machine.log().contains("no answer within 4 s"), "no reason is logged");
            break;
        }
    }
    logins.wait().unwrap();
    for flood in &mut flooding {
        flood.wait().unwrap();
    }
    let output = machine.run("cat /tmp/logins").stdout_ok();
    let numbers = numbers(&output);
    let sent = machine.run("cat /tmp/flood-*").stdout_ok();
    assert!(!sent.contains("Traceback") && !sent.contains(": 0 "), "no flood: {sent}");
    let memory = memory_kb(machine, daemon);
    println!("{kinds:?}: {output}{sent}locker: {asked} times, {slowest} ms at most; {memory} KB");
    assert_eq!(numbers["yes"], f64::from(lasts(kinds) * 13), "{kinds:?}: {output}");
    assert!(memory < 64 * 1024, "{kinds:?}: {memory} KB");
    assert_eq!(machine.daemon(), Some(daemon), "{kinds:?}: it was restarted");
    eventually("the bus answers", bus_answers);
    (stalled || is_in_time).then(|| numbers["p99"])
}

/// Returns the figures that a storm of `tests/harness/pam.c` prints, by name.
fn numbers(output: &str) -> BTreeMap<String, f64> {
    let number = |word: &str| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    output.lines().last().unwrap_or_default().split_whitespace().filter_map(number).collect()
}

/// The daemon has as few descriptors as a service had by default before systemd 240.
#[test]
fn floods_over_the_bus_keep_neither_root_nor_lockers_out() {
    floods_keep_nobody_out(1024);
}

/// A user's eleventh call at a time is refused, and the answer says so.
#[test]
fn a_user_has_ten_calls_at_a_time_and_learns_the_limit() {
    let machine = Machine::new();
    machine.enrolled("carol", 2);
    let burst = machine.run_as("carol", "/usr/bin/python3 /opt/tests/bus_flood.py burst 5 carol");
    let numbers: Vec<u32> =
        burst.stdout.split([' ', ',', '\n']).filter_map(|word| word.parse().ok()).collect();
    let [handled_calls, refusals] = numbers[..] else { panic!("{burst:#?}") };
    assert_eq!(handled_calls + refusals, 100, "each is answered");
    assert!(handled_calls >= 10 && refusals >= 1, "{burst:#?}");
    assert!(machine.run_as("carol", "totpctl show").stdout_ok().contains("carol"));
}

/// The bus passes no descriptors. The daemon never reads a message that is too long.
#[test]
fn descriptors_and_long_messages_do_not_pass_the_bus() {
    let machine = Machine::new();
    machine.enrolled("carol", 2);
    machine.write(
        "/tmp/pass.py",
        "import dbus, sys\n\
         totpd = dbus.SystemBus().get_object('org.totpd.Totp1', '/org/totpd/Totp1', introspect=False)\n\
         login = dbus.Interface(totpd, 'org.totpd.Totp1.Login')\n\
         def ask(value):\n    \
             try:\n        \
                 login.Begin('carol', {'service': value}, signature='sa{sv}')\n        \
                 print('taken')\n    \
             except dbus.DBusException as refusal:\n        \
                 print(refusal.get_dbus_name())\n\
         ask('sshd')\n\
         ask('x' * 70000)\n\
         ask('x' * 5000)\n\
         ask(dbus.types.UnixFd(sys.stdin))\n\
         ask('sshd')\n",
    );
    let replies = machine.run_as("carol", "/usr/bin/python3 /tmp/pass.py < /dev/null").stdout_ok();
    let replies: Vec<_> = replies.lines().collect();
    assert_eq!(replies[0], "taken", "{replies:?}");
    assert_eq!(replies[1], "org.totpd.Totp1.Error.LimitsExceeded", "{replies:?}");
    assert_eq!(replies[2], "org.freedesktop.DBus.Error.InvalidArgs", "{replies:?}");
    assert!(
        replies[3].contains("NotSupported") || replies[3].contains("AccessDenied"),
        "{replies:?}"
    );
    assert_eq!(replies[4], "taken", "{replies:?}");
}
