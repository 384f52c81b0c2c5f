//! A power cut of a machine with a kernel of its own, within a second of a login. AppArmor is in
//! force.

use tests::{Kernel, Seed};

const ROOT: &str = "bookworm-kernel";
const MODULE: &str = "apparmor";

/// Runs a script that has to succeed, and returns the words of its output.
fn words(kernel: &mut Kernel, script: &str) -> Vec<String> {
    let output = kernel.run(script).stdout_ok();
    output.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Has alice log in until her login is not on disk when she is in. Returns her seed, her code and
/// the time of her login.
fn leaned(kernel: &mut Kernel) -> (Seed, String, u64) {
    for number in 1..100 {
        let seed = Seed::numbered(number);
        // All of this by the clock of the guest.
        let ran = words(
            kernel,
            &format!(
                "code() {{ oathtool --totp --base32 --now \"@$1\" {seed}; }}
                 now=$(date +%s)
                 printf '%s\\n' {seed} $(code $((now - 30))) $(code $now) |
                   totpctl enroll alice --secret-stdin --qr none >/dev/null || exit
                 time=$(date +%s) code=$(code $(date +%s))
                 /opt/tests/pam -x totp alice $code >/dev/null || exit
                 echo $(od -An -tu1 -j16 -N1 /run/totpd/witness/last) $code $time",
                seed = seed.0
            ),
        );
        if ran[0] == "1" {
            return (seed, ran[1].clone(), ran[2].parse().unwrap());
        }
    }
    panic!("no login leans");
}

#[test]
fn after_a_power_cut_a_code_stays_used_and_the_prompt_says_how_long() {
    let mut kernel = Kernel::with_disk(ROOT, MODULE);
    kernel
        .run(
            "apt-get install -y /opt/tests/libpam-totp.deb && \
             cp /usr/share/doc/libpam-totp/examples/apparmor/usr.libexec.totpd /etc/apparmor.d/ && \
             apparmor_parser -r /etc/apparmor.d/usr.libexec.totpd && systemctl stop totpd.service && \
             echo 'auth required pam_totp.so nodelay' >/etc/pam.d/totp && sync",
        )
        .stdout_ok();
    let (seed, used, time) = leaned(&mut kernel);
    let mut kernel = kernel.power_cut(ROOT, MODULE);
    // Without hardware for it, a first start may take longer than a login waits.
    let started =
        kernel.run("systemctl start totpd.service; journalctl -b --no-pager -t totpd -u totpd");
    println!("{}", started.text());
    let mut log_in = |at: u64, code: &str| {
        // A boot without hardware for it may take longer than people wait: this is a quick one.
        kernel.run(&format!("date -s @{at} >/dev/null && /opt/tests/pam -x totp alice {code}"))
    };
    let refused = log_in(time + 3, &used);
    let shown = refused.text();
    assert_ne!(refused.status, 0, "{shown}");
    let wait = shown.split("(codes are good again in ").nth(1).expect(&shown);
    let wait: u64 = wait.split(' ').next().unwrap().parse().unwrap();
    println!("3 s after the cut codes are good again in {wait} s");
    assert!(wait <= 60 + 30, "{shown}");
    let early = log_in(time + 3, &seed.code_at(time + 30));
    assert_ne!(early.status, 0, "{early:#?}");
    let later = time + 3 + wait;
    let is_in = log_in(later, &seed.code_at(later));
    assert_eq!(is_in.status, 0, "{is_in:#?}");
    let again = log_in(later, &seed.code_at(later));
    assert_eq!(again.status, tests::pam::AUTH_ERR, "{again:#?}");
    assert_ne!(log_in(time + 5, &used).status, 0, "a clock that is set back reopens nothing");
    let domain = kernel.run("cat /proc/$(pidof totpd)/attr/current").stdout_ok();
    assert_eq!(domain.trim(), "totpd (enforce)");
    let log = kernel.run("journalctl --no-pager").stdout_ok();
    assert!(log.contains("codes of that minute are void"), "{log}");
    let denied = log.lines().find(|line| line.contains("DENIED") && line.contains("totp"));
    assert_eq!(denied, None);
}
