//! The module is a guest in other people's programs, also in those that have little to offer, and
//! under valgrind.

use tests::{Machine, Seed, pam, scaled};

/// Logs in from a shell that has prepared the process with `preparation`. Returns the exit code. It
/// is the code of libpam, or 128 and more if a signal ended the process.
fn from(machine: &Machine, preparation: &str, code: &str) -> i32 {
    machine.run(&format!("{preparation} /opt/tests/pam -x totp alice {code}")).status
}

#[test]
fn the_answer_is_the_same_whatever_the_process_lacks() {
    let machine = Machine::new();
    for (n, preparation) in (1..).zip([
        "exec 0<&- 1>&- 2>&-;",
        "ulimit -n 5;",
        "ulimit -s 64;",
        "setpriv --no-new-privs",
        "setpriv --bounding-set=-all --inh-caps=-all",
        "cd /; env -i",
        "trap '' PIPE;",
    ]) {
        let seed = machine.enrolled("alice", n);
        let code = seed.code();
        assert_eq!(from(&machine, preparation, &code), pam::SUCCESS, "{preparation}");
        assert_eq!(from(&machine, preparation, &code), pam::AUTH_ERR, "{preparation}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
    // In an empty environment the module refuses and does not crash.
    let code = Seed::numbered(7).next_code();
    assert_eq!(from(&machine, "ulimit -n 3;", &code) & 128, 0);
    machine.run("mkdir -p /tmp/bare/run && mount -t tmpfs tmpfs /tmp/bare/run").stdout_ok();
    machine
        .run("mkdir -p /tmp/bare/{etc,usr,opt} && mount --bind /etc /tmp/bare/etc && mount --bind /usr /tmp/bare/usr && mount --bind /opt /tmp/bare/opt && for link in bin lib lib64; do ln -s usr/$link /tmp/bare/$link; done")
        .stdout_ok();
    assert_eq!(from(&machine, "chroot /tmp/bare", &code), pam::AUTHINFO_UNAVAIL);
}

#[test]
fn a_host_under_seccomp_is_neither_killed_nor_let_in() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let confined = |how: &str, code: &str| machine.pam("totp", "alice", code).seccomp(how).status();
    // No other process, no thread, no signal handler and no look at limits is needed.
    assert_eq!(confined("kill", &seed.code()), pam::SUCCESS);
    assert_eq!(confined("kill", "000000"), pam::AUTH_ERR);
    assert_eq!(confined("socket", &seed.next_code()), pam::AUTHINFO_UNAVAIL);
    machine.run("rm /run/totpd/private").stdout_ok();
    assert_eq!(confined("kill", &seed.next_code()), pam::SUCCESS, "over the bus");
}

#[test]
fn parent_and_child_of_a_fork_can_both_log_in() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let forked = |code: &str| machine.pam("totp", "alice", code).after_fork().status();
    let right = seed.code();
    assert_eq!(forked(&right), pam::SUCCESS);
    assert_eq!(forked(&right), pam::AUTH_ERR, "it is used up");
}

/// A daemon that disappears in the middle must not end the host by SIGPIPE. It must not let anybody
/// in either.
#[test]
fn a_peer_that_closes_at_once_ends_nobody() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("totp", "auth required pam_totp.so nodelay timeout=2\n");
    machine.kill_daemon("KILL");
    machine.run("chmod -x /usr/libexec/totpd; rm /run/totpd/private").stdout_ok();
    for peer in ["true", "sh -c 'printf OK\\ 1; sleep 0.1'", "head -c 10", "cat", "yes"] {
        let mut false_daemon = machine.start(&format!(
            "rm -f /run/totpd/private; exec socat UNIX-LISTEN:/run/totpd/private,fork EXEC:\"{peer}\""
        ));
        tests::eventually("it listens", || machine.run("test -S /run/totpd/private").status == 0);
        assert_eq!(from(&machine, "", "123456"), pam::AUTHINFO_UNAVAIL, "{peer}");
        false_daemon.kill().unwrap();
        false_daemon.wait().unwrap();
    }
}

#[test]
fn valgrind_has_nothing_to_say() {
    let machine = Machine::with_programs();
    let seed = machine.enrolled("alice", 1);
    // valgrind takes its time, and more on a busy machine.
    machine.service("totp", "auth required pam_totp.so nodelay timeout=60\n");
    let valgrind = "valgrind -q --leak-check=full --show-leak-kinds=definite \
                    --errors-for-leak-kinds=definite --error-exitcode=99";
    let right = from(&machine, valgrind, &seed.code());
    assert_eq!(right, pam::SUCCESS, "over the private socket");
    assert_eq!(from(&machine, valgrind, "000000"), pam::AUTH_ERR);
    machine.run("rm /run/totpd/private").stdout_ok();
    assert_eq!(from(&machine, valgrind, &seed.next_code()), pam::SUCCESS, "over the bus");
    assert_eq!(from(&machine, valgrind, "000000"), pam::AUTH_ERR);
}

#[test]
fn valgrind_has_nothing_to_say_of_the_guard() {
    let machine = Machine::with_programs();
    let seed = machine.enrolled("alice", 1);
    machine.service(
        "guarded",
        "auth required pam_totp.so nodelay timeout=60\n\
         account required pam_totp.so guard timeout=60\naccount required pam_permit.so\n",
    );
    let steps = format!(
        "account answer={} auth account auth answer={} auth user=bob account setcred",
        seed.code(),
        seed.next_code()
    );
    let ran = machine.run(&format!(
        "valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
         --error-exitcode=99 /opt/tests/phases guarded alice {steps}"
    ));
    let results: Vec<_> =
        ran.stdout.lines().filter(|line| line.ends_with(char::is_numeric)).collect();
    let expected =
        ["account 6", "auth 0", "account 0", "auth 7", "auth 0", "account 6", "setcred 0"];
    assert_eq!((ran.status, &results[..]), (0, &expected[..]), "{ran:#?}");
}

/// valgrind watches the process of sshd that runs PAM. It has no complaint about the module in it.
#[test]
fn valgrind_has_nothing_to_say_of_sshd() {
    let machine = Machine::with_programs();
    let seed = machine.enrolled("alice", 1);
    machine
        .run("sed -i '/^@include common-auth/a auth required pam_totp.so' /etc/pam.d/sshd")
        .stdout_ok();
    machine.run("kill $(cat /run/sshd.pid)").stdout_ok();
    let listens = || machine.run("echo >/dev/tcp/127.0.0.1/22").status == 0;
    tests::eventually("the sshd before has ended", || !listens());
    let mut sshd = machine.start(
        "LD_PRELOAD=/opt/tests/no_seccomp.so exec valgrind -v --keep-debuginfo=yes --leak-check=full \
         --show-leak-kinds=definite --log-file=/tmp/valgrind.%p /usr/sbin/sshd -D -r -o LoginGraceTime=0",
    );
    tests::eventually("sshd listens", listens);
    assert!(machine.ssh("alice", &seed.code()).run().got_in);
    assert!(!machine.ssh("alice", "000000").run().got_in);
    // Each process reports its leaks when it ends. The monitors load the module. It asks in their
    // children.
    machine.run("kill $(cat /run/sshd.pid)").stdout_ok();
    sshd.wait().unwrap();
    let ended = "grep -l 'ERROR SUMMARY' $(grep -l '/pam_totp.so' /tmp/valgrind.*) | wc -l";
    tests::eventually("both monitors have ended", || machine.run(ended).stdout.trim() == "2");
    let all = machine.run("cat /tmp/valgrind.* | grep -c 'ERROR SUMMARY'").stdout_ok();
    assert!(all.trim().parse::<u32>().unwrap() >= 6, "{all}");
    let logs = machine.run("cat /tmp/valgrind.*").stdout_ok();
    let is_frame = |line: &&str| line.contains("==    by 0x") || line.contains("==    at 0x");
    assert!(logs.lines().filter(is_frame).any(|line| line.contains("/sshd)")), "{logs}");
    let lines: Vec<_> =
        logs.lines().filter(is_frame).filter(|line| line.contains("/pam_totp.so")).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}

#[test]
fn thousands_of_logins_leave_nothing_behind() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let count = scaled(100_000, 10_000);
    let many = machine.pam("totp", "alice", &seed.code()).repeat(count).report_leftovers().run();
    assert_eq!(many.yes, 1, "{many:#?}");
    assert!(many.text.contains("same=1"), "{}", many.text);
    assert!(many.text.contains("threads=1 "), "{}", many.text);
    // Nothing but what the program itself prints came out, on either output.
    let own = ["before: ", "after:  ", "same=", "rc="];
    for line in many.text.lines() {
        assert!(own.iter().any(|start| line.starts_with(start)), "{line}");
    }
    let growth = many.text.split_once("growth_kb=").unwrap().1.lines().next().unwrap();
    // The growth is that of the second half of the logins. A leak of 32 bytes each would show.
    assert!(growth.parse::<i64>().unwrap() < 64, "memory grew by {growth} kB");
}

#[test]
fn a_panic_denies_and_is_silent() {
    let machine = Machine::new();
    machine.run("cp /opt/tests/pam_totp_panicking.so $(dirname $(find /usr/lib* -name pam_totp.so | head -n1))/").stdout_ok();
    machine.service("panics", "auth required pam_totp_panicking.so panic\n");
    machine.run("echo 'export RUST_BACKTRACE=full' > /root/env").stdout_ok();
    let ran = machine.run("RUST_BACKTRACE=full /opt/tests/pam panics alice 123456");
    assert_eq!(ran.stderr, "", "{ran:#?}");
    assert!(ran.stdout.starts_with(&format!("rc={} yes=0", pam::SERVICE_ERR)), "{ran:#?}");
    assert!(machine.log().contains("internal error: panic"), "{}", machine.log());
}

#[test]
fn the_library_is_small_and_needs_little() {
    let machine = Machine::new();
    let find = "file=$(find /usr/lib* -name pam_totp.so | head -n1)";
    let size = machine.run(&format!("{find}; stat -c %s $file")).stdout_ok();
    // The release, which `make test-nightly` has, or what `make test` builds in less time.
    let is_release = machine.run("cat /opt/tests/profile").stdout_ok().trim() == "release";
    let most = if is_release { 250_000 } else { 2_000_000 };
    assert!(size.trim().parse::<u64>().unwrap() <= most, "{size}");
    // These are the needs of the module itself, without the needs of its libraries.
    let needed =
        machine.run(&format!("{find}; LC_ALL=C objdump -p $file | grep NEEDED")).stdout_ok();
    for line in needed.lines() {
        let library = line.split_whitespace().last().unwrap();
        let known = ["libc.so", "libpam.so", "ld-linux"];
        assert!(known.iter().any(|known| library.starts_with(known)), "{needed}");
    }
    let exported = machine.run(&format!("{find}; nm -D --defined-only $file")).stdout_ok();
    assert_eq!(exported.lines().count(), 6, "{exported}");
    assert!(exported.lines().all(|line| line.contains(" T pam_sm_")), "{exported}");
    // It can neither read an environment variable nor write to standard error. The release has
    // nothing that opens a file.
    let imported = machine.run(&format!("{find}; nm -D --undefined-only $file")).stdout_ok();
    let files = ["mmap64", "open", "open64", "read", "readlink", "realpath"];
    let absent = [
        "close",
        "getcwd",
        "getenv",
        "gettid",
        "pthread_mutex_lock",
        "secure_getenv",
        "write",
        "writev",
    ];
    for name in absent.iter().chain(files.iter().filter(|_| is_release)) {
        let is_it =
            |line: &str| line.split_whitespace().last().unwrap().split('@').next() == Some(*name);
        assert!(!imported.lines().any(is_it), "{name}: {imported}");
    }
}

#[test]
fn a_faulty_conversation_lets_nobody_in() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for (mode, rc) in [
        ("cancel", pam::CONV_ERR),
        ("nothing", pam::CONV_ERR),
        ("null", pam::CONV_ERR),
        ("switch", pam::SERVICE_ERR),
    ] {
        let result = machine.pam("totp", "alice", "123456").conversation(mode).run();
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
            && machine.run("ls -A /var/lib/totpd").stdout_ok().contains("store.db-wal")
            && machine.run("pidof tail").status == 0
    });
    let limits = machine.run("grep 'core file' /proc/$(pidof totpd)/limits").stdout_ok();
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
fn the_key_is_kept_out_of_swap() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let locked = || -> u32 {
        let line = machine.run("grep VmLck /proc/$(pidof totpd)/status").stdout_ok();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(locked() > 1000, "{} kB", locked());
    machine.kill_daemon("TERM");
    // The start makes three sealers, each in a page of its own or not.
    for (limit, expected, reason) in
        [(64, 4..=12, "seeds may reach swap"), (0, 0..=0, "the sealing key may reach swap")]
    {
        let bare = "setpriv --bounding-set=-all --inh-caps=-all /usr/libexec/totpd";
        let before = machine.log().len();
        let mut daemon = machine.start(&format!("ulimit -l {limit}; exec {bare}"));
        tests::eventually("the daemon is on the bus", || machine.owns_its_name());
        assert!(expected.contains(&locked()), "{limit}: {}", locked());
        // One notice is enough; it says what to do.
        let log = machine.log().split_off(before);
        let notices: Vec<_> = log.lines().filter(|line| line.contains("may reach swap")).collect();
        assert!(notices.len() == 1 && notices[0].contains(reason), "{limit}: {notices:#?}");
        assert!(notices[0].contains("raise LimitMEMLOCK of totpd.service"), "{notices:#?}");
        machine.kill_daemon("KILL");
        daemon.wait().unwrap();
    }
}
