//! Users who match several `Match` blocks.

use super::*;
use crate::host::sshd::case::Overlap;

/// Returns a survey of two blocks that change nothing, and of users who match both.
fn overlap(lines: &str, refused_by: Option<&'static str>, is_root: bool) -> Survey {
    let idle = || Cases { user: Some(case(BASE, None)), root: Some(case(BASE, None)) };
    let mut blocks = with_block("Group staff", Ok(idle())).blocks;
    blocks.extend(with_block("User git", Ok(idle())).blocks);
    let case = case(&with(lines), refused_by);
    let overlaps = vec![Overlap { blocks: vec![0, 1], is_root, case }];
    Survey { blocks, overlaps, ..survey(BASE) }
}

#[test]
fn users_of_several_blocks_are_told_of_once() {
    let lists = "authenticationmethods hostbased\n";
    let told_of = |survey: &Survey| {
        let (problems, notes, doors) = told(survey, PASSWORD_AND_CODE);
        (problems, notes[1..].to_vec(), doors.iter().any(|door| door.contains("Match")))
    };
    let unlocked = format!("{lists}hostbasedauthentication yes\n");
    let note = "sshd-match-methods-without-code";
    let (problems, notes, has_door) = told_of(&overlap(&unlocked, None, false));
    assert_eq!((problems.len(), &notes[..], has_door), (0, &[note.to_owned()][..], true));
    let nobody =
        told_of(&overlap(&format!("kbdinteractiveauthentication no\n{KEY_AND_CODE}"), None, false));
    assert_eq!(nobody.0, ["sshd-match-nobody-can-log-in"]);
    // sshd refuses these, or a block by itself does the same.
    for survey in [overlap(&unlocked, Some("AllowUsers"), false), overlap("", None, false)] {
        assert_eq!(told_of(&survey), (Vec::new(), Vec::new(), false));
    }
    let mut same = overlap(&unlocked, None, false);
    same.blocks[1].1 = Ok(Cases { user: Some(case(&with(&unlocked), None)), root: None });
    assert_eq!(told_of(&same).1, [note]);
    let root = told_of(&overlap(KEY_AND_CODE, None, true));
    assert_eq!(root.1, ["sshd-match-root-cannot-log-in"]);
}

#[test]
fn a_block_without_a_code_for_some_of_its_users_leaves_pam_not_first() {
    let key_and_code = with(KEY_AND_CODE);
    let base = survey(&key_and_code);
    assert_eq!(pam_is_nowhere_first(&base), Some(true));
    let overlaps = overlap("", None, false).overlaps;
    assert_eq!(pam_is_nowhere_first(&Survey { overlaps, ..base }), Some(false));
    let unasked = vec!["user=bob".to_owned()];
    assert_eq!(pam_is_nowhere_first(&Survey { unasked, ..survey(&key_and_code) }), None);
}

#[test]
fn connections_that_are_not_asked_about_are_counted() {
    let unasked = vec!["user=bob,host=h".to_owned(), "user=eve,host=h".to_owned()];
    let mut report = Report::default();
    let survey = Survey { unasked, ..survey(BASE) };
    let _ = collect(&survey, &|_| of_text(PASSWORD_AND_CODE), &mut report);
    let sentence = report.notes.last().unwrap().sentence();
    assert!(sentence.contains("not asked about 2 such connections"), "{sentence}");
    assert!(sentence.ends_with("test it: sshd -T -C user=bob,host=h"), "{sentence}");
}

#[test]
fn connections_whose_lines_sshd_cannot_read_are_shut_out() {
    let key_and_code = with(KEY_AND_CODE);
    let answer = |text: &str| Answer {
        config: Effective::parse(text),
        trace: Trace::parse("debug2: load_server_config: filename /etc/ssh/sshd_config\n"),
    };
    let ask =
        |connection: &str| match (connection.contains("user=bob"), connection.contains("=10.")) {
            (true, true) => {
                let mut failure = Failure::new("\"any\" must appear alone".into());
                failure.is_of_lines = true;
                Err(failure)
            }
            (true, false) => Ok(answer(&key_and_code)),
            _ => Ok(answer(BASE)),
        };
    let blocks = ["User bob", "Address 10.0.0.0/8"].map(|criteria| Block {
        place: ("/etc/ssh/sshd_config".into(), 9),
        words: words(criteria),
        outer: Vec::new(),
    });
    let found = Survey::new(answer(BASE), Vec::new(), blocks.into(), &ask, &|_| Vec::new());
    assert!(found.unasked.is_empty(), "{:?}", found.unasked);
    let (problems, _, doors) = told(&found, PASSWORD_AND_CODE);
    assert_eq!(problems, ["sshd-match-nobody-can-log-in"]);
    let is_shut = |door: &String| door.ends_with("and Match Address 10.0.0.0/8: closed");
    assert!(doors.iter().any(is_shut), "{doors:?}");
    // They never come to PAM.
    let overlaps = found.overlaps;
    assert_eq!(pam_is_nowhere_first(&Survey { overlaps, ..survey(&key_and_code) }), Some(true));
}
