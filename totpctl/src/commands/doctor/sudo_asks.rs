//! Which users the rules of sudo ask for a password and a code. Pure.

use super::sudoers::{Place, Setting, Sudoers};

/// Whose password and code sudo asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// That of the user who runs sudo.
    Caller,
    /// None: `!authenticate` for all.
    Nobody(Place),
    /// That of another user.
    Other {
        /// The user; `None` for the target of each command.
        user: Option<String>,
        /// The setting.
        word: String,
        /// Its line.
        place: Place,
    },
}

/// Users or commands for which sudo asks nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// The users and commands, as a phrase.
    who: String,
    /// The word in the rules.
    word: &'static str,
    /// The line, if it is not built into sudo.
    pub(super) place: Option<Place>,
}

impl Exception {
    /// Returns it as a phrase of a list.
    pub(super) fn phrase(&self) -> String {
        match &self.place {
            Some((file, line)) => format!("{} ({}, {file}:{line})", self.who, self.word),
            None => format!("{} ({})", self.who, self.word),
        }
    }

    /// Returns it as a sentence.
    pub(super) fn sentence(&self) -> String {
        format!("{} skips the password and the code: {}", self.word, self.who)
    }
}

/// Returns whose password and code sudo asks for, if no narrower setting says otherwise.
pub(super) fn asked(sudoers: &Sudoers) -> Asked {
    let is_on = |name: &str| sudoers.global(name).filter(|setting| !setting.is_negated);
    if let Some(setting) = sudoers.global("authenticate").filter(|setting| setting.is_negated) {
        return Asked::Nobody(setting.place.clone());
    }
    let target = sudoers.global("runas_default").and_then(|setting| setting.value.clone());
    let target = target.unwrap_or_else(|| "root".to_owned());
    let other = |setting: &Setting, user| Asked::Other {
        user,
        word: setting.name.clone(),
        place: setting.place.clone(),
    };
    // sudo looks at them in this order.
    if let Some(setting) = is_on("rootpw") {
        return other(setting, Some("root".to_owned()));
    }
    if let Some(setting) = is_on("runaspw") {
        return other(setting, Some(target));
    }
    is_on("targetpw").map_or(Asked::Caller, |setting| other(setting, None))
}

/// Returns the users whose sudo asks for the code of another user, with the setting.
pub(super) fn asked_of_some(sudoers: &Sudoers) -> impl Iterator<Item = (String, &Setting)> {
    let settings = ["rootpw", "runaspw", "targetpw"].into_iter();
    let settings = settings.flat_map(|name| sudoers.scoped(name));
    settings
        .filter(|setting| !setting.is_negated)
        .map(|setting| (scope(sudoers, setting.scope.as_deref()), setting))
}

/// Returns the exceptions. `built_in` is the group that is exempt without a rule.
pub(super) fn exceptions(sudoers: &Sudoers, built_in: Option<&str>) -> Vec<Exception> {
    let exempt = sudoers.exempt.iter().filter_map(|exempt| {
        let users = sudoers.members(&exempt.users);
        // Root is never asked.
        if users.iter().all(|user| ["root", "#0"].contains(&user.as_str())) {
            return None;
        }
        let who = format!("{}{}", people(&users), commands(&exempt.commands));
        Some(Exception { who, word: "NOPASSWD", place: Some(exempt.place.clone()) })
    });
    let settings = sudoers
        .settings
        .iter()
        .filter(|setting| setting.name == "authenticate" && setting.is_negated);
    let settings = settings.map(|setting| Exception {
        who: scope(sudoers, setting.scope.as_deref()),
        word: "!authenticate",
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
        place,
    });
    exempt.chain(settings).chain(group).collect()
}

/// Returns the users of the scope of a setting as a phrase.
fn scope(sudoers: &Sudoers, scope: Option<&str>) -> String {
    let Some(scope) = scope else { return "everybody".to_owned() };
    let names = |list: &str| list.split(',').map(ToOwned::to_owned).collect::<Vec<_>>();
    match scope.split_at_checked(1) {
        Some((":", list)) => people(&sudoers.members(&names(list))),
        Some(("!", list)) => format!("users who run {list}"),
        Some((">", list)) => format!("users who become {}", people(&names(list))),
        Some(("@", list)) => format!("everybody on {list}"),
        _ => format!("Defaults{scope}"),
    }
}

/// Returns users and groups as a phrase.
fn people(users: &[String]) -> String {
    let phrases: Vec<_> = users.iter().map(|user| person(user)).collect();
    match phrases.split_at_checked(MAX_NAMED) {
        Some((named, others)) if !others.is_empty() => {
            format!("{} and {} more", named.join(", "), others.len())
        }
        _ => phrases.join(", "),
    }
}

fn person(user: &str) -> String {
    if let Some(excluded) = user.strip_prefix('!') {
        return format!("not {}", person(excluded));
    }
    match user.split_at_checked(1) {
        _ if user == "ALL" => "everybody".to_owned(),
        _ if user.starts_with("%#") => {
            format!("members of group {}", user.trim_start_matches("%#"))
        }
        Some(("%", group)) => format!("members of {}", group.trim_start_matches(':')),
        Some(("+", netgroup)) => format!("netgroup {netgroup}"),
        Some(("#", uid)) => format!("uid {uid}"),
        _ => user.to_owned(),
    }
}

/// Returns commands as the end of a phrase; empty for all.
fn commands(commands: &[String]) -> String {
    if commands.iter().any(|command| command == "ALL") {
        return String::new();
    }
    let named: Vec<_> = commands.iter().take(MAX_NAMED).map(String::as_str).collect();
    let others = commands.len() - named.len();
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    format!(" for {}{more}", named.join(", "))
}

/// A finding stays readable.
const MAX_NAMED: usize = 5;

#[cfg(test)]
mod tests {
    use super::super::sudoers::Files;
    use super::*;

    fn sudoers(text: &str) -> Sudoers {
        let read = |_: &str| Ok(text.to_owned());
        Sudoers::read("/s", &Files { read: &read, list: &|_| Vec::new(), host: "h" })
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
    fn the_user_whose_code_is_asked_for() {
        let other = |user: Option<&str>, word: &str| Asked::Other {
            user: user.map(ToOwned::to_owned),
            word: word.to_owned(),
            place: ("/s".to_owned(), 1),
        };
        for (text, expected) in [
            ("Defaults env_reset\n", Asked::Caller),
            ("Defaults targetpw\n", other(None, "targetpw")),
            ("Defaults targetpw\nDefaults !targetpw\n", Asked::Caller),
            ("Defaults targetpw, rootpw\n", other(Some("root"), "rootpw")),
            ("Defaults runaspw, runas_default=oper\n", other(Some("oper"), "runaspw")),
            ("Defaults:alice targetpw\n", Asked::Caller),
            ("Defaults !authenticate\n", Asked::Nobody(("/s".to_owned(), 1))),
        ] {
            assert_eq!(asked(&sudoers(text)), expected, "{text}");
        }
    }
}
