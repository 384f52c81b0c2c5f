//! Tests of stacks that libpam does not read, or not everywhere.

use super::*;

#[test]
fn files_too_deep_inside_each_other_are_ambiguous() {
    // The files are named by their depth, and the last one is of depth `last`.
    for (line, last, expected) in [
        ("@include ", 15, None),
        ("@include ", 16, Some("15:1")),
        ("auth include ", 15, None),
        ("auth include ", 16, Some("15:1")),
        ("auth include ", 40, Some("15:1")),
        // All versions of libpam fail there.
        ("auth substack ", 16, None),
        ("account include ", 16, None),
    ] {
        let read = |name: &str| {
            let depth: u8 = name.parse().ok()?;
            Some(match depth == last {
                true => "auth required pam_x.so\n".to_owned(),
                false => format!("{line}{}\n", depth + 1),
            })
        };
        let stack = Stack::parse("0", Kind::Auth, &read);
        let place = match &stack {
            Stack::Ambiguous(place, INCLUDED_TOO_DEEP) => Some(place.to_string()),
            Stack::Rules(_) => None,
            other => panic!("{line}{last}: {other:?}"),
        };
        assert_eq!(place.as_deref(), expected, "{line}{last}");
    }
}

#[test]
fn a_jump_that_overflows_is_ambiguous() {
    let read = |kind: &'static str| {
        move |name: &str| {
            (name == "x").then(|| format!("{kind} [success=4294967297 default=bad] pam_x.so\n"))
        }
    };
    let stack = Stack::parse("x", Kind::Auth, &read("auth"));
    assert!(matches!(stack, Stack::Ambiguous(_, JUMP_OVERFLOW)), "{stack:?}");
    let stack = Stack::parse("x", Kind::Auth, &read("session"));
    assert!(matches!(stack, Stack::Rules(_)), "{stack:?}");
}

#[test]
fn files_that_multiply_are_not_read_without_end() {
    let twice = |word: &str, name: &str| format!("auth {word} {name}\n").repeat(2);
    for word in ["include", "substack"] {
        let read = |name: &str| {
            let next = name.strip_prefix('f').map_or(0, |number| number.parse().unwrap_or(0));
            Some(twice(word, &format!("f{}", next + 1)))
        };
        let stack = Stack::parse("x", Kind::Auth, &read);
        assert!(matches!(stack, Stack::IncludeCycle(_) | Stack::TooLong(_)), "{word}");
    }
    let itself = |_: &str| Some(twice("substack", "x").repeat(5));
    assert!(matches!(Stack::parse("x", Kind::Auth, &itself), Stack::TooLong(_)));
    let long = |_: &str| Some("auth required pam_x.so\n".repeat(MAX_LINES + 1));
    assert!(matches!(Stack::parse("x", Kind::Auth, &long), Stack::TooLong(_)));
}
