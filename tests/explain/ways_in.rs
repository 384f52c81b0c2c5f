//! What each way in, and the state on one screen, say of rules.

use serde_json::Value;
use tests::{JsonSchema, Machine, pam};

use super::{FILE, reload, rule};

#[test]
fn a_way_in_and_the_state_say_what_rules_come_to() {
    let machine = Machine::with_programs();
    machine.run("rm -f /etc/pam.d/totp").stdout_ok();
    let asks = "auth required pam_unix.so\nauth required pam_totp.so nodelay\n";
    let guarded =
        format!("{asks}account required pam_totp.so guard\naccount required pam_unix.so\n");
    for (service, stack) in [("su", asks), ("sudo", asks), ("sudo-i", asks), ("login", &guarded)] {
        machine.service(service, stack);
    }
    machine.enrolled("alice", 1);
    let office = "groups = [\"daemon\"]\nservices = [\"su\", \"login\"]\nfrom = [\"local\"]";
    let rules = [
        rule("office", &format!("{office}\nthen = \"skip\"")),
        rule("closed", "services = [\"sudo\"]\nthen = \"deny\""),
        rule("robots", "services = [\"login\"]\nthen = \"skip\""),
    ];
    reload(&machine, &rules.concat());
    let doctor: Value = serde_json::from_str(&machine.run("totpctl --json doctor").stdout).unwrap();
    let door = |name: &str| {
        let doors = doctor["doors"].as_array().unwrap();
        let door = doors.iter().find(|door| door["door"] == name).unwrap();
        (door["code"].clone(), door["exceptions"].to_string(), door["reason"].to_string())
    };
    let (code, exceptions, _) = door("su");
    assert_eq!(code, "asked");
    let expected = format!("members of daemon, from local (rule \\\"office\\\", {FILE}:1)");
    assert!(exceptions.contains(&expected), "{exceptions}");
    let (code, _, reason) = door("sudo");
    assert_eq!(code, "closed");
    assert!(reason.contains(&format!("(rule \\\"closed\\\", {FILE}:7)")), "{reason}");
    assert_eq!(door("sudo -i").0, "closed", "the program has both");
    let (code, exceptions, _) = door("login");
    assert_eq!(code, "not-asked");
    assert!(exceptions.contains("everybody (rule \\\"robots\\\""), "{exceptions}");
    let summary = |service: &str| doctor["services"][service]["summary"].to_string();
    assert!(summary("su").contains("rules need no code from some (office)"), "{}", summary("su"));
    assert!(summary("sudo").contains("rules refuse everybody"), "{}", summary("sudo"));
    let login = summary("login");
    assert!(
        login.contains("(guard)") && login.contains("rules need no code from anybody"),
        "{login}"
    );
    let status = machine.run("totpctl status").stdout_ok();
    for part in [
        "Rules: 3 in force; login: nobody needs a code; su: some need no code (office)",
        "; sudo: everybody is refused",
    ] {
        assert!(status.contains(part), "{status}");
    }
    let status = machine.run("totpctl --json status").stdout_ok();
    let status = JsonSchema::of_totpctl().check("status", &status).remove(0);
    assert_eq!(status["rules"]["sudo"]["everybody"], "refused", "{status}");
    assert_eq!(status["rules"]["su"]["lets_by"], serde_json::json!(["office"]), "{status}");
    // What is told is what happens.
    assert_eq!(machine.pam("sudo", "alice", "alicepw").run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("login", "bob", "bobpw").run().rc, pam::SUCCESS);
}
