//! Many logins at a time: at the prompt, and while the daemon is restarted, replaced and killed.

use std::collections::BTreeMap;

use tests::{Machine, eventually, scaled};

/// Returns the figures that a storm of `tests/harness/pam.c` prints, by name.
fn numbers(output: &str) -> BTreeMap<String, f64> {
    let last = output.lines().last().unwrap_or_default();
    let number = |word: &str| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    last.split_whitespace().filter_map(number).collect()
}

fn storm(machine: &Machine, words: &str) -> (String, BTreeMap<String, f64>) {
    let output = machine.run(&format!("exec /opt/tests/pam {words}")).stdout_ok();
    let numbers = numbers(&output);
    (output, numbers)
}

/// Returns the number of connections that the bus has had.
fn connections(machine: &Machine) -> u32 {
    let names = machine
        .run(
            "gdbus call --system --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
             --method org.freedesktop.DBus.ListNames",
        )
        .stdout_ok();
    let number = |name: &str| name.strip_prefix(":1.")?.parse().ok();
    names.split('\'').filter_map(number).max().unwrap()
}

#[test]
fn a_thousand_at_the_prompt_at_once() {
    let machine = Machine::new();
    let seed = machine.generate_users(1000);
    // All at the same moment on two processors: how long that takes is not what is tried here.
    machine.service("totp", "auth required pam_totp.so nodelay timeout=60\n");
    machine.run("totpctl show crowd0").stdout_ok();
    // Somebody who has nothing to do with it is on the bus all the time.
    let mut other = machine.start(
        "exec setpriv --reuid carol --clear-groups /opt/tests/bus_latency > /tmp/bus_latency",
    );
    eventually("carol is on the bus", || machine.run("test -s /tmp/bus_latency").status == 0);
    let before = connections(&machine);
    let right = format!("-s 1000 -B totp crowd%d {}", seed.code());
    let (output, over_the_socket) = storm(&machine, &right);
    let after = connections(&machine);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(over_the_socket["yes"], 1000.0, "{output}");
    let waited = machine.run("cat /tmp/bus_latency").stdout_ok();
    let longest = waited.lines().map(|ms| ms.parse::<u32>().unwrap()).max();
    println!("{output}another user of the bus waited {longest:?} ms at most");
    // The length of that wait depends on the processors. The count of connections does not: no
    // login was on the bus.
    assert!(after - before < 10, "{before} and {after} connections");
    // The bus as the distribution ships it allows 256 connections at a time. The logins come and
    // type within seconds. All are at the prompt in between.
    machine.run("rm /run/totpd/private").stdout_ok();
    let right = format!("-s 1000 -R 200 -B -S 5 totp crowd%d {}", seed.next_code());
    let (output, over_the_bus) = storm(&machine, &right);
    assert_eq!(over_the_bus["yes"], 1000.0, "{output}");
    println!("{output}");
}

/// A right code is refused only if its answer was lost. The person is then asked for the next code.
/// A code opens one door, no matter what happens to the daemon.
#[test]
fn no_right_code_is_refused_over_restarts_under_load() {
    let machine = Machine::new();
    let seed = machine.generate_users(3000);
    let (code, next) = (seed.code(), seed.next_code());
    // Ten logins for each restart, a hundred a second.
    let count = scaled(200, 40);
    machine.write(
        "/root/restarts",
        "for n in $(seq $1); do\n\
           case $((n % 3)) in\n\
           0) cp /usr/libexec/totpd /usr/libexec/totpd.new; mv /usr/libexec/totpd.new /usr/libexec/totpd; signal=TERM ;;\n\
           1) signal=KILL ;;\n\
           2) signal=TERM ;;\n\
           esac\n\
           for wait in $(seq 200); do\n\
             pid=$(pidof -s totpd) && kill -$signal $pid && echo restarted && break\n\
             # The last logins may be over: then none starts a daemon any more.\n\
             [ $wait -lt 50 ] || totpctl show crowd0 > /dev/null 2>&1\n\
             sleep 0.005\n\
           done\n\
           sleep 0.08\n\
         done\n",
    );
    let mut restarts =
        machine.start(&format!("exec bash /root/restarts {count} > /tmp/restarts 2>&1"));
    // Twins hand in one code at the same time.
    let mut twins = machine.start(&format!(
        "exec /opt/tests/pam -s {} -d 2 -R 16 totp crowd2%03d {code} > /tmp/twins",
        count * 3 / 4
    ));
    let (output, all) =
        storm(&machine, &format!("-s {} -R 100 totp crowd%d {code}/{next}", count * 10));
    restarts.wait().unwrap();
    twins.wait().unwrap();
    let restarted = machine.run("grep -c restarted /tmp/restarts").stdout_ok();
    println!("{output}restarts: {restarted}twins: {}", machine.run("cat /tmp/twins").stdout_ok());
    assert_eq!(restarted.trim(), count.to_string());
    assert_eq!(
        all["yes"],
        f64::from(count * 10),
        "{output}\n{}",
        machine.run("grep -a -o 'is unavailable: [^<]*' /run/log.txt | sort | uniq -c").stdout
    );
    assert_eq!(numbers(&machine.run("cat /tmp/twins").stdout_ok())["twice"], 0.0);
}
