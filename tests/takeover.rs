//! The right to make a factor. The attackers are people who know a password, people who do not, and
//! programs of the user.

use tests::{Machine, Output, SSH, Seed, eventually, pam};

mod keys;

const MANAGER: &str = "org.totpd.Totp1.Manager";

/// A stack that continues after a wrong password, as those of Fedora, RHEL and openSUSE do.
const GOES_ON: &str = "auth substack goes-on\nauth required pam_totp.so nodelay enroll\n\
                       @include common-account\n@include common-session\n";

fn with_first_logins(stack: &str) -> Machine {
    let machine = Machine::new();
    machine.write("/etc/default/locale", "LANG=C.UTF-8\n");
    machine.service("goes-on", "auth sufficient pam_unix.so\nauth required pam_deny.so\n");
    machine.service("sshd", stack);
    machine
}

/// Logs in over ssh as alice, with a shell at a terminal. It types the first code of the key on the
/// screen.
fn ssh(machine: &Machine, password: &str, first: &str) -> Output {
    machine.run(&format!(
        "/opt/tests/type-enrollment '{password}' 000000 '{first}' {SSH} alice@127.0.0.1"
    ))
}

fn got_in(ran: &Output) -> bool {
    ran.stdout.lines().any(|line| line.trim_end().ends_with("in as alice"))
}

fn state(machine: &Machine) -> String {
    machine.run("totpctl --json show alice").stdout_ok()
}

/// Returns the secret in the answer of `Enroll`, or of `totpctl --json enroll`.
fn secret(text: &str) -> String {
    let (_, rest) = text.split_once("secret=").unwrap_or_else(|| panic!("no secret: {text}"));
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn factor_id(text: &str) -> String {
    let at = text.find("f-").unwrap_or_else(|| panic!("no factor: {text}"));
    text[at..at + 10].to_owned()
}

fn key_on_screen(ran: &Output) -> String {
    let key = ran.stdout.split("Key: ").nth(1).unwrap_or_else(|| panic!("no key: {ran:#?}"));
    key.lines().next().unwrap().replace([' ', '\r'], "")
}

#[test]
fn a_stranger_without_the_password_becomes_owner_of_no_factor() {
    let machine = with_first_logins(GOES_ON);
    let stranger = ssh(&machine, "WRONG", "right");
    assert!(!got_in(&stranger), "{stranger:#?}");
    let key = key_on_screen(&stranger);
    assert!(!stranger.stdout.contains("Keep these"), "{stranger:#?}");
    assert!(machine.log().contains("TOTP_REASON=first-code-accepted"), "{}", machine.log());
    assert!(state(&machine).contains("\"enrolled\":false"), "{}", state(&machine));
    // The owner is not shut out, and has a key of her own.
    let owner = ssh(&machine, "alicepw", "right");
    assert!(got_in(&owner), "{owner:#?}");
    assert_ne!(key_on_screen(&owner), key);
    assert!(owner.stdout.contains("Keep these on paper"), "{owner:#?}");
    assert!(state(&machine).contains("\"enrolled\":true"), "{}", state(&machine));
    // The stranger's key is nobody's, and its token is gone.
    let code = Seed(key).next_code();
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::AUTH_ERR);
}

#[test]
fn a_login_confirms_no_other_factor_in_the_same_program() {
    let machine = with_first_logins(GOES_ON);
    machine.service("login", GOES_ON);
    let bob = machine.enrolled("bob", 3);
    let both = machine.run(&format!("/opt/tests/two-logins {}", bob.code()));
    assert!(both.stdout.contains("Key: ") && both.stdout.contains("Login incorrect"), "{both:#?}");
    assert!(both.stdout.contains("in as bob"), "{both:#?}");
    assert!(!both.stdout.contains("Keep these"), "{both:#?}");
    assert!(state(&machine).contains("\"enrolled\":false"), "{}", state(&machine));
}

#[test]
fn a_stack_that_ends_after_our_line_makes_no_factor_good() {
    let machine = Machine::new();
    machine
        .service("totp", "auth required pam_totp.so nodelay enroll\nauth required pam_deny.so\n");
    machine.service(
        "sshd",
        "auth required pam_totp.so nodelay enroll\naccount required pam_deny.so\n",
    );
    let person = "/opt/tests/type-enrollment x 000000 right";
    machine.run("printf 'auth include totp\\naccount required pam_permit.so\\nsession required pam_permit.so\\n' >/etc/pam.d/su").stdout_ok();
    let denied = machine.run_as("bob", &format!("{person} su alice -c 'echo in as $(id -un)'"));
    assert!(!got_in(&denied) && denied.stdout.contains("Code that the app shows"), "{denied:#?}");
    let no_account = ssh(&machine, "x", "right");
    assert!(
        !got_in(&no_account) && no_account.stdout.contains("Code that the app shows"),
        "{no_account:#?}"
    );
    assert!(state(&machine).contains("\"enrolled\":false"), "{}", state(&machine));
}

#[test]
fn a_key_that_malware_was_shown_is_never_roots_or_the_owners() {
    let machine = Machine::with_programs();
    machine.self_service();
    let malware = |options: &str| {
        machine
            .call("alice", &format!("{MANAGER}.Enroll"), &format!("alice \"{options}\""))
            .stdout_ok()
    };
    let stolen_key = secret(&malware("@a{sv} {}"));
    // Root, by hand and by a batch with and without a first code.
    let by_hand = machine.run("totpctl --json enroll alice").stdout_ok();
    assert_ne!(secret(&by_hand), stolen_key, "root adopts a key that malware was shown");
    let again = machine.run("totpctl --json enroll alice").stdout_ok();
    assert_eq!(secret(&again), secret(&by_hand), "root continues with what root made");
    let waits = machine.run_with_input("totpctl enroll --batch -", "alice\n").stdout_ok();
    assert_eq!(secret(&waits), secret(&by_hand));
    // The other way round: the seed that root made leaves the daemon to nobody else.
    let resumed = malware("{'resume': <true>}");
    assert_ne!(secret(&resumed), secret(&by_hand), "malware is shown root's key");
    let batch =
        machine.run_with_input("totpctl enroll --batch - --no-confirm", "alice\n").stdout_ok();
    assert_eq!(secret(&batch), secret(&by_hand));
    let right = Seed(secret(&batch));
    assert_eq!(machine.pam("totp", "alice", &right.code()).run().rc, pam::SUCCESS);
    // The earlier enrollment of malware is over. It replaces nothing by a code of its own key.
    for (key, answer) in [(secret(&resumed), &resumed), (stolen_key, &resumed)] {
        let code = Seed(key).code();
        let arguments = format!("alice {} {code}", factor_id(answer));
        let refusal = machine.call("alice", &format!("{MANAGER}.Confirm"), &arguments);
        assert!(refusal.stderr.contains("Error.NotEnrolled"), "{refusal:#?}");
    }
    assert_eq!(machine.pam("totp", "alice", &right.next_code()).run().rc, pam::SUCCESS);

    // The owner herself: her own run is not shown what another program of hers was shown.
    machine.run("totpctl remove alice").stdout_ok();
    let stolen_key = secret(&malware("@a{sv} {}"));
    for resume in ["totpctl --json enroll", "totpctl --json enroll alice"] {
        let own = machine.run_as("alice", &format!("{resume} </dev/null")).stdout_ok();
        assert_ne!(secret(&own), stolen_key, "the owner is shown a key that malware was shown");
    }
    let stolen_key = secret(&malware("{'resume': <true>}"));
    let person = "cd; /opt/tests/type-enrollment x x right totpctl enroll";
    let own = machine.run_as("alice", person);
    assert_eq!(own.status, 0, "{own:#?}");
    assert!(!own.stdout.contains(&stolen_key) && state(&machine).contains("\"enrolled\":true"));
}

#[test]
fn a_factor_is_confirmed_by_nobody_but_its_maker() {
    let machine = Machine::with_programs();
    machine.self_service();
    machine.run_as("alice", "totpctl --json enroll >/tmp/own </dev/null").stdout_ok();
    let own = machine.run("cat /tmp/own").stdout_ok();
    let code = Seed(secret(&own)).code();
    let root = machine.run_with_input(
        &format!("totpctl confirm alice --factor {}", factor_id(&own)),
        &format!("{code}\n"),
    );
    assert_eq!(root.status, 4, "{root:#?}");
    assert!(root.stderr.contains("only its maker confirms it"), "{root:#?}");
    let none = machine.run_with_input("totpctl confirm alice", &format!("{code}\n"));
    assert!(none.status == 1 && none.stderr.contains("that you created"), "{none:#?}");
    machine.run_as_with_input("alice", "totpctl confirm", &format!("{code}\n")).stdout_ok();
    let uid = machine.run("id -u alice").stdout_ok();
    assert!(state(&machine).contains(&format!("\"made_by\":\"uid {}\"", uid.trim())));
    // The same holds the other way round.
    let roots = machine.run("totpctl --json enroll bob").stdout_ok();
    let code = Seed(secret(&roots)).code();
    let arguments = format!("bob {} {code}", factor_id(&roots));
    let refusal = machine.call("bob", &format!("{MANAGER}.Confirm"), &arguments);
    assert!(refusal.stderr.contains("Error.NotAuthorized"), "{refusal:#?}");
    machine.run_with_input("totpctl confirm bob", &format!("{code}\n")).stdout_ok();
}

#[test]
fn a_batch_verifies_only_the_factor_that_it_printed() {
    let machine = Machine::with_programs();
    machine.self_service();
    let enroll = |options: &str| {
        machine.call("root", &format!("{MANAGER}.Enroll"), &format!("alice \"{options}\""))
    };
    let reply = enroll("@a{sv} {}").stdout_ok();
    let (first, key) = (factor_id(&reply), secret(&reply));
    // Somebody else's takes its place, or is there besides.
    let other =
        machine.call("alice", &format!("{MANAGER}.Enroll"), "alice '@a{sv} {}'").stdout_ok();
    let wrong = enroll(&format!("{{'confirmed': <true>, 'factor': <'{}'>}}", factor_id(&other)));
    assert!(wrong.stderr.contains("Error.NotEnrolled"), "{wrong:#?}");
    let newer = enroll("@a{sv} {}").stdout_ok();
    let gone = enroll(&format!("{{'confirmed': <true>, 'factor': <'{first}'>}}"));
    assert!(gone.stderr.contains("Error.NotEnrolled"), "{gone:#?}");
    assert!(state(&machine).contains("\"enrolled\":false"), "no key that nobody has was made");
    for (bad, reason) in [
        ("{'confirmed': <true>, 'resume': <true>}", "resume"),
        ("{'factor': <'f-aaaaaaaa'>}", "factor"),
    ] {
        let refusal = enroll(bad);
        assert!(refusal.stderr.contains("Error.InvalidArgument"), "{refusal:#?}");
        assert!(refusal.stderr.contains(reason), "{refusal:#?}");
    }
    let done = enroll(&format!("{{'confirmed': <true>, 'factor': <'{}'>}}", factor_id(&newer)))
        .stdout_ok();
    assert_eq!(secret(&done), secret(&newer));
    assert_ne!(secret(&done), key);
    // A batch beside a program of the user that asks for new keys all the time.
    machine.run("totpctl remove alice");
    let mut malware = machine.start(&format!(
        "exec setpriv --reuid alice --regid alice --init-groups bash -c 'while :; do gdbus call --system \
         --dest org.totpd.Totp1 --object-path /org/totpd/Totp1 --method {MANAGER}.Enroll alice \"@a{{sv}} {{}}\" \
         >>/tmp/seen 2>&1; done'"
    ));
    eventually("it asks", || machine.run("grep -c secret= /tmp/seen").stdout.trim() != "0");
    for _ in 0..5 {
        machine.run("totpctl remove alice");
        let line =
            machine.run_with_input("totpctl enroll --batch - --no-confirm", "alice\n").stdout_ok();
        assert_eq!(line.lines().count(), 1, "{line}");
        let state_text = state(&machine);
        assert!(state_text.contains(&factor_id(&line)), "{line} {state_text}");
        let malware_output = machine.run("cat /tmp/seen").stdout_ok();
        assert!(!malware_output.contains(&secret(&line)), "malware saw the key that was verified");
    }
    malware.kill().unwrap();
    malware.wait().unwrap();
}
