//! The module is a guest in other people's programs.

use tests::{Machine, pam, scaled};

#[test]
fn thousands_of_logins_leave_nothing_behind() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let count = scaled(100_000, 10_000);
    let many = machine.pam("totp", "alice", &seed.code()).repeat(count).report_leftovers().go();
    assert_eq!(many.yes, 1, "{many:#?}");
    assert!(many.text.contains("same=1"), "{}", many.text);
    assert!(many.text.contains("threads=1 "), "{}", many.text);
    // Nothing but what the program itself prints came out, on either output.
    let own = ["before: ", "after:  ", "same=", "rc="];
    for line in many.text.lines() {
        assert!(own.iter().any(|start| line.starts_with(start)), "{line}");
    }
    let growth = many.text.split_once("growth_kb=").unwrap().1.lines().next().unwrap();
    // Over the second half of them; a leak of 32 bytes each would show.
    assert!(growth.parse::<i64>().unwrap() < 64, "memory grew by {growth} kB");
}

#[test]
fn a_panic_denies_and_is_silent() {
    let machine = Machine::new();
    machine.run("cp /opt/tests/pam_totp_panicking.so $(dirname $(find /usr/lib* -name pam_totp.so | head -n1))/").ok();
    machine.service("panics", "auth required pam_totp_panicking.so panic\n");
    machine.run("echo 'export RUST_BACKTRACE=full' > /root/env").ok();
    let ran = machine.run("RUST_BACKTRACE=full /opt/tests/pam panics alice 123456");
    assert_eq!(ran.stderr, "", "{ran:#?}");
    assert!(ran.stdout.starts_with(&format!("rc={} yes=0", pam::SERVICE_ERR)), "{ran:#?}");
    assert!(machine.log().contains("internal error (panic)"), "{}", machine.log());
}

#[test]
fn the_library_is_small_and_needs_little() {
    let machine = Machine::new();
    let find = "file=$(find /usr/lib* -name pam_totp.so | head -n1)";
    let size = machine.run(&format!("{find}; stat -c %s $file")).ok();
    assert!(size.trim().parse::<u64>().unwrap() <= 1_200_000, "{size}");
    // What it needs by itself, not what those need.
    let needed = machine.run(&format!("{find}; LC_ALL=C objdump -p $file | grep NEEDED")).ok();
    for line in needed.lines() {
        let library = line.split_whitespace().last().unwrap();
        let known = ["libc.so", "libpam.so", "libgcc_s.so", "ld-linux"];
        assert!(known.iter().any(|known| library.starts_with(known)), "{needed}");
    }
    let exported = machine.run(&format!("{find}; nm -D --defined-only $file")).ok();
    assert_eq!(exported.lines().count(), 6, "{exported}");
    assert!(exported.lines().all(|line| line.contains(" T pam_sm_")), "{exported}");
}

#[test]
fn whatever_the_conversation_does_is_no_way_in() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for (mode, rc) in [
        ("cancel", pam::CONV_ERR),
        ("nothing", pam::CONV_ERR),
        ("null", pam::CONV_ERR),
        ("switch", pam::SERVICE_ERR),
    ] {
        let result = machine.pam("totp", "alice", "123456").conversation(mode).go();
        assert_eq!(result.rc, rc, "{mode}: {result:#?}");
    }
    assert!(machine.log().contains("the user name changed"), "{}", machine.log());
}

#[test]
fn the_daemon_leaves_no_core_file_and_is_not_dumpable() {
    let machine = Machine::new();
    // Root without capabilities may look into its other processes without capabilities, unless
    // they are not dumpable. It is also how the unit of systemd runs the daemon.
    let bare = "setpriv --bounding-set=-all --inh-caps=-all";
    let mut daemon = machine.start(&format!("exec {bare} /usr/libexec/totpd"));
    let mut other = machine.start(&format!("exec {bare} tail -f /dev/null"));
    tests::eventually("both run", || {
        machine.daemon().is_some()
            && machine.run("ls -A /var/lib/totpd").ok().contains("store.db-wal")
            && machine.run("pidof tail").status == 0
    });
    let limits = machine.run("grep 'core file' /proc/$(pidof totpd)/limits").ok();
    let words: Vec<_> = limits.split_whitespace().collect();
    assert_eq!(&words[4..6], ["0", "0"], "{limits}");
    let look = |name: &str| machine.run(&format!("{bare} cat /proc/$(pidof {name})/maps")).status;
    assert_eq!(look("tail"), 0);
    assert_ne!(look("totpd"), 0);
    for child in [&mut daemon, &mut other] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn the_key_is_kept_out_of_swap_and_where_it_may_be_all_of_the_daemon() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let locked = || -> u32 {
        let line = machine.run("grep VmLck /proc/$(pidof totpd)/status").ok();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(locked() > 1000, "{} kB", locked());
    machine.kill_daemon("TERM");
    for (limit, expected, told) in
        [(64, 4..=8, "seeds may reach swap"), (0, 0..=0, "the sealing key may reach swap")]
    {
        let bare = "setpriv --bounding-set=-all --inh-caps=-all /usr/libexec/totpd";
        let mut daemon = machine.start(&format!("ulimit -l {limit}; exec {bare}"));
        tests::eventually("the daemon is on the bus", || machine.owns_its_name());
        assert!(expected.contains(&locked()), "{limit}: {}", locked());
        assert!(machine.log().contains(told), "{}", machine.log());
        machine.kill_daemon("KILL");
        daemon.wait().unwrap();
    }
}
