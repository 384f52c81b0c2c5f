//! Which users the rules of sudo ask for a password and a code. Pure.

use super::sudo_phrases::{commands, people, scope};
use super::sudoers::{Place, Sudoers};

/// Users or commands for which sudo asks nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// The users and commands, as a phrase.
    who: String,
    /// The word in the rules.
    word: &'static str,
    /// True if a later line may ask these users.
    may_be_asked: bool,
    /// The line, if it is not built into sudo.
    pub(super) place: Option<Place>,
}

impl Exception {
    /// Returns it as a phrase of a list.
    pub(super) fn phrase(&self) -> String {
        let may = if self.may_be_asked { ", who may be asked" } else { "" };
        match &self.place {
            Some((file, line)) => format!("{}{may} ({}, {file}:{line})", self.who, self.word),
            None => format!("{}{may} ({})", self.who, self.word),
        }
    }

    /// Returns it as a sentence.
    pub(super) fn sentence(&self) -> String {
        let (word, who) = (self.word, &self.who);
        match self.may_be_asked {
            true => format!(
                "{word} may skip the password and the code, but a later line may ask: {who}"
            ),
            false => format!("{word} skips the password and the code: {who}"),
        }
    }
}

/// Reports whether sudo asks anybody for a password and a code.
pub(super) fn is_anybody_asked(sudoers: &Sudoers) -> bool {
    let is_off = sudoers.global("authenticate").is_some_and(|setting| setting.is_negated);
    // A later line may ask some users again.
    let asks_some = || !sudoers.in_force("authenticate", false).is_empty();
    (!is_off || asks_some()) && !sudoers.exempts_everybody()
}

/// Returns the exceptions. `built_in` is the group that is exempt without a rule.
pub(super) fn exceptions(sudoers: &Sudoers, built_in: Option<&str>) -> Vec<Exception> {
    let exempt = sudoers.exempt().into_iter().filter_map(|exempt| {
        let users = &exempt.users;
        // Root is never asked.
        if users.iter().all(|user| ["root", "#0"].contains(&user.as_str())) {
            return None;
        }
        let who = format!("{}{}", people(users), commands(&exempt.commands));
        let may_be_asked = exempt.may_be_asked;
        Some(Exception { who, word: "NOPASSWD", may_be_asked, place: Some(exempt.place) })
    });
    let settings =
        sudoers.in_force("authenticate", true).into_iter().map(|(_, setting)| Exception {
            who: scope(&sudoers.scope(setting)),
            word: "!authenticate",
            may_be_asked: false,
            place: Some(setting.place.clone()),
        });
    let group = sudoers.global("exempt_group");
    let group = match group {
        Some(setting) if setting.is_negated => None,
        Some(setting) => setting.value.as_deref().map(|group| (group, Some(setting.place.clone()))),
        None => built_in.map(|group| (group, None)),
    };
    let group = group.map(|(group, place)| Exception {
        who: format!("members of {group}"),
        word: "exempt_group",
        may_be_asked: false,
        place,
    });
    exempt.chain(settings).chain(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudoers(text: &str) -> Sudoers {
        Sudoers::of_text(text, "h")
    }

    #[test]
    fn the_users_who_are_not_asked_have_names() {
        for (text, expected) in [
            ("%wheel ALL=(ALL) NOPASSWD: ALL\n", &["members of wheel (NOPASSWD, /s:1)"][..]),
            ("root ALL=(ALL) NOPASSWD: ALL\n", &[]),
            (
                "ALL, !bob, #10, %#27, +ng ALL=NOPASSWD: /bin/a, /bin/b\n",
                &[
                    "everybody, not bob, uid 10, members of group 27, netgroup ng for /bin/a, /bin/b (NOPASSWD, /s:1)",
                ],
            ),
            (
                "User_Alias OPS = alice, %ops\nDefaults:OPS !authenticate\n",
                &["alice, members of ops (!authenticate, /s:2)"],
            ),
            ("Defaults!/bin/x !authenticate\n", &["users who run /bin/x (!authenticate, /s:1)"]),
            ("Defaults exempt_group = adm\n", &["members of adm (exempt_group, /s:1)"]),
            ("Defaults timestamp_timeout=-1\n", &[]),
            (
                "bob ALL=NOPASSWD: ALL\n%sudo ALL=(ALL) ALL\n",
                &["bob, who may be asked (NOPASSWD, /s:1)"],
            ),
        ] {
            let found: Vec<_> =
                exceptions(&sudoers(text), None).iter().map(Exception::phrase).collect();
            assert_eq!(found, expected, "{text}");
        }
        let built_in = exceptions(&sudoers(""), Some("sudo"));
        assert_eq!(built_in[0].phrase(), "members of sudo (exempt_group)");
        let off = sudoers("Defaults !exempt_group\n");
        assert_eq!(exceptions(&off, Some("sudo")), []);
    }

    #[test]
    fn a_setting_for_everybody_asks_nobody() {
        for (text, expected) in [
            ("Defaults env_reset\n", true),
            ("Defaults:alice !authenticate\n", true),
            ("Defaults@other !authenticate\n", true),
            ("Defaults !authenticate\n", false),
            ("Defaults@h !authenticate\n", false),
            ("Defaults !authenticate\nDefaults authenticate\n", true),
            ("Defaults !authenticate\nDefaults:bob authenticate\n", true),
            ("ALL ALL=(ALL) NOPASSWD: ALL\n", false),
            ("ALL ALL=(ALL) NOPASSWD: /bin/x\n", true),
            ("ALL, !bob ALL=(ALL) NOPASSWD: ALL\n", true),
            ("ALL ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n", true),
        ] {
            assert_eq!(is_anybody_asked(&sudoers(text)), expected, "{text}");
        }
    }
}
