//! What is told of a trial that runs, or has ended.

use super::trial::{cut, start_trial};
use super::{SSHD, eventually, files, machine};

/// Returns what stands behind a label, to the end of its line.
fn behind<'a>(text: &'a str, label: &str) -> &'a str {
    text.split(label).nth(1).and_then(|rest| rest.lines().next()).expect(text).trim()
}

/// The commands are run as they are printed.
#[test]
fn an_edit_during_a_trial_is_told_and_can_be_put_back() {
    let (machine, _) = machine();
    let mut child = start_trial(&machine, "totpctl try sshd");
    machine.run(&format!("echo '# mine' >> {SSHD}")).stdout_ok();
    let undone = machine.run("totpctl try --undo").stderr;
    child.wait().unwrap();
    let state = machine.run("totpctl try").stdout_ok();
    for text in [&undone, &machine.run("cat /tmp/tried").stdout_ok(), &state] {
        assert!(text.contains(&format!("{SSHD} was edited during the trial.")), "{text}");
    }
    let edit = machine.run(behind(&undone, "To see your edit: ")).stdout;
    assert!(edit.contains("> # mine"), "{edit}");
    let back = behind(&undone, "To put it back, with the tried lines: ");
    let original = machine.run(&format!("cat {SSHD}")).stdout_ok();
    assert!(!original.contains("# mine"), "{original}");
    machine.run(back).stdout_ok();
    let text = machine.run(&format!("cat {SSHD}")).stdout_ok();
    assert!(text.ends_with("# mine\n") && text.contains("pam_totp.so"), "{text}");
    // An edit of the next trial takes nothing from this one.
    machine.write(SSHD, &original);
    let mut child = start_trial(&machine, "totpctl try sshd");
    machine.run(&format!("echo '# other' >> {SSHD}")).stdout_ok();
    let undone = machine.run("totpctl try --undo").stderr;
    child.wait().unwrap();
    assert!(undone.contains("/var/lib/totpctl/sshd.edited-2"), "{undone}");
    let first = machine.run("cat /var/lib/totpctl/sshd.edited").stdout_ok();
    assert!(first.ends_with("# mine\n"), "{first}");
    let json = machine.run("totpctl --json try").stdout_ok();
    assert!(json.contains("\"saved\":\"/var/lib/totpctl/sshd.edited-2\""), "{json}");
}

#[test]
fn a_trial_without_a_countdown_says_that_nothing_ends_it() {
    let (machine, _) = machine();
    let before = files(&machine);
    let mut child = start_trial(&machine, "totpctl try sshd");
    let state = machine.run("totpctl try").stdout_ok();
    assert!(state.contains("is being tried until") && state.contains("enied logins"), "{state}");
    assert!(machine.run("totpctl --json try").stdout_ok().contains("\"will_end\":true"));
    assert!(machine.run("totpctl doctor").stdout.contains("[trial-pending]"));
    cut(&machine, &["totpctl try sshd", "totpctl try --count-down"]);
    child.wait().unwrap();
    // Any user may start a program with such words.
    let record = machine.run("cat /var/lib/totpctl/pending.json").stdout_ok();
    let words = format!("--count-down {}", behind(&record, "\"id\":").split('"').nth(1).unwrap());
    let mut other = machine.start(&format!(
        "exec setpriv --reuid bob --regid bob --clear-groups sh -c 'sleep 99; :' {words}"
    ));
    eventually("it runs", || machine.run(&format!("pgrep -u bob -f -- '{words}'")).status == 0);
    let state = machine.run("totpctl try").stdout_ok();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(state.contains("and nothing will revert it"), "{state}");
    let command = behind(&state, "To revert it: ");
    assert!(machine.run("totpctl --json try").stdout_ok().contains("\"will_end\":false"));
    let doctor = machine.run("totpctl doctor").stdout;
    assert!(doctor.contains("[trial-not-reverted]") && doctor.contains(command), "{doctor}");
    let status = machine.run("totpctl status").stdout_ok();
    assert!(status.contains("Trial: sshd, and nothing will revert it"), "{status}");
    machine.run(command).stdout_ok();
    assert_eq!(files(&machine), before);

    // A person who waits in the foreground learns it too.
    let mut child = start_trial(&machine, "totpctl try sshd");
    cut(&machine, &["totpctl try --count-down"]);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let told = machine.run("cat /tmp/tried").stdout;
    assert!(told.contains("still being tried, and nothing will revert it"), "{told}");
    machine.run(behind(&told, "To revert it: ")).stdout_ok();
    assert_eq!(files(&machine), before);
}
