//! Logins that lean on a mark: what systemd and dpkg do makes nobody wait, and a power cut does.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tests::{Host, Output, Seed, eventually, pam};

use super::{PACKAGE, SUITES, enrolled, fresh, try_fresh, with_alice};

const WITNESS: &str = "/run/totpd/witness";

/// Boots a host with alice, and a PAM service that asks for a code alone.
fn host(suite: &str) -> Host {
    let (host, _) = with_alice(suite);
    host.write("/etc/pam.d/totp", "auth required pam_totp.so nodelay\n");
    host
}

fn log_in(host: &Host, code: &str) -> Output {
    host.run(&format!("/opt/tests/pam -x totp alice {code}"))
}

/// Has alice log in until her login is not on disk when she is in, and does `next` at that moment.
/// Returns her seed, her code, and the output of `next`.
fn leaned(host: &Host, next: &str) -> (Seed, String, Output) {
    static NUMBER: AtomicU32 = AtomicU32::new(2000);
    let mut found = None;
    eventually("a login leans", || {
        let seed = enrolled(host, "alice", NUMBER.fetch_add(1, Ordering::Relaxed));
        let code = seed.code();
        let tried = host.run(&format!(
            "/opt/tests/pam -x totp alice {code} >/root/login || exit 98
             [ $(od -An -tu1 -j16 -N1 {WITNESS}/last) = 1 ] || exit 99
             {next}"
        ));
        assert_ne!(tried.status, 98, "{tried:#?} {:#?}", host.run("cat /root/login"));
        let leans = tried.status != 99;
        found = Some((seed, code, tried));
        leans
    });
    found.unwrap()
}

/// Checks that this code of alice stays used, and that her next one is good at once.
fn nobody_waits(host: &Host, used: &str, after: &str) {
    let again = log_in(host, used);
    assert_eq!(again.status, pam::AUTH_ERR, "after {after}: {again:#?}");
    assert!(!again.text().contains("good again"), "after {after}: {again:#?}");
    let code = fresh(host, "alice");
    let next = log_in(host, &code);
    assert_eq!(next.status, 0, "after {after}: {next:#?}");
    assert_eq!(log_in(host, &code).status, pam::AUTH_ERR, "after {after}");
}

#[test]
fn no_stop_kill_upgrade_or_reboot_makes_people_wait() {
    for suite in SUITES {
        let mut host = host(suite);
        let (_, used, state) = leaned(
            &host,
            "stat -c '%A %U %n' /run/totpd /run/totpd/witness /run/totpd/witness/last",
        );
        let state = state.stdout_ok();
        let modes: Vec<_> = state.lines().filter_map(|line| line.split_once(" /run")).collect();
        let modes: Vec<_> = modes.into_iter().map(|(mode, _)| mode).collect();
        assert_eq!(modes, ["drwxr-xr-x root", "drwx------ root", "-rw------- root"], "{suite}");
        nobody_waits(&host, &used, "nothing");

        for act in [
            "systemctl restart totpd",
            "systemctl kill -s KILL totpd",
            "systemctl kill -s KILL totpd; systemctl restart totpd",
            &format!("apt-get install -y --reinstall {PACKAGE}"),
            &format!("dpkg -i {PACKAGE}"),
        ] {
            let (_, used, ran) = leaned(&host, act);
            assert_eq!(ran.status, 0, "{suite}: {ran:#?}");
            nobody_waits(&host, &used, act);
        }

        // A stop takes a flush, and what outlives the daemon is there.
        let stop = "begin=$(date +%s%N); systemctl stop totpd.service; end=$(date +%s%N)
                    echo $(((end - begin) / 1000000))";
        let (_, used, stopped) = leaned(&host, stop);
        let took: u32 = stopped.stdout_ok().trim().parse().unwrap();
        println!("{suite}: a stop takes {took} ms");
        assert!(took < 3000, "{suite}: {took} ms");
        assert_eq!(host.run("systemctl is-active totpd.service").stdout, "inactive\n");
        host.run("test -S /run/totpd/private").stdout_ok();
        let kept = host.run(&format!("stat -c '%A %U' {WITNESS}")).stdout_ok();
        assert_eq!(kept, "drwx------ root\n", "{suite}");
        nobody_waits(&host, &used, "a stop");

        let (_, used, _) = leaned(&host, "");
        host.reboot();
        nobody_waits(&host, &used, "a reboot");
        let log = host.run("journalctl --no-pager -t totpd").stdout_ok();
        assert!(!log.contains("are void") && !log.contains("waits for the disk"), "{suite}: {log}");

        host.run("rm /etc/pam.d/totp").stdout_ok();
        host.run("apt-get purge -y libpam-totp").stdout_ok();
        host.run("test ! -e /run/totpd").stdout_ok();
    }
}

/// Returns the seconds that a prompt told this person to wait, if it did.
fn shown_wait(login: &Output) -> Option<u64> {
    let wait = login.stdout.split("(codes are good again in ").nth(1)?;
    Some(wait.split(' ').next().unwrap().parse().unwrap())
}

fn time_step() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 30
}

#[test]
fn after_a_power_cut_people_wait_a_minute_and_a_half_at_most() {
    let hosts = SUITES.map(|suite| {
        let mut host = host(suite);
        let (seed, used, _) = leaned(&host, "");
        let recovery = host.run("totpctl recovery-codes alice").stdout_ok();
        let recovery = recovery.split_whitespace().find(|word| word.len() == 19).unwrap();
        // The mark began before this, and a window ends 60 s and a time step later at most.
        let cut = Instant::now();
        host.power_cut();
        let asked = cut.elapsed().as_secs();
        let refused = log_in(&host, &used);
        assert_ne!(refused.status, 0, "{suite}: {refused:#?}");
        let wait = shown_wait(&refused).unwrap_or_else(|| panic!("{suite}: {refused:#?}"));
        println!("{suite}: {asked} s after the cut codes are good again in {wait} s");
        assert!(asked + wait <= 60 + 30 + 1, "{suite}: {asked} {refused:#?}");
        assert!(try_fresh(&host, "bob").is_none(), "{suite}: a first code is void too");
        let is_in = log_in(&host, recovery);
        assert_eq!(is_in.status, 0, "{suite}: a recovery code: {is_in:#?}");
        (suite, host, seed, used, cut)
    });
    for (suite, host, seed, used, cut) in hosts {
        let end = cut + Duration::from_secs(600);
        let (code, login) = loop {
            let began = time_step();
            let code = seed.code();
            let login = log_in(&host, &code);
            // A code of the last void step may meet the prompt of the first that is good.
            let is_of_now = time_step() == began;
            if shown_wait(&login).is_none() && (login.status == 0 || is_of_now) {
                break (code, login);
            }
            assert!(Instant::now() < end, "{suite}: people wait without end");
            std::thread::park_timeout(Duration::from_millis(500));
        };
        println!("{suite}: alice is in {:.0?} after the cut", cut.elapsed());
        assert_eq!(login.status, 0, "{suite}: {login:#?}");
        for code in [code, used] {
            assert_ne!(log_in(&host, &code).status, 0, "{suite}: a code was accepted twice");
        }
        let log = host.run("journalctl --no-pager -t totpd").stdout_ok();
        assert!(log.contains("codes of that minute are void"), "{suite}: {log}");
    }
}
