//! Key and code over ssh, and the way out of it, in the order of the README.

use tests::{Host, SSH, eventually};

use super::{NUMBER, PACKAGE, block, follow, plain, take_out};
use crate::systemd::{enrolled, fresh};

const CONFIG: &str = "/etc/ssh/sshd_config";

/// Whether a login succeeded, and what it asked for.
type Login = (bool, &'static str);

const BY_KEY_ALONE: Login = (true, "nothing");
const BY_KEY_AND_CODE: Login = (true, "code");
const REFUSED_UNASKED: Login = (false, "nothing");

/// Returns the steps of the paragraph of the README that has these words, from there on.
fn steps(start: &str) -> Vec<String> {
    let mut paragraphs = include_str!("../../../README.md").split("\n\n");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = |text: &str| words(text).split_once(start).map(|(_, rest)| rest.to_owned());
    let text = paragraphs.find_map(rest).unwrap_or_else(|| panic!("README: no {start:?}"));
    let sentences = text.trim_end_matches('.').split(". ");
    sentences.flat_map(|sentence| sentence.split("; ")).map(Into::into).collect()
}

/// Does what a person does with one step. Its verb says what becomes of that which is quoted.
fn take(host: &Host, step: &str) {
    println!("README: {step}");
    for quoted in step.split('`').skip(1).step_by(2) {
        let option = quoted.split(' ').next().unwrap();
        let is_option = ["AuthenticationMethods", "PermitRootLogin"].contains(&option);
        let command = if quoted == "sshd_config" || quoted == "/etc/pam.d/sshd" {
            // The place.
            continue;
        } else if quoted == "@include common-auth" && step.contains("delete ") {
            format!("sed -i '/^{quoted}/d' /etc/pam.d/sshd")
        } else if quoted == "@include common-auth" && step.contains("write ") {
            format!("sed -i '/pam_totp.so/i {quoted}' /etc/pam.d/sshd")
        } else if is_option && step.contains("set ") {
            format!("sed -i '/^{option} /d' {CONFIG} && echo '{quoted}' >> {CONFIG}")
        } else if is_option && step.contains("remove ") {
            format!("sed -i '/^{option} /d' {CONFIG}")
        } else {
            panic!("README: {step}: what does a person do with {quoted}?");
        };
        host.run(&command).stdout_ok();
    }
    if step.contains("reload") {
        reload(host);
    }
}

/// Has sshd read its configuration by the command of the README, and waits until it listens again.
fn reload(host: &Host) {
    let listened = || host.run("journalctl -u ssh -o cat | grep -c 'listening on 0.0.0.0'").stdout;
    let before = listened();
    let mut quoted = include_str!("../../../README.md").split('`');
    host.run(quoted.find(|text| text.contains("sshd -t")).unwrap()).stdout_ok();
    eventually("sshd listens again", || listened() != before);
}

/// Gives alice, bob and root a key. bob has no password.
fn give_keys(host: &Host) {
    host.run(
        "usermod -p '*' bob && install -d -m 700 ~/.ssh && \
         ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519 && \
         install -m 600 ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys && \
         for user in alice bob; do
           install -d -m 700 -o $user /home/$user/.ssh
           install -m 600 -o $user ~/.ssh/id_ed25519.pub /home/$user/.ssh/authorized_keys
         done",
    )
    .stdout_ok();
}

/// Logs in with the key, unless an option says otherwise.
fn log_in(host: &Host, user: &str, code: &str, options: &str) -> Login {
    let ran = host.run(&format!(
        "/opt/tests/type-enrollment {user}pw '{code}' x {SSH} {options} {user}@127.0.0.1 'echo in as $(id -un)'"
    ));
    let got_in = ran.stdout.lines().any(|line| line.trim_end().ends_with(&format!("in as {user}")));
    let asked = match (ran.stdout.contains("assword"), ran.stdout.contains("Verification code")) {
        (false, false) => "nothing",
        (true, false) => "password",
        (false, true) => "code",
        (true, true) => "password and code",
    };
    (got_in, asked)
}

/// Reports whether a key lets alice in who answers nothing.
fn key_is_enough(host: &Host) -> bool {
    let command = "alice@127.0.0.1 'echo in as $(id -un)'";
    host.run(&format!("{SSH} -o BatchMode=yes {command}")).stdout.contains("in as alice")
}

/// Checks how people get in: alice, bob and root with a key, and alice without one.
fn assert_logins(
    host: &Host,
    when: &str,
    code: fn(&Host, &str) -> String,
    with_key: Login,
    without: Login,
) {
    for user in ["alice", "bob", "root"] {
        assert_eq!(log_in(host, user, &code(host, user), ""), with_key, "{when}: {user}");
    }
    let no_key = "-o PubkeyAuthentication=no";
    let login = log_in(host, "alice", &code(host, "alice"), no_key);
    assert_eq!(login, without, "{when}: alice without a key");
}

#[test]
fn key_and_code_shut_nobody_out_on_the_way_in_and_out() {
    let host = plain("bookworm");
    host.run(&format!("mkdir /root/before && cp {CONFIG} /etc/pam.d/sshd /root/before/"))
        .stdout_ok();
    follow(&host, "README.md");
    give_keys(&host);
    assert_logins(&host, "before", fresh, BY_KEY_ALONE, (true, "password and code"));

    let in_steps = steps("For key and code, ");
    let [methods, stack, both, fact] = in_steps.as_slice() else { panic!("{in_steps:#?}") };
    for step in [methods, stack] {
        take(&host, step);
        assert_logins(&host, step, fresh, BY_KEY_ALONE, REFUSED_UNASKED);
    }
    take(&host, both);
    assert_logins(&host, both, fresh, BY_KEY_AND_CODE, REFUSED_UNASKED);
    assert!(!key_is_enough(&host), "a key alone");
    assert_eq!(log_in(&host, "alice", "000000", ""), (false, "code"), "a wrong code");
    let code = fresh(&host, "alice");
    assert_eq!(log_in(&host, "alice", &code, ""), BY_KEY_AND_CODE, "a right code");
    assert_eq!(log_in(&host, "alice", &code, ""), (false, "code"), "a used code");
    assert_eq!(fact, "By default sshd refuses root every code");
    for (change, gets_in) in
        [("s/^PermitRootLogin/#&/", false), ("s/^#\\(PermitRootLogin yes\\)/\\1/", true)]
    {
        host.run(&format!("sed -i '{change}' {CONFIG}")).stdout_ok();
        reload(&host);
        let code = fresh(&host, "root");
        assert_eq!(log_in(&host, "root", &code, ""), (gets_in, "code"), "{change}");
    }

    let out_steps = steps("With key and code: ");
    let [methods, stack, none] = out_steps.as_slice() else { panic!("{out_steps:#?}") };
    for step in [methods, stack] {
        take(&host, step);
        assert_logins(&host, step, fresh, BY_KEY_ALONE, REFUSED_UNASKED);
    }
    take(&host, none);
    assert_logins(&host, none, fresh, BY_KEY_ALONE, (true, "password and code"));
    take_out(&host);
    let no_code = |_: &Host, _: &str| String::new();
    assert_logins(&host, "taken out", no_code, BY_KEY_ALONE, (true, "password"));
    assert!(key_is_enough(&host), "a key alone");
    host.run(&format!(
        "cmp {CONFIG} /root/before/sshd_config && cmp /etc/pam.d/sshd /root/before/sshd"
    ))
    .stdout_ok();
}

/// The timer of docs/admin/install.md, of which the test is the clock.
#[test]
fn the_timer_brings_the_old_stack_back_unless_it_is_told_to_keep_the_new_one() {
    let host = plain("bookworm");
    host.run(&format!("apt-get install -y {PACKAGE}")).stdout_ok();
    enrolled(&host, "alice", NUMBER);
    host.write("/etc/ssh/sshd_config.d/10-totp.conf", "KbdInteractiveAuthentication yes\n");
    reload(&host);
    host.run("totpctl enable sshd").stdout_ok();
    give_keys(&host);
    let page = block("install.md", "cp -a /etc/pam.d/sshd ").text;
    let lines: Vec<_> = page.lines().collect();
    let [copy, timer, keep] = lines.as_slice() else { panic!("{page}") };
    assert!(timer.contains("sleep 600;"), "{timer}");
    let over = "until [ -e /root/over ]; do sleep 0.1; done;";
    for is_kept in [false, true] {
        host.run(&format!("rm -f /root/over /root/sshd.kept; {copy}")).stdout_ok();
        host.run(&timer.replace("sleep 600;", over)).stdout_ok();
        host.write(
            "/etc/ssh/sshd_config.d/20-key-and-code.conf",
            "AuthenticationMethods publickey,keyboard-interactive\n",
        );
        host.run("sed -i '/^@include common-auth/d' /etc/pam.d/sshd").stdout_ok();
        reload(&host);
        assert_eq!(log_in(&host, "alice", &fresh(&host, "alice"), ""), BY_KEY_AND_CODE);
        if is_kept {
            host.run(keep).stdout_ok();
        }
        host.run("touch /root/over").stdout_ok();
        eventually("the timer ends", || host.run("pgrep -f '[u]ntil .* /root/over'").status != 0);
        if is_kept {
            assert_eq!(log_in(&host, "alice", &fresh(&host, "alice"), ""), BY_KEY_AND_CODE);
        } else {
            eventually("a key is enough again", || key_is_enough(&host));
            host.run("cmp /root/sshd.before /etc/pam.d/sshd").stdout_ok();
        }
    }
}
