//! The objects of `totpctl --json`, checked against `docs/reference/totpctl.schema.json`.

use tests::{JsonSchema, Machine, Seed};

/// Runs a command as root and checks each object that it prints.
struct Checked {
    machine: Machine,
    schema: JsonSchema,
}

impl Checked {
    fn new() -> Self {
        Self { machine: Machine::new(), schema: JsonSchema::of_totpctl() }
    }

    #[track_caller]
    fn run(&self, definition: &str, status: i32, command: &str, input: &str) -> serde_json::Value {
        let ran = self.machine.run_with_input(&format!("totpctl --json {command}"), input);
        assert_eq!(ran.status, status, "{command}: {ran:#?}");
        self.schema.check(definition, &ran.stdout).remove(0)
    }

    #[track_caller]
    fn fails(&self, code: &str, status: i32, command: &str, input: &str) {
        let object = self.run("error", status, command, input);
        assert_eq!(object["error"]["code"], code, "{command}: {object}");
        assert!(!object["error"]["message"].as_str().unwrap().is_empty(), "{command}: {object}");
    }
}

#[test]
fn users_and_factors_are_objects_of_the_schema() {
    let checked = Checked::new();
    let enrolled = checked.run("enroll", 0, "enroll alice", "");
    let seed = Seed(enrolled["secret"].as_str().unwrap().to_owned());
    checked.run("show", 0, "show alice", "");
    checked.run("confirm", 0, "confirm alice", &format!("{}\n", seed.code()));
    checked.run("enroll", 0, "enroll alice --if-unenrolled", "");
    checked.run("verify", 1, "verify alice", &format!("{}\n", seed.code()));
    let shown = checked.run("show", 0, "show alice", "");
    let factor = shown["factors"][0]["factor"].as_str().unwrap().to_owned();
    checked.run("list", 0, "list", "");
    checked.run("status", 0, "status", "");
    let user = checked.machine.run_as("alice", "totpctl --json status");
    checked.schema.check("status_of_user", &user.stdout_ok());
    checked.run("rename", 0, &format!("rename --factor {factor} alice Pixel"), "");
    let set = format!("set alice --factor {factor} --services sshd,sudo,no-such-service");
    let advice = checked.run("set", 0, &set, "")["advice"].to_string();
    assert!(advice.contains("sudo -i uses the PAM service sudo-i"), "{advice}");
    assert!(advice.contains("no PAM service no-such-service"), "{advice}");
    checked.run("set", 0, &format!("set alice --factor {factor} --services 'sshd sudo'"), "");
    checked.run("recovery_codes", 0, "recovery-codes alice", "");
    checked.run("unlock", 0, "unlock alice", "");
    checked.run("batch", 1, "enroll --batch -", "bob\nno-such-user\n");
    checked.run("batch", 0, "enroll --batch - --dry-run", "carol\n");
    checked.run("remove", 0, "remove alice", "");
}

#[test]
fn services_and_findings_are_objects_of_the_schema() {
    let checked = Checked::new();
    checked.machine.enrolled("alice", 1);
    checked.run("try_state", 0, "try", "");
    checked.run("enable", 0, "enable sshd --option nullok --dry-run", "");
    checked.run("enable", 0, "enable sshd --option nullok", "");
    let kept = checked.run("enable", 0, "enable sshd", "");
    assert_eq!(kept["options"], serde_json::json!(["nullok"]));
    checked.run("try", 0, "try sshd", "");
    checked.run("try_undo", 0, "try --undo", "");
    checked.run("doctor", 0, "doctor", "");
    checked.machine.service("x", "auth sufficient pam_permit.so\nauth required pam_totp.so\n");
    checked.run("doctor", 1, "doctor x", "");
    checked.run("explanation", 0, "doctor --explain stack-skips-code", "");
    checked.run("accept", 0, "doctor accept stack-skips-code --service x --reason meant", "");
    checked.run("doctor", 0, "doctor x", "");
    checked.run("accept_list", 0, "doctor accept --list", "");
    checked.run("accept_remove", 0, "doctor accept --remove stack-skips-code", "");
    checked.run("disable", 0, "disable sshd", "");
}

#[test]
fn tasks_on_the_store_are_objects_of_the_schema() {
    let checked = Checked::new();
    checked.machine.enrolled("alice", 1);
    checked.run("verify_store", 0, "verify-store", "");
    checked.run("backup", 0, "backup /root/b", "a long passphrase\n");
    checked.run("restore", 0, "restore /root/b --dry-run", "a long passphrase\n");
    checked.run("restore", 0, "restore /root/b --replace --yes", "a long passphrase\n");
    checked.run("rekey", 0, "rekey", "");
}

#[test]
fn a_failure_is_an_object_with_a_code() {
    let checked = Checked::new();
    checked.machine.enrolled("alice", 1);
    checked.fails("no-such-user", 1, "show no-such-user", "");
    checked.fails("usage", 2, "frobnicate", "");
    checked.fails("usage", 2, "enable sshd --option nulok", "");
    checked.fails("refused", 1, "enable no-such-service", "");
    checked.fails("refused", 1, "verify alice", "");
    let user = checked.machine.run_as("carol", "totpctl --json enable sshd");
    assert_eq!(user.status, 4, "{user:#?}");
    let object = checked.schema.check("error", &user.stdout).remove(0);
    assert_eq!(object["error"]["code"], "not-authorized");
    checked.machine.kill_daemon("TERM");
    checked.machine.run("chmod -x /usr/libexec/totpd").stdout_ok();
    checked.fails("unreachable", 3, "list", "");
}
