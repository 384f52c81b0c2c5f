//! The command line, as people and scripts meet it.

use tests::{Machine, Seed, pam, picture};

#[test]
fn a_new_user_enrolls_with_a_phone_and_gets_in() {
    let machine = Machine::new();
    // A terminal, a person who scans, and an app that is oathtool.
    let enrollment = machine.run_with_input(
        "expect -f -",
        "set timeout 20\nlog_user 1\nset env(LANG) C.UTF-8\nset stty_init \"rows 60 columns 100\"\n\
         spawn totpctl enroll alice --name Pixel --issuer Example\n\
         expect -re {secret=([A-Z2-7]+)&}\nset secret $expect_out(1,string)\n\
         expect \"app shows: \"\nsend \"000000\\r\"\n\
         expect \"4 more tries\"\nexpect \"app shows: \"\n\
         send \"[exec oathtool --totp --base32 $secret]\\r\"\n\
         expect \"is verified\"\nexpect eof\ncatch wait result\nexit [lindex $result 3]\n",
    );
    assert_eq!(enrollment.status, 0, "{enrollment:#?}");
    let screen = enrollment.stdout.replace('\r', "");
    let link = screen.lines().find_map(|line| line.strip_prefix("Link: ")).unwrap();
    assert_eq!(read_half_blocks(&screen), link);
    assert!(link.starts_with("otpauth://totp/Example:alice?secret="), "{link}");
    let secret = link.split_once("secret=").unwrap().1.split('&').next().unwrap();
    let seed = Seed(secret.to_owned());
    let got_in = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!(got_in.rc, pam::SUCCESS, "{got_in:#?}");
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("Pixel") && shown.contains("verified"), "{shown}");
    assert!(!shown.contains(secret), "a seed is shown");
}

#[test]
fn every_form_of_the_qr_code_can_be_read() {
    let machine = Machine::new();
    for form in ["utf8", "ansi", "ascii"] {
        let shown = machine.run(&format!("totpctl enroll alice --qr {form} </dev/null"));
        assert_eq!(shown.status, 1, "nobody gave a code: {shown:#?}");
        assert!(shown.stderr.contains("totpctl confirm alice"), "{shown:#?}");
        let link = shown.stdout.lines().find_map(|line| line.strip_prefix("Link: ")).unwrap();
        let read = match form {
            "utf8" => read_half_blocks(&shown.stdout),
            "ansi" => {
                read_cells(&shown.stdout.replace("\u{1b}[0m", ""), "\u{1b}[47m  ", "\u{1b}[40m  ")
            }
            _ => read_cells(&shown.stdout, "##", "  "),
        };
        assert_eq!(read, link, "{form}");
    }
    for form in ["none", "auto"] {
        let shown = machine.run(&format!("totpctl enroll alice --qr {form} </dev/null")).stdout;
        assert!(shown.starts_with("Link: otpauth://"), "{form}: {shown}");
    }
    for kind in ["png", "svg"] {
        let made = machine
            .run(&format!("totpctl --json enroll alice --qr-file /tmp/code.{kind}"))
            .stdout_ok();
        let uri = made.split_once("\"uri\":\"").unwrap().1.split('"').next().unwrap().to_owned();
        assert_eq!(machine.run(&format!("stat -c %a /tmp/code.{kind}")).stdout_ok().trim(), "600");
        let again = machine.run(&format!("totpctl enroll alice --qr-file /tmp/code.{kind}"));
        assert_eq!(again.status, 1, "{again:#?}");
        assert!(again.stderr.contains("exists already"), "{again:#?}");
        if kind == "svg" {
            machine.run("rsvg-convert -o /tmp/code-svg.png /tmp/code.svg").stdout_ok();
        }
        let file = if kind == "svg" { "code-svg.png" } else { "code.png" };
        let read = machine.run(&format!("zbarimg --quiet --raw /tmp/{file}"));
        assert_eq!(read.stdout_ok().trim(), uri, "{kind}");
    }
    let wrong = machine.run("totpctl enroll alice --qr-file /tmp/code.gif");
    assert_eq!(wrong.status, 2, "{wrong:#?}");
    let refused = machine.run("totpctl enroll no-such-user --qr-file /tmp/gone.png");
    assert_eq!(refused.status, 1, "{refused:#?}");
    assert_ne!(machine.run("test -e /tmp/gone.png").status, 0, "nothing is left of it");
}

#[test]
fn a_factor_replaces_the_old_one_at_its_first_code() {
    let machine = Machine::new();
    let old = machine.enrolled("alice", 1);
    let new = Seed::numbered(2);
    let made = machine
        .run_with_input("totpctl --json enroll alice --secret-stdin", &format!("{}\n", new.0))
        .stdout_ok();
    assert!(made.contains(&format!("\"secret\":\"{}\"", new.0)), "{made}");
    assert_eq!(machine.pam("totp", "alice", &new.code()).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &old.code()).run().rc, pam::SUCCESS);
    let confirmed =
        machine.run_with_input("totpctl --json confirm alice", &format!("{}\n", new.code()));
    assert!(confirmed.stdout_ok().contains("\"recovery_codes\":[]"));
    assert_eq!(machine.pam("totp", "alice", &old.next_code()).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &new.next_code()).run().rc, pam::SUCCESS);
}

#[test]
fn five_wrong_first_codes_drop_the_factor() {
    let machine = Machine::new();
    let ran = machine.run_with_input(
        "totpctl enroll alice --qr none",
        "000000\nx\n000000\n000000\n000000\n000000\n",
    );
    assert_eq!(ran.status, 1, "{ran:#?}");
    assert!(ran.stderr.contains("enroll again"), "{ran:#?}");
    assert!(machine.run("totpctl --json show alice").stdout_ok().contains("\"factors\":[]"));
    let late = machine.run_with_input("totpctl confirm alice", "123456\n");
    assert_eq!(late.status, 1, "{late:#?}");
    assert!(late.stderr.contains("totpctl enroll alice"), "{late:#?}");
}

#[test]
fn an_event_token_and_other_parameters_work_from_end_to_end() {
    let machine = Machine::new();
    let seed = Seed::numbered(5);
    machine
        .run_with_input(
            "totpctl enroll alice --hotp --secret-stdin --no-confirm --qr none",
            &format!("{}\n", seed.0),
        )
        .stdout_ok();
    for (counter, rc) in
        [(0, pam::SUCCESS), (0, pam::AUTH_ERR), (7, pam::SUCCESS), (3, pam::AUTH_ERR)]
    {
        let code =
            machine.run(&format!("oathtool --hotp --base32 -c {counter} {}", seed.0)).stdout_ok();
        assert_eq!(machine.pam("totp", "alice", code.trim()).run().rc, rc, "{counter}");
    }
    let before = machine
        .run(&format!(
            "oathtool --totp=sha256 -d 8 -s 60 --base32 --now '60 seconds ago' {0}; \
             oathtool --totp=sha256 -d 8 -s 60 --base32 {0}",
            seed.0
        ))
        .stdout_ok();
    machine
        .run_with_input(
            "totpctl enroll bob --algorithm sha256 --digits 8 --period 60 --secret-stdin --qr none",
            &format!("{}\n{before}", seed.0),
        )
        .stdout_ok();
    let code =
        machine.run(&format!("oathtool --totp=sha256 -d 8 -s 60 --base32 {}", seed.0)).stdout_ok();
    assert_eq!(machine.pam("totp", "bob", code.trim()).run().rc, pam::SUCCESS);
}

#[test]
fn every_command_has_its_exit_status_and_its_json() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let run =
        |user: &str, script: &str, input: &str| machine.run_as_with_input(user, script, input);
    let (code, wrong) = (seed.code(), seed.wrong_code());
    for (user, script, input, status, out) in [
        ("root", "totpctl verify alice", &*code, 0, "approved; this code is used up\n"),
        ("root", "totpctl verify alice", &code, 1, ""),
        (
            "root",
            "totpctl --json verify alice",
            &wrong,
            1,
            "{\"schema\":1,\"user\":\"alice\",\"verdict\":\"denied\"}\n",
        ),
        ("root", "totpctl verify alice", "", 1, ""),
        ("root", "totpctl show no-such-user", "", 1, ""),
        ("root", "totpctl remove alice --factor f-aaaaaaaa", "", 1, ""),
        (
            "root",
            "totpctl --json unlock alice",
            "",
            0,
            "{\"schema\":1,\"user\":\"alice\",\"unlocked\":true}\n",
        ),
        ("root", "totpctl frobnicate", "", 2, ""),
        ("root", "totpctl enroll alice --digits 9", "", 2, ""),
        ("root", "totpctl enroll alice --period 10", "", 2, ""),
        ("carol", "totpctl list", "", 4, ""),
        ("carol", "totpctl show alice", "", 4, ""),
        ("carol", "totpctl enroll --no-confirm", "", 4, ""),
        (
            "root",
            "totpctl --json remove alice",
            "",
            0,
            "{\"schema\":1,\"user\":\"alice\",\"factor\":null,\"removed\":true}\n",
        ),
        ("root", "totpctl --json list", "", 0, ""),
    ] {
        let ran = run(user, script, &format!("{input}\n").replace("\n\n", "\n"));
        assert_eq!(ran.status, status, "{script}: {ran:#?}");
        assert_eq!(ran.stdout, out, "{script}: {ran:#?}");
        assert_eq!(ran.stderr.is_empty(), status == 0, "{script}: {ran:#?}");
    }
    let empty = machine.run_with_input("totpctl enroll alice --secret-stdin", "not base32!\n");
    assert!(empty.status == 1 && empty.stderr.contains("not base32"), "{empty:#?}");
    let closed = machine.run("set -o pipefail; totpctl --help | true; totpctl --json list | true");
    assert!(!closed.text().contains("panic"), "{closed:#?}");
}

#[test]
fn lists_go_on_over_pages() {
    let machine = Machine::new();
    machine
        .run(
            "for n in $(seq 1200); do printf 'u%04d:x:%d:100::/:/bin/sh\\n' $n $((20000 + n)); done >> /etc/passwd; \
             seq -f u%04.0f 1200 | totpctl enroll --batch - --no-confirm >/root/keys.jsonl",
        )
        .stdout_ok();
    let listed = machine.run("totpctl --json list").stdout_ok();
    let users: Vec<_> = listed
        .lines()
        .map(|line| line.split_once("\"user\":\"").unwrap().1[..5].to_owned())
        .collect();
    let expected: Vec<_> = (1..=1200).map(|n| format!("u{n:04}")).collect();
    assert_eq!(users, expected);
}

#[test]
fn completions_are_made_for_three_shells() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let shown = machine.run("totpctl --json show alice").stdout_ok();
    let factor = shown.split("\"factor\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    machine.run("touch /tmp/a-file").stdout_ok();
    // What bash itself completes, from the installed script.
    let completed = |words: &str| {
        let script = format!(
            "cd /tmp; . /usr/share/bash-completion/completions/totpctl\n\
             COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9\n\
             $(complete -p totpctl | grep -o -- '-F [^ ]*' | cut -c4-) totpctl \"${{COMP_WORDS[$COMP_CWORD]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        machine.run(&format!("bash -c {}", shell_quoted(&script))).stdout_ok()
    };
    for (words, expected) in [
        ("totpctl enr", "enroll"),
        ("totpctl enroll --no-c", "--no-confirm"),
        ("totpctl show al", "alice"),
        ("totpctl enroll bo", "bob"),
        ("totpctl try ss", "sshd"),
        ("totpctl set alice --factor ''", &factor),
        ("totpctl remove alice --factor f", &factor),
        ("totpctl enroll --qr as", "ascii"),
    ] {
        let found = completed(words);
        assert!(found.lines().any(|line| line.trim() == expected), "{words}: {found}");
        assert!(!found.contains("a-file"), "no files: {words}: {found}");
    }
    for shell in ["zsh", "fish"] {
        let script = machine.run(&format!("totpctl completions {shell}")).stdout_ok();
        assert!(script.contains("COMPLETE") && script.contains("totpctl"), "{shell}: {script}");
        let dynamic = machine
            .run(&format!("COMPLETE={shell} _CLAP_COMPLETE_INDEX=2 totpctl -- totpctl show al"));
        assert!(dynamic.stdout_ok().contains("alice"), "{shell}");
    }
    machine.run("bash -n /usr/share/bash-completion/completions/totpctl").stdout_ok();
}

/// Quotes a text for a shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Reads the QR code that is drawn in half blocks on a screen.
fn read_half_blocks(screen: &str) -> String {
    let drawn = |line: &&str| line.contains('█') || line.contains('▀') || line.contains('▄');
    let mut rows = Vec::new();
    for line in picture::without_colors(screen).lines().filter(drawn) {
        for light in [['█', '▀'], ['█', '▄']] {
            rows.push(line.chars().map(|c| light.contains(&c)).collect());
        }
    }
    picture::of_dots(&rows)
}

/// Reads the QR code that is drawn in cells of two characters.
fn read_cells(screen: &str, light: &str, dark: &str) -> String {
    let mut rows = Vec::new();
    for line in screen.lines() {
        let (mut rest, mut row) = (line, Vec::new());
        while let Some(next) = rest.strip_prefix(light).or_else(|| rest.strip_prefix(dark)) {
            row.push(rest.starts_with(light));
            rest = next;
        }
        if rest.is_empty() && row.len() > 20 {
            rows.push(row);
        }
    }
    picture::of_dots(&rows)
}
