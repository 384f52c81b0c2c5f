//! The drop-in that `totpctl enable sshd --write-sshd` writes for sshd, and takes back.

use tests::{Machine, eventually};

use super::trial::start_trial;
use super::{assert_refused, machine, ssh};

pub(super) const FILE: &str = "/etc/ssh/sshd_config.d/10-totp.conf";
pub(super) const INCLUDE: &str = "Include /etc/ssh/sshd_config.d/*.conf\n";
/// As Debian and RHEL install it: PAM may ask nothing.
pub(super) const STOCK: &str = "ListenAddress 127.0.0.1\nUsePAM yes\nKbdInteractiveAuthentication no\n\
                     PermitRootLogin yes\nUseDNS no\nMaxAuthTries 20\n";

/// Returns a machine whose sshd has this configuration, and on which alice has a factor.
pub(super) fn with_config(config: &str) -> Machine {
    let (machine, _) = machine();
    configure(&machine, config);
    machine
}

pub(super) fn configure(machine: &Machine, config: &str) {
    machine.write("/etc/ssh/sshd_config", config);
    machine.run("! sshd -T -o PerSourcePenalties=no || echo 'PerSourcePenalties no' >> /etc/ssh/sshd_config");
    assert_eq!(machine.restart_sshd(), "");
}

/// Returns what sshd says of these keywords.
fn effective(machine: &Machine) -> String {
    machine
        .run("sshd -T | grep -E '^(usepam|kbdinteractiveauthentication|passwordauthentication) ' | sort")
        .stdout_ok()
}

/// Returns the keyboard-interactive prompts of a login, as the sshd that runs asks them.
pub(super) fn asks(machine: &Machine) -> bool {
    let tried = machine.ssh("bob", "x").password("wrong").run();
    tried.prompts.iter().any(|prompt| prompt.contains("Password"))
}

const CAN_ASK: &str = "kbdinteractiveauthentication yes\npasswordauthentication no\nusepam yes\n";
const CANNOT: &str = "kbdinteractiveauthentication no\npasswordauthentication yes\nusepam yes\n";

pub(super) fn exists(machine: &Machine) -> bool {
    machine.run(&format!("test -e {FILE}")).status == 0
}

#[test]
fn the_lines_are_written_and_taken_back() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    assert_eq!(effective(&machine), CANNOT);
    assert!(ssh(&machine, ""), "by the method password");
    let refused =
        assert_refused(&machine, "totpctl enable sshd", "KbdInteractiveAuthentication is no");
    assert!(refused.stderr.contains("totpctl enable sshd --write-sshd"), "{refused:#?}");
    // Each names the command that was typed.
    for command in ["totpctl try sshd", "totpctl try --minutes 9 sshd --option nullok"] {
        let refused = assert_refused(&machine, command, "KbdInteractiveAuthentication is no");
        assert!(refused.stderr.contains(&format!("run {command} --write-sshd")), "{refused:#?}");
        assert!(!refused.stderr.contains("enable"), "{refused:#?}");
    }
    let other = machine.run("totpctl enable sudo --write-sshd");
    assert!(other.status == 2 && other.stderr.contains("is for sshd"), "{other:#?}");

    let dry = machine.run("totpctl enable sshd --write-sshd --dry-run");
    assert!(dry.status == 0 && dry.stderr.contains("would be written"), "{dry:#?}");
    assert!(!exists(&machine));
    let done = machine.run("totpctl enable sshd --write-sshd");
    assert_eq!(done.stdout, dry.stdout);
    for line in [
        "--- /dev/null\n+++ /etc/ssh/sshd_config.d/10-totp.conf\n",
        "+KbdInteractiveAuthentication yes\n+PasswordAuthentication no\n",
        "+auth    required    pam_totp.so\n",
    ] {
        assert!(done.stdout.contains(line), "{line}: {done:#?}");
    }
    assert!(done.stderr.contains("is written, and sshd is reloaded."), "{done:#?}");
    assert_eq!(machine.run(&format!("stat -c '%a %U' {FILE}")).stdout_ok(), "644 root\n");
    assert_eq!(effective(&machine), CAN_ASK);
    eventually("the sshd that runs asks", || asks(&machine));
    assert!(!ssh(&machine, "000000"), "a wrong code");
    assert!(ssh(&machine, &machine.fresh_code("alice")), "a right code");
    let doctor = machine.run("totpctl doctor sshd").stdout_ok();
    assert!(doctor.contains("sshd: asks for a code\n"), "{doctor}");
    for id in ["sshd-cannot-ask", "sshd-lines-left", "sshd-not-reloaded"] {
        assert!(!doctor.contains(&format!("[{id}]")), "{doctor}");
    }
    let again = machine.run("totpctl --json enable sshd --write-sshd").stdout_ok();
    assert!(again.contains("\"changed\":false"), "{again}");

    // Without its line in the stack, doctor names the file.
    machine.run("sed -i '/pam_totp/d' /etc/pam.d/sshd").stdout_ok();
    let doctor = machine.run("totpctl doctor sshd").stdout;
    assert!(doctor.contains(&format!("{FILE}: totpctl wrote this file")), "{doctor}");
    assert!(doctor.contains("[sshd-lines-left]"), "{doctor}");
    let dry = machine.run("totpctl disable sshd --dry-run").stdout_ok();
    assert!(dry.contains("+++ /dev/null") && exists(&machine), "{dry}");
    let json = machine.run("totpctl --json disable sshd").stdout_ok();
    for part in ["\"changed\":true", "\"sshd_reloaded\":true", "\"sshd_file\":\"/etc/ssh"] {
        assert!(json.contains(part), "{json}");
    }
    assert!(!exists(&machine));
    assert_eq!(effective(&machine), CANNOT);
    eventually("the sshd that runs asks no more", || !asks(&machine));
    assert!(ssh(&machine, ""), "by the method password");
    let again = machine.run("totpctl --json disable sshd").stdout_ok();
    assert!(again.contains("\"changed\":false"), "{again}");
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    let answer = |command: &str, answer: &str| {
        machine
            .run_with_input(&format!("script -qec '{command}' /dev/null"), &format!("{answer}\n"))
    };
    let declined = answer("totpctl enable sshd", "n");
    assert_eq!(declined.status, 1, "{declined:#?}");
    let told = declined.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in
        ["+KbdInteractiveAuthentication yes", "reload sshd (kill -HUP", "[y/N]", "not changed"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!exists(&machine) && machine.run("grep -q pam_totp /etc/pam.d/sshd").status == 1);
    // A dry run asks nothing.
    let dry =
        machine.run("script -qec 'totpctl enable sshd --dry-run' /dev/null </dev/null").stdout_ok();
    assert!(dry.contains("+auth    required    pam_totp.so") && !exists(&machine), "{dry}");
    assert_eq!(dry.matches("+KbdInteractiveAuthentication yes").count(), 1, "{dry}");
    let accepted = answer("totpctl enable sshd", "y");
    let shown = accepted.stdout.matches("+KbdInteractiveAuthentication yes").count();
    assert_eq!(shown, 1, "{accepted:#?}");
    assert!(accepted.status == 0 && exists(&machine), "{accepted:#?}");
    eventually("the sshd that runs asks", || asks(&machine));
    assert!(ssh(&machine, &machine.fresh_code("alice")));
}

#[test]
fn the_method_password_stays_where_a_password_is_enough() {
    for option in ["nullok", "forward_pass"] {
        let machine = with_config(&format!("{INCLUDE}{STOCK}"));
        machine.service("sshd", "auth requisite pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_unix.so\n");
        let command = format!("totpctl enable sshd --write-sshd --option {option}");
        let ran = machine.run(&command);
        if option == "nullok" {
            assert_eq!(ran.status, 0, "{ran:#?}");
            assert!(effective(&machine).contains("passwordauthentication yes"));
        }
        assert!(!ran.stdout.contains("PasswordAuthentication"), "{ran:#?}");
    }
}

#[test]
fn lines_that_would_have_no_effect_are_not_written() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    let command = "totpctl enable sshd --write-sshd";
    let no = "KbdInteractiveAuthentication no\n";
    let early = "/etc/ssh/sshd_config.d/05-early.conf";
    for (config, drop_in, reason) in [
        (format!("{no}{INCLUDE}"), None, "/etc/ssh/sshd_config:1 comes before"),
        (STOCK.to_owned(), None, "no line includes it"),
        (format!("{INCLUDE}UsePAM yes\n"), Some((early, no)), "05-early.conf:1 comes before"),
        (format!("{INCLUDE}{STOCK}"), Some((FILE, "Port 22\n")), "totpctl did not write"),
        (format!("{STOCK}Match User nobody\n{INCLUDE}"), None, "comes before"),
        (
            format!("UsePAM yes\nMatch User nobody\n{INCLUDE}"),
            None,
            "would have no effect (sshd -T)",
        ),
    ] {
        machine.run("rm -f /etc/ssh/sshd_config.d/*").stdout_ok();
        if let Some((file, text)) = drop_in {
            machine.write(file, text);
        }
        configure(&machine, &format!("ListenAddress 127.0.0.1\n{config}"));
        // The first line is that of this test.
        let reason = reason.replace("sshd_config:1 ", "sshd_config:2 ");
        let before = machine.run("ls -la --full-time /etc/ssh/sshd_config.d").stdout_ok();
        assert_refused(&machine, command, &reason);
        if !reason.contains("no effect") {
            assert_eq!(
                machine.run("ls -la --full-time /etc/ssh/sshd_config.d").stdout_ok(),
                before
            );
        }
        assert_eq!(exists(&machine), drop_in.is_some_and(|(file, _)| file == FILE), "{reason}");
    }
    // An option of the command line wins over all files.
    machine.run("rm -f /etc/ssh/sshd_config.d/*").stdout_ok();
    configure(&machine, &format!("{INCLUDE}{STOCK}"));
    machine
        .run("kill $(cat /run/sshd.pid); while [ -e /run/sshd.pid ]; do sleep 0.1; done; /usr/sbin/sshd -o KbdInteractiveAuthentication=no")
        .stdout_ok();
    eventually("sshd listens", || machine.run("test -s /run/sshd.pid").status == 0);
    assert_refused(&machine, command, "sshd was started with -o KbdInteractiveAuthentication");
}

#[test]
fn a_file_that_was_changed_or_is_needed_stays() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run("totpctl enable sshd --write-sshd").stdout_ok();
    // Without it sshd would not start.
    machine
        .run("echo 'AuthenticationMethods keyboard-interactive' >> /etc/ssh/sshd_config; sshd -t")
        .stdout_ok();
    let disabled = machine.run("totpctl disable sshd");
    assert!(disabled.status == 0 && exists(&machine), "{disabled:#?}");
    assert!(disabled.stderr.contains("stays"), "{disabled:#?}");
    assert_eq!(effective(&machine), CAN_ASK);
    machine.run("sed -i /^AuthenticationMethods/d /etc/ssh/sshd_config").stdout_ok();
    machine.run(&format!("echo 'X11Forwarding no' >> {FILE}")).stdout_ok();
    let disabled = machine.run("totpctl disable sshd");
    assert!(disabled.stderr.contains("was changed since totpctl wrote it"), "{disabled:#?}");
    // There is one way on.
    let told = "obeys \"KbdInteractiveAuthentication yes\" and \"PasswordAuthentication no\" in it: delete";
    assert!(disabled.stderr.contains(told), "{disabled:#?}");
    assert!(!disabled.stderr.contains("Passwords alone"), "{disabled:#?}");
    assert!(exists(&machine));
    assert_eq!(machine.run(&format!("tail -n1 {FILE}")).stdout_ok(), "X11Forwarding no\n");
}

#[test]
fn a_trial_takes_the_lines_back_with_the_rest() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    let folder = "ls -A /etc/ssh/sshd_config.d";
    let mut child = start_trial(&machine, "totpctl try sshd --write-sshd");
    let told = machine.run("cat /tmp/tried").stdout;
    assert!(told.contains("+KbdInteractiveAuthentication yes"), "{told}");
    assert_eq!(effective(&machine), CAN_ASK);
    eventually("the sshd that runs asks", || asks(&machine));
    machine.run("totpctl try --undo").stdout_ok();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let told = machine.run("cat /tmp/tried").stdout;
    assert!(told.contains("10-totp.conf is as before, and sshd is reloaded."), "{told}");
    assert_eq!(machine.run(folder).stdout_ok(), "");
    assert_eq!(effective(&machine), CANNOT);
    eventually("the sshd that runs asks no more", || !asks(&machine));
    assert!(ssh(&machine, ""), "by the method password");

    let mut child = start_trial(&machine, "totpctl try sshd --write-sshd");
    eventually("the sshd that runs asks", || asks(&machine));
    assert!(ssh(&machine, &machine.fresh_code("alice")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(machine.run(folder).stdout_ok(), "10-totp.conf\n");
    assert_eq!(effective(&machine), CAN_ASK);
    // Lines that have no effect end the trial before it begins.
    machine.run("totpctl disable sshd").stdout_ok();
    configure(
        &machine,
        &format!("ListenAddress 127.0.0.1\nUsePAM yes\nMatch User nobody\n{INCLUDE}"),
    );
    assert_refused(&machine, "totpctl try sshd --write-sshd", "would have no effect");
    assert_eq!(machine.run(folder).stdout_ok(), "");
}

/// A profile may have the stack ask, so that no file of PAM changes.
#[test]
fn the_lines_are_written_for_a_stack_that_asks_already() {
    let machine = with_config(&format!("{INCLUDE}{STOCK}"));
    machine.run("echo 'auth required pam_totp.so nodelay' >> /etc/pam.d/common-auth").stdout_ok();
    let doctor = machine.run("totpctl doctor sshd");
    assert!(doctor.status == 1 && doctor.stdout.contains("[sshd-cannot-ask]"), "{doctor:#?}");
    assert!(doctor.stdout.contains("run totpctl enable sshd --write-sshd"), "{doctor:#?}");
    let done = machine.run("totpctl enable sshd --write-sshd");
    assert!(done.status == 0 && !done.stdout.contains("/etc/pam.d"), "{done:#?}");
    eventually("the sshd that runs asks", || asks(&machine));
    assert!(ssh(&machine, &machine.fresh_code("alice")));
    let disabled = machine.run("totpctl disable sshd");
    assert!(exists(&machine), "the profile still asks: {disabled:#?}");
}

#[test]
fn after_nullok_the_command_that_turns_passwords_off_is_named() {
    let machine = with_config(&format!("{INCLUDE}{}", STOCK.replace("cation no", "cation yes")));
    machine.run("totpctl enable sshd --option nullok").stdout_ok();
    let id = "[sshd-password-cannot-answer]";
    let command = "totpctl enable sshd --write-sshd";
    assert!(!machine.run("totpctl doctor sshd").stdout.contains(command), "it would do nothing");
    let dropped = machine.run("totpctl enable sshd --no-options --even-so");
    assert!(dropped.status == 0 && dropped.stderr.contains(command), "{dropped:#?}");
    let doctor = machine.run("totpctl doctor sshd").stdout;
    let line = doctor.lines().find(|line| line.contains(id)).expect(&doctor);
    assert!(line.contains(command), "{line}");
    machine.run(command).stdout_ok();
    assert_eq!(effective(&machine), CAN_ASK);
    assert!(!machine.run("totpctl doctor sshd").stdout.contains(id));
}

#[test]
fn a_dry_run_says_what_the_real_run_says() {
    let machine = with_config(&format!("{INCLUDE}{}", STOCK.replace("cation no", "cation yes")));
    let notes = |command: &str| {
        let ran = machine.run(command);
        assert_eq!(ran.status, 0, "{ran:#?}");
        ran.stderr.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let dry = notes("totpctl enable sshd --dry-run");
    let warning = "ssh asks for no code, nor for a factor, after: publickey";
    assert!(dry.concat().contains(warning), "{dry:?}");
    assert_eq!(notes("totpctl enable sshd"), dry);
    // Without the method password, passwords still get in by questions.
    machine
        .run("echo 'PasswordAuthentication no' >> /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)")
        .stdout_ok();
    let dry = notes("totpctl disable sshd --dry-run");
    let real = notes("totpctl disable sshd");
    assert!(real.concat().contains("Passwords alone let users in by ssh now"), "{real:?}");
    assert_eq!(
        dry,
        real.iter().map(|note| format!("After the change: {note}")).collect::<Vec<_>>()
    );
}
