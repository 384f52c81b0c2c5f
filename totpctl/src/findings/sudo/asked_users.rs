//! Which users the rules of sudo ask for a password and a code. Pure.

use super::phrases::{commands, people, scope};
use crate::host::sudo::sudoers::{Place, Reach, Scope, Sudoers};

/// Users or commands for which sudo asks nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// The users and commands, as a phrase.
    who: String,
    /// The word in the rules.
    word: &'static str,
    /// True if it is for all commands.
    pub(super) is_for_all: bool,
    /// True if a later line may ask these users.
    may_be_asked: bool,
    /// All that a line exempts, if other lines may change it.
    extent: Option<String>,
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

    /// Returns what an acceptance depends on besides the line. `aliases` are the lines of aliases.
    pub(super) fn basis(&self, aliases: Option<String>) -> Option<String> {
        let parts: Vec<_> = aliases.into_iter().chain(self.extent.clone()).collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
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
    let asks_some =
        || !sudoers.in_force("authenticate", false).is_empty() || sudoers.turns_password_on();
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
        let is_for_all = commands(&exempt.commands).is_empty();
        let (extent, place) = (Some(exempt.extent), Some(exempt.place));
        Some(Exception { who, word: "NOPASSWD", is_for_all, may_be_asked, extent, place })
    });
    let settings =
        sudoers.in_force("authenticate", true).into_iter().map(|(_, setting)| Exception {
            who: scope(&sudoers.scope(setting)),
            word: "!authenticate",
            is_for_all: !matches!(sudoers.scope(setting), Scope::Commands(_)),
            may_be_asked: false,
            extent: None,
            place: Some(setting.place.clone()),
        });
    let group = sudoers.global("exempt_group");
    let group = match group {
        Some(setting) if setting.is_negated => None,
        Some(setting) => setting.value.as_deref().map(|group| (group, Some(setting.place.clone()))),
        None => built_in.map(|group| (group, None)),
    };
    let group = group.map(|(group, place)| (format!("members of {group}"), place));
    let groups = sudoers.in_force_if("exempt_group", &|setting| !setting.is_negated);
    let groups = groups.into_iter().filter(|(reach, _)| *reach == Reach::Some);
    let groups = groups.filter_map(|(_, setting)| {
        let group = setting.value.as_deref()?;
        let who = format!("members of {group} among {}", scope(&sudoers.scope(setting)));
        Some((who, Some(setting.place.clone())))
    });
    let groups = group.into_iter().chain(groups).map(|(who, place)| Exception {
        who,
        word: "exempt_group",
        is_for_all: true,
        may_be_asked: false,
        extent: None,
        place,
    });
    exempt.chain(settings).chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::accounts;
    use crate::host::sudo::sudoers::Callers;

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
        for (text, expected) in [
            ("bob ALL=NOPASSWD: ALL\n", true),
            ("bob ALL=NOPASSWD: /bin/a\n", false),
            ("Defaults:bob !authenticate\n", true),
            ("Defaults!/bin/x !authenticate\n", false),
            ("Defaults exempt_group = adm\n", true),
        ] {
            assert_eq!(exceptions(&sudoers(text), None)[0].is_for_all, expected, "{text}");
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
            ("Defaults!ALL !authenticate\nDefaults authenticate\n", false),
            ("Defaults>ALL !authenticate\nDefaults authenticate\n", false),
            ("Defaults!ALL !authenticate\nDefaults>ALL authenticate\n", false),
            ("Defaults@h !authenticate\nDefaults@h.other.example authenticate\n", true),
            ("Defaults !authenticate\nbob ALL=(ALL) PASSWD: ALL\n", true),
            ("Defaults !authenticate\nbob ALL=(ALL) PASSWD: ALL\nbob ALL=(ALL) ALL\n", false),
            ("Defaults !authenticate\nbob db=(ALL) PASSWD: ALL\n", false),
            // A negated alias allows the members that it negates.
            (
                "Cmnd_Alias NOID = ALL, !/usr/bin/id\nDefaults !authenticate\nbob ALL=(ALL) PASSWD: !NOID\n",
                true,
            ),
            (
                "Cmnd_Alias ID = /usr/bin/id\nDefaults !authenticate\nbob ALL=(ALL) PASSWD: !ID\n",
                false,
            ),
            // A line that allows nothing changes nothing.
            (
                "Defaults !authenticate\nbob ALL=(ALL) PASSWD: ALL\nbob ALL=(ALL) NOPASSWD: !/usr/bin/id\n",
                true,
            ),
            (
                "Cmnd_Alias ID = /usr/bin/id\nDefaults !authenticate\nbob ALL=(ALL) PASSWD: ALL\n\
                 bob ALL=(ALL) NOPASSWD: !ID\n",
                true,
            ),
            ("ALL ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) !/usr/bin/id\n", false),
        ] {
            assert_eq!(is_anybody_asked(&sudoers(text)), expected, "{text}");
        }
    }

    /// Each of these lets bob in without a password on the host h.
    #[test]
    fn what_is_not_certain_is_an_exception() {
        let passwd = "bob:x:1002:1002::/home/bob:/bin/sh\n";
        let accounts = accounts::parse(passwd, "bob:x:1002:\n");
        let free = "bob ALL=(ALL) NOPASSWD: ALL\n";
        for (rules, expected) in [
            (free, "bob"),
            // A later line that is not for bob.
            ("FREE ALL, !BOB ALL=(ALL) ALL", "bob, who may be asked"),
            ("FREE ALL, !%BOB ALL=(ALL) ALL", "bob, who may be asked"),
            ("FREE !bob, ALL, !bob ALL=(ALL) ALL", "bob"),
            (
                "User_Alias STAFF = alice, bob\nUser_Alias REST = ALL, !STAFF\n\
                 FREE !STAFF, REST ALL=(ALL) ALL",
                "bob",
            ),
            ("FREE bob !h, ALL, !h=(ALL) ALL", "bob"),
            ("FREE bob *.example.org=(ALL) ALL", "bob, who may be asked"),
            ("FREE bob h.other.example=(ALL) ALL", "bob, who may be asked"),
            ("FREE bob ALL,! h=(ALL) ALL", "bob"),
            ("Host_Alias HERE = ALL, ! h\nFREE bob HERE=(ALL) ALL", "bob"),
            ("FREE bob ALL,!h[a]=(ALL) ALL", "bob, who may be asked"),
            ("FREE ALL, !\\x62ob ALL=(ALL) ALL", "bob, who may be asked"),
            ("User_Alias BOB = eve\nFREE ALL, !\"BOB\" ALL=(ALL) ALL", "bob, who may be asked"),
            ("FREE \"ALL\" ALL=(ALL) ALL", "bob, who may be asked"),
            (
                "Cmnd_Alias D = sha224:00 /usr/bin/id\nbob ALL=(ALL) NOPASSWD: /usr/bin/id\n\
                 bob ALL=(ALL) PASSWD: D",
                "bob for /usr/bin/id",
            ),
            ("Cmnd_Alias D = sha224:00 ALL\nFREE bob ALL=(ALL) PASSWD: D", "bob"),
            ("FREE bob ALL=(ALL) /bin/echo \" # x, ALL", "bob"),
            // Lines that exempt bob.
            ("bob h[a-z]=(ALL) NOPASSWD: ALL", "bob"),
            ("bob *.example.org=(ALL) NOPASSWD: ALL", "bob"),
            ("Defaults@[h] !authenticate", "everybody on [h]"),
            ("Defaults:bob !authenticate\nDefaults@h.other.example authenticate", "bob"),
            ("bob ALL=(root) /bin/echo \", NOPASSWD: /usr/bin/id", "bob for /usr/bin/id"),
            ("bob ALL=(root) /bin/grep \", NOPASSWD: ALL", "bob"),
            (
                "bob ALL=(root) /bin/echo \"x : ALL=(root) NOPASSWD: /usr/bin/id",
                "bob for /usr/bin/id",
            ),
            ("bob ALL=(root) NOPASSWD: !!/usr/bin/id", "bob for /usr/bin/id"),
            (
                "Cmnd_Alias NOID = !/usr/bin/id\nbob ALL=(root) NOPASSWD: !NOID",
                "bob for /usr/bin/id",
            ),
            (
                "Cmnd_Alias NOID = ALL, !/usr/bin/id\nbob ALL=(root) NOPASSWD: !NOID",
                "bob for /usr/bin/id",
            ),
            ("%:ops ALL=(ALL) NOPASSWD: ALL", "members of ops"),
            ("Defaults:bob exempt_group=bob", "members of bob among bob"),
            ("Defaults!/bin/a exempt_group=bob", "members of bob among users who run /bin/a"),
            ("Defaults!ALL !authenticate\nDefaults authenticate", "users who run ALL"),
        ] {
            let callers = Callers { accounts: accounts.clone(), has_all_groups: true };
            let rules = sudoers(&rules.replace("FREE ", free)).with_callers(callers);
            let found: Vec<_> = exceptions(&rules, None).iter().map(Exception::phrase).collect();
            let phrases: Vec<_> = found.iter().map(|found| found.split(" (").next()).collect();
            assert_eq!(phrases, [Some(expected)], "{rules:?}");
        }
    }
}
