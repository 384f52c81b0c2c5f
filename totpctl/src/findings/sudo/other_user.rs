//! Whose code sudo asks for instead of that of the caller (`rootpw`, `runaspw`, `targetpw`). Pure.

use super::phrases::scope;
use crate::findings::finding::{Finding, FindingId};
use crate::host::sudo::sudoers::{Place, Reach, Scope, Setting, Sudoers};

/// Callers who give sudo the code of another user.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct OtherUser {
    /// How many callers the setting is for.
    pub(super) reach: Reach,
    /// The callers, as a phrase.
    pub(super) callers: String,
    /// The callers that another line spares, each as a phrase.
    spared: Vec<String>,
    /// The users whose code it is.
    users: Vec<String>,
    /// True if it is the user that the caller becomes. `users` are then those that the rules name.
    is_target: bool,
    /// The setting.
    word: String,
    /// Its line.
    place: Place,
    /// The lines that define its aliases.
    aliases: Option<String>,
}

/// What comes of the code of another user.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// It is asked for.
    Code,
    /// It is not asked for, because this user has no factor.
    NoCode(String),
    /// Nobody gives it, because this user has no factor.
    Nobody(String),
}

/// Returns all such callers: those of the setting for everybody first.
pub(super) fn others(sudoers: &Sudoers) -> Vec<OtherUser> {
    // sudo looks at them in this order.
    let settings = ["rootpw", "runaspw", "targetpw"].map(|name| sudoers.in_force(name, false));
    let of = |wanted: Reach| {
        let all = settings.iter().map(move |found| {
            found.iter().filter(move |(reach, _)| *reach == wanted).map(|(_, setting)| *setting)
        });
        all.collect::<Vec<_>>()
    };
    let everybody = of(Reach::Everybody).into_iter().find_map(Iterator::last);
    let some = of(Reach::Some).into_iter().flatten();
    // Root is never asked.
    let asks = |setting: &&Setting| match sudoers.scope(setting) {
        Scope::Users(users) => users.iter().any(|user| !["root", "#0"].contains(&user.as_str())),
        _ => true,
    };
    let everybody =
        everybody.into_iter().map(|setting| OtherUser::new(sudoers, Reach::Everybody, setting));
    let some = some.filter(asks).map(|setting| OtherUser::new(sudoers, Reach::Some, setting));
    everybody.chain(some).collect()
}

impl OtherUser {
    fn new(sudoers: &Sudoers, reach: Reach, setting: &Setting) -> Self {
        let narrow = sudoers.in_force(&setting.name, true).into_iter();
        let narrow = narrow.filter(|(of, _)| *of == Reach::Some && reach == Reach::Everybody);
        let default = sudoers.global("runas_default").and_then(|setting| setting.value.clone());
        let default = default.unwrap_or_else(|| "root".to_owned());
        let users = match setting.name.as_str() {
            "rootpw" => vec!["root".to_owned()],
            "runaspw" => vec![default],
            _ => targets(&sudoers.scope(setting)).unwrap_or_else(|| vec![default]),
        };
        Self {
            reach,
            callers: match reach {
                Reach::Everybody => "everybody".to_owned(),
                _ => scope(&sudoers.scope(setting)),
            },
            spared: narrow.map(|(_, setting)| scope(&sudoers.scope(setting))).collect(),
            users,
            is_target: setting.name == "targetpw",
            word: setting.name.clone(),
            place: setting.place.clone(),
            aliases: sudoers.aliases_at(&setting.place),
        }
    }

    /// Returns what comes of it. `skips_unenrolled`: the stack lets users without a factor in.
    /// `is_enrolled` reports whether a user has a factor, if that is known.
    pub(super) fn effect(
        &self,
        skips_unenrolled: bool,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
    ) -> Effect {
        match (self.users.iter().find(|user| is_enrolled(user) == Some(false)), skips_unenrolled) {
            (None, _) => Effect::Code,
            (Some(user), true) => Effect::NoCode(user.clone()),
            (Some(user), false) => Effect::Nobody(user.clone()),
        }
    }

    /// Returns those who skip the code because `user` has no factor, as a phrase of a list.
    pub(super) fn skipping(&self, user: &str) -> String {
        let (file, line) = &self.place;
        format!("{} ({}: {user} has no factor, {file}:{line})", self.callers, self.word)
    }

    /// Returns why nobody gives the code, because `user` has no factor.
    pub(super) fn unanswerable(&self, user: &str) -> String {
        format!("{}: {user} has no factor{}", self.word, self.exceptions())
    }

    /// Returns the callers and whose code it is, as the name of a way in.
    pub(super) fn scope(&self) -> String {
        format!("{}: the code of {}", self.callers, self.name())
    }

    /// Returns the finding, and whether it is a problem.
    pub(super) fn finding(&self, effect: &Effect) -> (bool, Finding) {
        let (name, word) = (self.name(), &self.word);
        let spared = self.exceptions();
        let told = match self.reach {
            Reach::Everybody => format!(
                "sudo asks for the password and the code of {name}, not of the caller ({word}){spared}"
            ),
            _ => format!(
                "sudo asks {} for the password and the code of {name}, not of the caller ({word})",
                self.callers
            ),
        };
        let (is_problem, id, message, change) = match effect {
            Effect::Code => (false, FindingId::SudoAsksForOtherUser, told, None),
            Effect::NoCode(user) => {
                let message =
                    format!("{told}, and {user} has no factor, so they are not asked for a code");
                (true, FindingId::SudoSkipsCode, message, Some(user))
            }
            Effect::Nobody(user) if self.reach == Reach::Everybody => {
                let message = format!("{told}, and {user} has no factor, so nobody becomes {user}");
                (true, FindingId::SudoNobodyBecomesRoot, message, Some(user))
            }
            Effect::Nobody(user) => {
                let message = format!("{told}, and {user} has no factor, so they cannot use it");
                (true, FindingId::SudoAsksForOtherUser, message, Some(user))
            }
        };
        let mut finding = Finding::new(id, message).at(self.place.clone());
        if let Some(user) = change {
            finding = finding.fix(format!("run totpctl enroll {user}, or remove {word}"));
        }
        (is_problem, finding.depends_on(self.basis()))
    }

    /// Returns the callers that another line spares, as the end of a phrase.
    fn exceptions(&self) -> String {
        match self.spared.as_slice() {
            [] => String::new(),
            some => format!(", except {}", some.join(" and ")),
        }
    }

    fn name(&self) -> String {
        match (self.is_target, self.reach) {
            (true, Reach::Everybody) => "the target user".to_owned(),
            _ => self.users.join(" and "),
        }
    }

    /// Returns what an acceptance depends on besides the line. Another line may name the user.
    fn basis(&self) -> Option<String> {
        match self.reach {
            Reach::Everybody if self.is_target => None,
            Reach::Everybody => Some(self.users.join(" ")),
            _ => self.aliases.clone(),
        }
    }
}

/// Returns the users that a scope names as targets, if it names users alone.
fn targets(scope: &Scope) -> Option<Vec<String>> {
    let Scope::Targets(names) = scope else { return None };
    let is_user = |name: &String| name != "ALL" && !name.starts_with(['!', '%', '+', '#']);
    names.iter().all(is_user).then(|| names.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<OtherUser> {
        others(&Sudoers::of_text(text, "web"))
    }

    #[test]
    fn the_callers_and_the_user_are_named() {
        for (text, expected) in [
            ("Defaults env_reset\n", &[][..]),
            ("Defaults targetpw\n", &["everybody: the code of the target user"]),
            ("Defaults targetpw\nDefaults !targetpw\n", &[]),
            ("Defaults targetpw, rootpw\n", &["everybody: the code of root"]),
            ("Defaults runaspw, runas_default=oper\n", &["everybody: the code of oper"]),
            ("Defaults:alice rootpw\n", &["alice: the code of root"]),
            ("Defaults:root rootpw\n", &[]),
            ("Defaults@web rootpw\n", &["everybody: the code of root"]),
            ("Defaults@db rootpw\n", &[]),
            ("Defaults>oper targetpw\n", &["users who become oper: the code of oper"]),
            ("Defaults>%ops targetpw\n", &["users who become members of ops: the code of root"]),
            ("Defaults!/bin/a runaspw\n", &["users who run /bin/a: the code of root"]),
            (
                "Cmnd_Alias RUN = /bin/a, /bin/b\nDefaults!RUN rootpw\n",
                &["users who run /bin/a, /bin/b: the code of root"],
            ),
            (
                "Defaults:bob targetpw\nDefaults rootpw\n",
                &["everybody: the code of root", "bob: the code of root"],
            ),
            ("Defaults:bob targetpw\nDefaults:bob !targetpw\n", &[]),
        ] {
            let scopes: Vec<_> = found(text).iter().map(OtherUser::scope).collect();
            assert_eq!(scopes, expected, "{text}");
        }
    }

    #[test]
    fn a_user_without_a_factor_opens_or_closes_the_way() {
        let [other] = &found("Defaults:alice rootpw\n")[..] else { panic!() };
        for (is_enrolled, skips, expected, id, is_problem) in [
            (Some(true), false, Effect::Code, "sudo-asks-for-other-user", false),
            (None, true, Effect::Code, "sudo-asks-for-other-user", false),
            (Some(false), true, Effect::NoCode("root".into()), "sudo-skips-code", true),
            (Some(false), false, Effect::Nobody("root".into()), "sudo-asks-for-other-user", true),
        ] {
            let effect = other.effect(skips, &|_| is_enrolled);
            assert_eq!(effect, expected);
            let (problem, finding) = other.finding(&effect);
            assert_eq!((finding.id().token(), problem), (id, is_problem));
            assert!(finding.sentence().starts_with("/s:1: sudo asks alice for"), "{finding:?}");
        }
        assert_eq!(other.skipping("root"), "alice (rootpw: root has no factor, /s:1)");
    }

    #[test]
    fn who_is_spared_is_said() {
        let text = "Defaults rootpw\nDefaults:bob !rootpw\n";
        let (_, finding) = found(text)[0].finding(&Effect::Code);
        assert!(finding.message().ends_with("(rootpw), except bob"), "{finding:?}");
    }
}
