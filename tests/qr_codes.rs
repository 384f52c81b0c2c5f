//! The input of an authenticator app: the link, and the QR code of it at each place that shows one.

use tests::{Machine, SSH, eventually, picture};

/// Returns the value of `key` in one line of JSON.
fn told<'a>(made: &'a str, key: &str) -> &'a str {
    let (_, rest) = made.split_once(&format!("\"{key}\":\"")).unwrap_or_else(|| panic!("{made}"));
    rest.split('"').next().unwrap()
}

/// Returns the lines of a picture in half blocks.
fn drawn(shown: &str) -> Vec<&str> {
    let lines = shown.lines().map(|line| line.trim_end_matches('\r'));
    lines.filter(|line| line.contains('█') || line.contains('▀')).collect()
}

/// The longest name that useradd makes, and an issuer of 64 bytes, each three characters of the
/// link.
const LONGEST_USER: &str = "a-user-whose-name-has-32-letters";
const LONGEST_ISSUER: &str = "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ";

#[test]
fn the_longest_names_are_scanned_wherever_they_are_shown() {
    let machine = Machine::with_programs();
    machine.run(&format!("useradd -m {LONGEST_USER}")).stdout_ok();
    let enroll = format!("totpctl enroll {LONGEST_USER} --issuer {LONGEST_ISSUER}");
    for algorithm in ["SHA1", "SHA256", "SHA512"] {
        let scanned = |picture: &str, made: &str| {
            let read = machine.run(&format!("zbarimg --quiet --raw {picture}")).stdout_ok();
            let link = told(made, "uri");
            assert!(link.contains(LONGEST_USER) && link.contains("%C3%84"), "{link}");
            assert_eq!(read.trim(), link, "{algorithm} {picture}");
        };
        for (file, to_picture) in [
            ("code.png", "cp /tmp/code.png /tmp/seen.png"),
            ("code.svg", "rsvg-convert -o /tmp/seen.png /tmp/code.svg"),
        ] {
            let options = format!("--algorithm {algorithm} --name x --qr-file /tmp/{file}");
            let made =
                machine.run(&format!("totpctl --json {} {options}", &enroll[8..])).stdout_ok();
            machine.run(to_picture).stdout_ok();
            scanned("/tmp/seen.png", &made);
            machine.run(&format!("rm /tmp/{file}")).stdout_ok();
        }
        let line = format!(
            "{{\"user\":\"{LONGEST_USER}\",\"issuer\":\"{LONGEST_ISSUER}\",\
             \"algorithm\":\"{algorithm}\"}}\n"
        );
        for (form, to_picture) in [
            ("pdf", "pdftoppm -png -r 150 -singlefile /root/sheet.pdf /tmp/seen"),
            ("svg", "rsvg-convert -w 1600 -o /tmp/seen.png /root/sheet.svg"),
        ] {
            let batch = format!("totpctl enroll --batch - --sheet /root/sheet.{form}");
            let made = machine.run_with_input(&batch, &line).stdout_ok();
            machine.run(to_picture).stdout_ok();
            scanned("/tmp/seen.png", &made);
            machine.run(&format!("rm /root/sheet.{form}")).stdout_ok();
        }
        // A screen that has room for it.
        let tmux = format!("tmux -S /tmp/{algorithm}");
        let session = format!("{tmux} -u new-session -d -x 130 -y 80");
        let shown = format!("'env LANG=C.UTF-8 {enroll} --name x --algorithm {algorithm}'");
        machine.run(&format!("{session} {shown}")).stdout_ok();
        let mut screen = String::new();
        eventually("it asks for the code", || {
            screen = machine.run(&format!("{tmux} capture-pane -p")).stdout;
            screen.contains("Code that the app")
        });
        let link = picture::of_half_blocks(&drawn(&screen));
        assert!(link.contains(LONGEST_USER), "{algorithm}: {link} {screen}");
    }
}

/// The room at a prompt is unknown. The prompt shows a picture that fits 80 columns and 24 lines,
/// or else the key alone. A scanner reads every picture.
#[test]
fn a_scanner_reads_an_ssh_prompt_for_each_algorithm() {
    for (algorithm, issuer, has_picture) in [
        ("SHA1", "totp-test", true),
        ("SHA256", "totp-test", false),
        ("SHA512", "totp-test", false),
        ("SHA1", LONGEST_ISSUER, false),
    ] {
        let machine = Machine::new();
        machine.write("/etc/default/locale", "LANG=C.UTF-8\n");
        let stack = "@include common-auth\nauth required pam_totp.so nodelay enroll\n\
                     @include common-account\n@include common-session\n";
        machine.service("sshd", stack);
        machine.write(
            "/etc/totpd/totpd.toml.d/10-test.toml",
            &format!("[enrollment]\nissuer = \"{issuer}\"\nalgorithm = \"{algorithm}\"\n"),
        );
        let first = machine.run(&format!(
            "/opt/tests/type-enrollment alicepw '' wrong {SSH} alice@127.0.0.1 'echo in as $(id -un)'"
        ));
        let rows = drawn(&first.stdout);
        if has_picture {
            let link = picture::of_half_blocks(&rows[..21]);
            assert!(link.starts_with("otpauth://totp/totp-test:alice?secret="), "{first:#?}");
        } else {
            assert!(rows.is_empty(), "{first:#?}");
            assert!(first.stdout.contains("Add this key"), "{first:#?}");
        }
    }
}

#[test]
fn a_picture_is_whole_or_absent_on_small_screens() {
    let machine = Machine::with_programs();
    let screen = |columns: u32, lines: u32, options: &str| {
        let tmux = format!("tmux -S /tmp/{columns}x{lines}");
        machine
            .run(&format!(
                "{tmux} -u new-session -d -x {columns} -y {lines} \
                 'env LANG=C.UTF-8 totpctl enroll alice --name x {options}'"
            ))
            .stdout_ok();
        let mut shown = String::new();
        eventually("it asks for the code", || {
            shown = machine.run(&format!("{tmux} capture-pane -p -S -200")).stdout;
            shown.contains("Code that the app")
        });
        machine.run(&format!("{tmux} capture-pane -p")).stdout_ok()
    };
    for (columns, lines, options) in
        [(80, 24, ""), (40, 40, ""), (80, 30, "--algorithm SHA256"), (80, 40, "--algorithm SHA512")]
    {
        let shown = screen(columns, lines, options);
        let rows = drawn(&shown);
        let link = picture::of_half_blocks(&rows);
        assert!(link.starts_with("otpauth://totp/"), "{columns} {lines} {options}: {shown}");
    }
    for (columns, lines) in [(20, 24), (80, 12)] {
        let shown = screen(columns, lines, "");
        assert!(drawn(&shown).is_empty(), "{shown}");
    }
}

#[test]
fn a_link_is_read_alike_by_two_other_parsers() {
    let machine = Machine::with_programs();
    for options in [
        "",
        "--algorithm SHA256 --digits 8",
        "--algorithm SHA512 --period 60",
        "--issuer 'Ärger Söhne'",
    ] {
        let made =
            machine.run(&format!("totpctl --json enroll alice --name x {options}")).stdout_ok();
        let uri = made.split("\"uri\":\"").nth(1).unwrap().split('"').next().unwrap();
        let secret = made.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
        let read = machine.run(&format!(
            "python3 -c 'import pyotp, sys; t = pyotp.parse_uri(sys.argv[1]); \
             print(t.secret, t.digits, t.interval, t.digest().name, t.issuer, t.name, sep=\"|\")' '{uri}'"
        ));
        let value = |option: &str, default: &str| {
            let mut words = options.split(' ').skip_while(|word| *word != option);
            words.nth(1).unwrap_or(default).to_lowercase()
        };
        let issuer = if options.contains("issuer") { "Ärger Söhne" } else { "totp-test" };
        let expected = format!(
            "{secret}|{}|{}|{}|{issuer}|alice\n",
            value("--digits", "6"),
            value("--period", "30"),
            value("--algorithm", "sha1"),
        );
        assert_eq!(read.stdout_ok(), expected, "pyotp: {uri}");
        let read = totp_rs::Totp::from_url(uri).unwrap();
        let told = format!(
            "{}|{}|{}|{}|{}|{}\n",
            read.secret().to_base32(),
            read.digits(),
            read.step(),
            read.algorithm().to_string().to_lowercase(),
            read.issuer().unwrap_or_default(),
            read.account_name(),
        );
        assert_eq!(told, expected, "totp-rs: {uri}");
    }
}
