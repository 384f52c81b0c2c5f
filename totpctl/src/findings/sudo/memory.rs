//! For how long, and where, sudo remembers a code (`timestamp_timeout`, `timestamp_type`). Pure.

use super::phrases::scope;
use crate::findings::finding::{Finding, FindingId};
use crate::host::sudo::sudoers::{Setting, Sudoers};

/// Returns a note for each setting by which sudo never asks again, or a code counts on all
/// terminals.
pub(super) fn notes(sudoers: &Sudoers) -> Vec<Finding> {
    let note = |setting: &Setting, effect: &str, fix: &str| {
        let (who, name) = (scope(&sudoers.scope(setting)), &setting.name);
        let word = match &setting.value {
            Some(value) => format!("{name}={value}"),
            None => format!("!{name}"),
        };
        Finding::new(FindingId::SudoRemembersCode, format!("sudo asks {who} {effect} ({word})"))
            .fix(fix)
            .at(setting.place.clone())
            .depends_on(sudoers.aliases_at(&setting.place))
    };
    let endless = sudoers.in_force_if("timestamp_timeout", &is_endless).into_iter();
    let mut notes: Vec<_> =
        endless.map(|(_, setting)| note(setting, ENDLESS, "write timestamp_timeout=15")).collect();
    let long = sudoers.in_force_if("timestamp_timeout", &is_long).into_iter();
    notes.extend(long.map(|(_, setting)| note(setting, LONG, "write timestamp_timeout=15")));
    // Without a memory, its kind is of no effect.
    let is_off = |setting: &Setting| minutes(setting) == Some(0.0);
    let has_memory = || !sudoers.in_force_if("timestamp_timeout", &|it| !is_off(it)).is_empty();
    if !sudoers.global("timestamp_timeout").is_some_and(is_off) || has_memory() {
        let global = sudoers.in_force_if("timestamp_type", &is_global).into_iter();
        let old = sudoers.in_force("tty_tickets", true).into_iter();
        notes.extend(
            global.chain(old).map(|(_, setting)| note(setting, GLOBAL, "write timestamp_type=tty")),
        );
    }
    notes
}

fn is_endless(setting: &Setting) -> bool {
    minutes(setting).is_some_and(|minutes| minutes < 0.0)
}

fn is_long(setting: &Setting) -> bool {
    minutes(setting).is_some_and(|minutes| minutes > MINUTES_PER_DAY)
}

fn is_global(setting: &Setting) -> bool {
    setting.value.as_deref() == Some("global")
}

/// Returns the value in minutes. A negated setting means 0.
fn minutes(setting: &Setting) -> Option<f64> {
    match setting.is_negated {
        true => Some(0.0),
        false => setting.value.as_ref()?.parse().ok(),
    }
}

const ENDLESS: &str = "for one code on each terminal, then never again until the host boots";
const LONG: &str = "for one code on each terminal, then not again for more than a day";
const GLOBAL: &str = "for one code, which then counts on all terminals of the user";
const MINUTES_PER_DAY: f64 = 24.0 * 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_never_ends_or_counts_everywhere_is_a_note() {
        let endless = "sudo asks everybody for one code on each terminal, then never again";
        let long = "sudo asks everybody for one code on each terminal, then not again for more";
        let global = "sudo asks everybody for one code, which then counts on all terminals";
        for (text, expected) in [
            ("Defaults timestamp_timeout=-1\n", &[endless][..]),
            ("Defaults timestamp_timeout = -0.5\n", &[endless]),
            ("Defaults timestamp_timeout=15\n", &[]),
            ("Defaults timestamp_timeout=525600\n", &[long]),
            ("Defaults timestamp_timeout=1440\n", &[]),
            (
                "Defaults!ALL timestamp_timeout=-1\nDefaults timestamp_timeout=5\n",
                &["sudo asks users who run ALL for one code on each terminal"],
            ),
            ("Defaults timestamp_timeout=\"\\x2d1\"\n", &[endless]),
            (
                "Defaults timestamp_timeout=0, timestamp_type=global\nDefaults:bob timestamp_timeout=600\n",
                &[global],
            ),
            ("Defaults timestamp_timeout=-1\nDefaults timestamp_timeout=5\n", &[]),
            ("Defaults timestamp_timeout=5\nDefaults timestamp_timeout=-1\n", &[endless]),
            ("Defaults@db timestamp_timeout=-1\n", &[]),
            (
                "User_Alias OPS = bob, %ops\nDefaults:OPS timestamp_timeout=-1\n",
                &["sudo asks bob, members of ops for one code on each terminal"],
            ),
            ("Defaults:bob timestamp_timeout=-1\nDefaults timestamp_timeout=5\n", &[]),
            ("Defaults timestamp_type=global\n", &[global]),
            ("Defaults timestamp_type=ppid\n", &[]),
            ("Defaults timestamp_type=global\nDefaults timestamp_type=tty\n", &[]),
            ("Defaults timestamp_type=global, timestamp_timeout=0\n", &[]),
            ("Defaults timestamp_type=global, !timestamp_timeout\n", &[]),
            ("Defaults !tty_tickets\n", &[global]),
            ("Defaults timestamp_timeout=-1, timestamp_type=global\n", &[endless, global]),
        ] {
            let found = notes(&Sudoers::of_text(text, "h"));
            assert_eq!(found.len(), expected.len(), "{text} {found:?}");
            let is_told = |(note, start): (&Finding, &&str)| note.message().starts_with(start);
            assert!(found.iter().zip(expected).all(is_told), "{text} {found:?}");
        }
    }
}
