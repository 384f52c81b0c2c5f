//! The ways in of users and blocks.

use super::*;

#[test]
fn doors_say_for_whom_they_differ() {
    let (_, _, doors) = told(&survey(&with("passwordauthentication yes\n")), PASSWORD_AND_CODE);
    assert_eq!(
        doors,
        [
            "ssh, publickey: not-asked",
            "ssh, gssapi-with-mic: closed",
            "ssh, hostbased: closed",
            "ssh, keyboard-interactive: asked",
            "ssh, password: unanswerable",
            "ssh, keyboard-interactive for root: unanswerable",
        ]
    );
    let refused = Survey {
        root: Ok(case(BASE, Some("AllowUsers"))),
        ..survey(&with(&format!("{KEY_AND_CODE}allowusers alice\n")))
    };
    let (_, notes, doors) = told(&refused, CODE);
    assert_eq!(notes, [""; 0]);
    assert_eq!(doors[0], "ssh, publickey,keyboard-interactive: asked");
    assert_eq!(doors[4], "ssh for users excluded by AllowUsers: closed");
    assert!(doors[5..].iter().all(|door| door.ends_with("for root: closed")), "{doors:?}");
    let cases =
        Cases { user: Some(case(&with("authenticationmethods publickey\n"), None)), root: None };
    let (_, _, doors) = told(&with_block("User git", Ok(cases)), PASSWORD_AND_CODE);
    assert!(doors.contains(&"ssh, keyboard-interactive for Match User git: closed".to_owned()));
    assert!(!doors.iter().any(|door| door.starts_with("ssh, publickey for Match")), "{doors:?}");
}

#[test]
fn a_rule_may_let_by_where_a_guard_shuts_each_way() {
    let guarded = format!(
        "{PASSWORD_AND_CODE}account required pam_totp.so guard\naccount required pam_unix.so\n"
    );
    let key = "authenticationmethods publickey\n";
    let (problems, _, _) = told(&survey(&with(key)), &guarded);
    assert_eq!(problems, ["sshd-guard-ends-logins"]);
    let block = |lines: &str| {
        let user = Some(case(&with(lines), None));
        let base = survey(&with(KEY_AND_CODE));
        let cases = Ok(Cases { user, root: None });
        told(&Survey { blocks: with_block("User git", cases).blocks, ..base }, &guarded).0
    };
    assert_eq!(block(key), ["sshd-match-guard-ends-logins"]);
    // Here no rule helps.
    let shut = "authenticationmethods password\n";
    assert_eq!(block(shut), ["sshd-match-nobody-can-log-in"]);
}

#[test]
fn a_block_has_a_door_for_each_usual_way() {
    let doors = |usual: &str, block: &str| {
        let user = Some(case(&with(block), None));
        let cases = Cases { user, root: None };
        let base = survey(&with(usual));
        let survey = Survey { blocks: with_block("User git", Ok(cases)).blocks, ..base };
        let (_, _, doors) = told(&survey, PASSWORD_AND_CODE);
        let of_block = doors.into_iter().filter(|door| door.contains(" for Match User git"));
        of_block.map(|door| door.replace(" for Match User git", "")).collect::<Vec<_>>()
    };
    // A key is no longer enough.
    assert_eq!(
        doors("", KEY_AND_CODE),
        [
            "ssh, publickey,keyboard-interactive: asked",
            "ssh, publickey: closed",
            "ssh, keyboard-interactive: closed",
        ]
    );
    // A client that offers both gets in by the key.
    assert_eq!(
        doors(KEY_AND_CODE, "authenticationmethods any\n"),
        ["ssh, publickey: not-asked", "ssh, keyboard-interactive: asked",]
    );
    // A combination that the block does not have comes to its part.
    let key = "authenticationmethods publickey\n";
    assert!(
        doors(KEY_AND_CODE, key).iter().all(|door| !door.starts_with("ssh, publickey,")),
        "{:?}",
        doors(KEY_AND_CODE, key)
    );
    assert_eq!(doors(KEY_AND_CODE, KEY_AND_CODE), [""; 0]);
}
