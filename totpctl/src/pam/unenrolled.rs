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

    /// Returns the option of the module that makes the exception, if there is one.
    pub(crate) fn option(self) -> Option<&'static str> {
        match self {
            Self::Skipped => Some("nullok"),
            Self::Enrolls => Some("enroll"),
            Self::NotAsked | Self::Denied => None,
        }
    }

    /// Reports whether such a user can log in.
    pub(crate) fn can_log_in(self) -> bool {
        self != Self::Denied
    }
}

/// A stack, and what it does with users who have no factor.
pub(crate) struct Outcome {
    pub(crate) unenrolled: Unenrolled,
    /// True if a line has `nullok`, and no other line accepts a user that it skips. With `enroll`
    /// such a user is not skipped.
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
        Some(Self::of_rules(&rules, &analyze(&rules, &is_installed)))
    }

    /// Returns what a stack with these rules does.
    pub(crate) fn of_rules(rules: &[Rule], analysis: &Analysis) -> Self {
        let unenrolled = Unenrolled::of(rules, analysis);
        // PAM_IGNORE of the only line that would accept is a denial.
        let nullok_is_useless =
            has_option(rules, "nullok") && unenrolled == Unenrolled::Denied && analysis.can_succeed;
        Self {
            unenrolled,
            nullok_is_useless,
            has_password: rules.iter().any(is_password),
            skips_strangers: analysis.skips_strangers,
        }
    }

    /// Reports whether something besides the code proves who the user is, if that is known.
    /// `requires_other_method`: whether the program requires a key or the like before PAM.
    pub(crate) fn is_proved(&self, requires_other_method: Option<bool>) -> Option<bool> {
        if self.has_password { Some(true) } else { requires_other_method }
    }
}

/// Reports whether a line of the second factor has this option.
pub(crate) fn has_option(rules: &[Rule], option: &str) -> bool {
    options(rules).any(|other| other == option)
}

/// Returns the options of the lines of the second factor.
pub(crate) fn options(rules: &[Rule]) -> impl Iterator<Item = &str> {
    let lines = rules.iter().filter(|rule| rule.is_factor());
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
            // The user is not skipped, but creates a factor.
            ("auth required pam_totp.so nullok enroll\n", Unenrolled::Enrolls, false),
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
            let outcome = Outcome::of_rules(&rules, &analysis);
            assert_eq!(outcome.unenrolled, expected, "{text}");
            assert_eq!(outcome.nullok_is_useless, is_useless, "{text}");
            let has_password = text.contains("pam_unix");
            for known in [None, Some(false), Some(true)] {
                let is_proved = if has_password { Some(true) } else { known };
                assert_eq!(outcome.is_proved(known), is_proved, "{text}");
            }
        }
    }
}
