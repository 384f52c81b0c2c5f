//! `totpctl` at terminals that can do little, and without a terminal.

use tests::{Machine, Output, SSH, eventually, pam, picture};

/// Returns the screen of a tmux of 120 columns and 50 lines, and its bytes as tmux wrote them. In
/// it `totpctl enroll alice` asks for the first code.
fn enrolling(machine: &Machine, number: u32, environment: &str) -> (String, String) {
    let tmux = format!("tmux -S /tmp/t{number}");
    machine
        .run(&format!(
            "{tmux} -u new-session -d -x 120 -y 50 'script -qfc \
             \"env {environment} totpctl enroll alice --name x\" /tmp/bytes{number}'"
        ))
        .stdout_ok();
    let mut screen = String::new();
    eventually("it asks for the code", || {
        screen = machine.run(&format!("{tmux} capture-pane -p")).stdout;
        screen.contains("Code that the app")
    });
    (screen, machine.run(&format!("cat /tmp/bytes{number}")).stdout_ok())
}

#[test]
fn output_respects_the_locale_and_the_terminal() {
    let machine = Machine::with_programs();
    for (number, environment, is_ascii) in [
        (1, "LANG=C LC_ALL=C", true),
        (2, "TERM=dumb LANG=C.UTF-8", false),
        (3, "NO_COLOR=1 LANG=C.UTF-8", false),
        (4, "-i LANG=C PATH=/usr/bin", true),
    ] {
        let (screen, bytes) = enrolling(&machine, number, environment);
        assert_eq!(screen.is_ascii(), is_ascii, "{environment}: {screen}");
        // script(1) writes what it ran and when around them.
        let screen_text = bytes.split("Code that the app").next().unwrap();
        assert!(
            !screen_text.contains('\u{1b}'),
            "{environment} has no escape sequences: {screen_text:?}"
        );
        let rows: Vec<Vec<bool>> = screen
            .lines()
            .filter(|line| line.contains("##") && !line.contains("totpctl"))
            .map(|line| line.chars().step_by(2).map(|dot| dot == '#').collect())
            .collect();
        let qr_rows: Vec<&str> = screen.lines().filter(|line| line.contains('█')).collect();
        let link =
            if is_ascii { picture::of_dots(&rows) } else { picture::of_half_blocks(&qr_rows) };
        assert!(link.starts_with("otpauth://totp/"), "{environment}: {screen}");
    }
}

/// A theme may be light or dark: the picture sets both of its colors in every line.
#[test]
fn a_picture_brings_its_own_colors() {
    let machine = Machine::with_programs();
    for (number, term, colors) in
        [(11, "xterm-256color", "\u{1b}[38;5;231;48;5;16m"), (12, "vt220", "\u{1b}[1;37;40m")]
    {
        let environment = format!("TERM={term} LANG=C.UTF-8");
        let (screen, bytes) = enrolling(&machine, number, &environment);
        let drawn: Vec<&str> = bytes.lines().filter(|line| line.contains('█')).collect();
        assert!(drawn.len() > 15, "{term}: {screen}");
        for line in &drawn {
            let line = line.trim_end_matches('\r');
            assert!(line.starts_with(colors) && line.ends_with("\u{1b}[0m"), "{term}: {line:?}");
        }
        let plain = picture::without_colors(&bytes);
        let drawn: Vec<&str> = plain.lines().filter(|line| line.contains('█')).collect();
        let drawn: Vec<&str> = drawn.iter().map(|line| line.trim_end_matches('\r')).collect();
        assert!(picture::of_half_blocks(&drawn).starts_with("otpauth://totp/"), "{term}: {screen}");
    }
}

#[test]
fn output_without_a_terminal_has_no_picture_and_may_be_cut() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let quiet = |ran: &Output| !ran.text().contains("panicked") && ran.stderr.is_empty();
    let blind = machine.run("totpctl enroll bob < /dev/null");
    assert!(blind.status == 1 && blind.stdout.contains("otpauth://totp/"), "{blind:#?}");
    assert!(!blind.stdout.contains('█') && !blind.stdout.contains("##"), "{blind:#?}");
    for command in ["show alice", "list", "--json list", "--help", "completions bash"] {
        // The reader has gone before anything is written.
        let ran =
            machine.run(&format!("exec 3> >(true); wait $!; totpctl {command} >&3; test $? -le 1"));
        assert!(quiet(&ran) && ran.status == 0, "{command}: {ran:#?}");
    }
    let full = machine.run("totpctl list > /dev/full");
    assert!(full.status == 1 && full.stderr.contains("cannot write the output"), "{full:#?}");
}

#[test]
fn names_are_kept_or_refused_and_never_harm_a_terminal() {
    let machine = Machine::new();
    for (name, is_kept) in [
        ("'My 🔑'", true),
        ("\"$(printf 'x%.0s' $(seq 64))\"", true),
        ("\"$(printf 'x%.0s' $(seq 200))\"", false),
        ("$'a\\e[2Jb'", false),
        ("$'a\\nb'", false),
        ("$'\\u202eevil'", false),
    ] {
        let ran = machine.run(&format!(
            "LC_ALL=C.UTF-8 totpctl enroll alice --no-confirm --qr none --name {name}"
        ));
        assert_eq!(ran.status == 0, is_kept, "{name}: {ran:#?}");
        assert!(is_kept || ran.stderr.contains("at most 64 bytes"), "{name}: {ran:#?}");
        assert!(!ran.text().contains('\u{1b}') && !ran.text().contains('\u{202e}'), "{ran:#?}");
    }
    // A factor without a name gets one of its own.
    machine.run("totpctl enroll alice --no-confirm --qr none --name ''").stdout_ok();
    for (issuer, is_kept) in [("a:b", false), ("50% off", true), ("", false)] {
        let ran = machine
            .run(&format!("totpctl enroll alice --no-confirm --qr none --issuer '{issuer}'"));
        assert_eq!(ran.status == 0, is_kept, "{issuer}: {ran:#?}");
        assert!(!is_kept || ran.stdout.contains("50%25%20off"), "{ran:#?}");
    }
}

/// systemd keeps the clock. Here a program of its name says what it would say.
#[test]
fn an_unsynchronized_clock_is_reported() {
    let machine = Machine::with_programs();
    machine.write(
        "/etc/dbus-1/system.d/timedate.conf",
        "<busconfig><policy user=\"root\"><allow own=\"org.freedesktop.timedate1\"/></policy>\
         <policy context=\"default\"><allow send_destination=\"org.freedesktop.timedate1\"/></policy>\
         </busconfig>",
    );
    machine.write(
        "/root/timedate.py",
        "import dbus, dbus.service, dbus.mainloop.glib\n\
         from gi.repository import GLib\n\
         dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)\n\
         class Clock(dbus.service.Object):\n    \
             @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v')\n    \
             def Get(self, interface, name):\n        \
                 return dbus.Boolean(False)\n\
         bus = dbus.SystemBus()\n\
         name = dbus.service.BusName('org.freedesktop.timedate1', bus)\n\
         Clock(bus, '/org/freedesktop/timedate1')\n\
         print('ready', flush=True)\n\
         GLib.MainLoop().run()\n",
    );
    machine.run("kill -HUP $(pidof dbus-daemon)").stdout_ok();
    let mut clock = machine.start("exec /usr/bin/python3 /root/timedate.py > /tmp/clock 2>&1");
    eventually("it answers", || machine.run("cat /tmp/clock").stdout.contains("ready"));
    let enrollment = machine.run("totpctl --json enroll alice").stdout_ok();
    let secret =
        enrollment.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let late =
        machine.run(&format!("oathtool -b --totp --now '4 minutes ago' {secret}")).stdout_ok();
    // The same factor waits still.
    let person = format!("/opt/tests/type-enrollment x x {} totpctl enroll alice", late.trim());
    let answer = machine.run(&person);
    assert!(answer.stdout.contains("The clock of your phone is 4 minutes slow"), "{answer:#?}");
    assert!(answer.stdout.contains("this machine is not synchronized either"), "{answer:#?}");
    // On a host of its own, and in a container, whose clock is not its own.
    machine
        .run("printf '#!/bin/sh\nexit 1\n' > /usr/bin/systemd-detect-virt; rm -f /run/systemd/container")
        .stdout_ok();
    let doctor = machine.run("totpctl doctor su");
    assert!(doctor.stdout.contains("problem: the clock is not synchronized"), "{doctor:#?}");
    assert_eq!(doctor.status, 1);
    machine.run("echo lxc > /run/systemd/container").stdout_ok();
    let doctor = machine.run("totpctl doctor su");
    assert!(doctor.stdout.contains("[clock-of-host]"), "{doctor:#?}");
    assert_eq!(doctor.status, 0, "{doctor:#?}");
    clock.kill().unwrap();
    clock.wait().unwrap();
}

/// A prompt of many lines is for terminals, by whatever name the program knows them.
#[test]
fn a_first_login_shows_its_key_at_each_console() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so nodelay enroll\n");
    for (terminal, shows) in [
        ("lxc/tty1", true),
        ("/dev/lxc/console", true),
        ("hvc0", true),
        ("/dev/sclp_line0", true),
        ("xvc0", true),
        (":0", false),
        ("lxc/ftp", false),
    ] {
        let login = machine.pam("totp", "alice", "000000").terminal(terminal).run();
        assert_eq!(login.rc, pam::AUTH_ERR, "{terminal}: {login:#?}");
        assert_eq!(
            login.text.contains("Code that the app shows: "),
            shows,
            "{terminal}: {login:#?}"
        );
        assert_eq!(login.text.contains("Run: totpctl enroll"), !shows, "{terminal}: {login:#?}");
    }
}

/// ssh sends the locale of the client after the login, for the session (`AcceptEnv`). So that of
/// the machine decides whether a first login shows a picture.
#[test]
fn the_locale_of_the_machine_decides_at_a_first_login() {
    let machine = Machine::new();
    machine.service("sshd", "auth requisite pam_unix.so\nauth required pam_totp.so enroll\n");
    machine
        .run("echo 'AcceptEnv LANG LC_*' >> /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)")
        .stdout_ok();
    for (user, of_the_machine, has_picture) in
        [("alice", "", false), ("bob", "LANG=C\n", false), ("carol", "LANG=C.UTF-8\n", true)]
    {
        machine.run("rm -f /etc/locale.conf").stdout_ok();
        machine.write("/etc/default/locale", of_the_machine);
        let login = machine.run(&format!(
            "/opt/tests/type-enrollment {user}pw x right env LANG=C.UTF-8 {SSH} \
             -o 'SendEnv LANG LC_*' {user}@127.0.0.1 'echo the session has $LANG'"
        ));
        let told = login.stdout_ok();
        assert!(told.contains("the session has C.UTF-8"), "{told}");
        assert_eq!(told.contains('█'), has_picture, "{of_the_machine}: {told}");
        let says_why = told.contains("(No QR code: the locale of this machine is not UTF-8.)");
        assert_eq!(says_why, !has_picture, "{of_the_machine}: {told}");
    }
}
