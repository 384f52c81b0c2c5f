//! The users and groups as which a command runs.

use super::words::{BLANKS, Words, is_doubtful};

/// The users and groups behind `-u` and `-g`, as the line names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Targets {
    /// The users.
    users: Vec<String>,
    /// The groups.
    groups: Vec<String>,
}

impl Targets {
    /// Reads the text between the brackets: `USERS:GROUPS`.
    pub(super) fn parse(text: &str) -> Self {
        let (users, groups) = text.split_once(':').unwrap_or((text, ""));
        let names = |text: &str| match text.trim_matches(BLANKS) {
            "" => Vec::new(),
            list => Words(list).list(),
        };
        let (mut users, groups) = (names(users), names(groups));
        if users.is_empty() {
            users.push(CALLER.to_owned());
        }
        Self { users, groups }
    }

    /// Returns them as a text, with `default` as the default user.
    pub(super) fn text(&self, default: &str) -> String {
        let user = |name: &String| if name == DEFAULT { default } else { name }.to_owned();
        let users: Vec<_> = self.users.iter().map(user).collect();
        format!("{}:{}", users.join(","), self.groups.join(","))
    }

    /// Reports whether these are all of `other`, as far as the names tell.
    pub(super) fn include(&self, other: &Self) -> bool {
        let (users, groups) = (&self.users, &self.groups);
        self == other || (has_all(users, &other.users) && has_all(groups, &other.groups))
    }
}

impl Default for Targets {
    fn default() -> Self {
        Self { users: vec![DEFAULT.to_owned()], groups: Vec::new() }
    }
}

fn has_all(names: &[String], others: &[String]) -> bool {
    let is_plain = !names.iter().any(|name| name.starts_with('!'));
    let is_same = |name: &String, other: &String| name == other && !is_doubtful(name);
    let has = |other: &String| names.iter().any(|name| name == "ALL" || is_same(name, other));
    is_plain && others.iter().all(has)
}

/// The user without a list: root, unless `runas_default` names another.
const DEFAULT: &str = "default user";
/// The user of an empty list: the caller.
const CALLER: &str = "caller";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_all_users_includes_others_of_the_same_groups() {
        for (one, other, expected) in [
            (Some("ALL"), Some("root"), true),
            (Some("ALL"), None, true),
            (Some("ALL"), Some("ALL:ALL"), false),
            (Some("ALL:ALL"), Some("ALL"), true),
            (Some("ALL : ALL"), Some("www:adm"), true),
            (Some("root, www"), Some("www"), true),
            (Some("www"), Some("root"), false),
            (Some("root"), None, false),
            (None, None, true),
            (None, Some("root"), false),
            (Some("ALL, !root"), Some("root"), false),
            (Some(""), Some("root"), false),
        ] {
            let targets = |text: Option<&str>| text.map(Targets::parse).unwrap_or_default();
            assert_eq!(targets(one).include(&targets(other)), expected, "{one:?} {other:?}");
        }
    }
}
