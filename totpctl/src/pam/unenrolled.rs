//! What a stack does with users who have no factor.

use pam_stack::parse::Kind;
use pam_stack::password::is_password;
use pam_stack::{Analysis, Rule, RuleKind, Stack, analyze};

use super::files::is_installed;

/// What a service does with a user who has no factor, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Unenrolled {
    /// It asks nobody for a code.
    NotAsked,
    /// It does not ask such a user (option `nullok`).
    Skipped,
    /// It has such a user create a factor (option `enroll`).
    Enrolls,
    /// It denies such a user.
    Denied,
}

impl Unenrolled {
    /// Returns what a stack does.
    pub(crate) fn of(rules: &[Rule], analysis: &Analysis) -> Self {
        if analysis.factor_lines.is_empty() {
            Self::NotAsked
        } else if has_option(rules, "enroll") {
            Self::Enrolls
        } else if analysis.skips_unenrolled {
            Self::Skipped
        } else {
            Self::Denied
        }
    }

    /// Returns the one of several that lets the fewest users in.
    pub(crate) fn strictest(all: impl Iterator<Item = Self>) -> Self {
        all.max().unwrap_or(Self::NotAsked)
    }

    /// Reports whether such a user can log in.
    pub(crate) fn can_log_in(self) -> bool {
        self != Self::Denied
    }
}

/// A stack, and what it does with users who have no factor.
pub(crate) struct Outcome {
    pub(crate) unenrolled: Unenrolled,
    /// True if a line has `nullok`, and no other line accepts a user that it skips.
    pub(crate) nullok_is_useless: bool,
    /// True if a known module checks a password.
    pub(crate) has_password: bool,
    /// True if a user without a factor gets in although nothing proves who it is.
    pub(crate) skips_strangers: bool,
}

impl Outcome {
    /// Explores the stack of a service; `None` if libpam cannot read it. `read` returns the text of
    /// a file of PAM.
    pub(crate) fn of(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, read) else { return None };
        let analysis = analyze(&rules, &is_installed);
        Some(Self {
            unenrolled: Unenrolled::of(&rules, &analysis),
            nullok_is_useless: nullok_is_useless(&rules, &analysis),
            has_password: rules.iter().any(is_password),
            skips_strangers: analysis.skips_strangers,
        })
    }
}

/// Reports whether `nullok` has no effect: PAM_IGNORE of the only line that would accept is a
/// denial.
pub(crate) fn nullok_is_useless(rules: &[Rule], analysis: &Analysis) -> bool {
    has_option(rules, "nullok") && analysis.can_succeed && !analysis.skips_unenrolled
}

/// Reports whether a line of the second factor has this option.
pub(crate) fn has_option(rules: &[Rule], option: &str) -> bool {
    options(rules).any(|other| other == option)
}

/// Returns the options of the lines of the second factor.
pub(crate) fn options(rules: &[Rule]) -> impl Iterator<Item = &str> {
    let lines = rules.iter().filter(|rule| rule.module() == "pam_totp");
    lines
        .flat_map(|rule| match &rule.kind {
            RuleKind::Module { args, .. } => args.as_slice(),
            _ => &[],
        })
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_decides_about_users_without_a_factor() {
        for (text, expected, is_useless) in [
            ("auth required pam_unix.so\n", Unenrolled::NotAsked, false),
            ("auth required pam_unix.so\nauth required pam_totp.so\n", Unenrolled::Denied, false),
            (
                "auth required pam_unix.so\nauth required pam_totp.so nullok\n",
                Unenrolled::Skipped,
                false,
            ),
            (
                "auth requisite pam_unix.so\nauth required pam_totp.so enroll\n",
                Unenrolled::Enrolls,
                false,
            ),
            ("auth required pam_totp.so nullok\n", Unenrolled::Denied, true),
            (
                "auth required pam_totp.so nullok\nauth required pam_permit.so\n",
                Unenrolled::Skipped,
                false,
            ),
        ] {
            let Stack::Rules(rules) =
                Stack::parse("x", Kind::Auth, &|name| (name == "x").then(|| text.to_owned()))
            else {
                panic!("{text}")
            };
            let analysis = analyze(&rules, &|_| true);
            assert_eq!(Unenrolled::of(&rules, &analysis), expected, "{text}");
            assert_eq!(nullok_is_useless(&rules, &analysis), is_useless, "{text}");
        }
    }
}
