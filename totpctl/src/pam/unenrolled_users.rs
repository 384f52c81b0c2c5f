//! What a stack does with users who have no factor.

use pam_stack::parse::Kind;
use pam_stack::password::is_password;
use pam_stack::{Analysis, Rule, RuleKind, Stack, analyze};

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
    pub(crate) fn from_rules(rules: &[Rule], analysis: &Analysis) -> Self {
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

/// The users that `nullok` does not help, because no other line accepts them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UselessFor {
    /// All users without a factor.
    Everybody,
    /// Root without a factor. Other users get in.
    Root,
}

/// A stack, and what it does with users who have no factor.
pub(crate) struct Outcome {
    pub(crate) unenrolled: Unenrolled,
    /// The users that no other line accepts although a line has `nullok`, if so. With `enroll` such
    /// a user is not skipped.
    pub(crate) nullok_is_useless: Option<UselessFor>,
    /// True if a known module checks a password.
    pub(crate) has_password: bool,
    /// True if a user without a factor gets in although nothing proves who it is.
    pub(crate) skips_strangers: bool,
}

impl Outcome {
    /// Explores the stack of a service; `None` if libpam cannot read it. `read` returns the text of
    /// a file of PAM, `exists` reports whether a module is installed.
    pub(crate) fn from_service(
        service: &str,
        read: &dyn Fn(&str) -> Option<String>,
        exists: &dyn Fn(&str) -> bool,
    ) -> Option<Self> {
        let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, read) else { return None };
        Some(Self::from_rules(&rules, &analyze(&rules, exists)))
    }

    /// Returns what a stack with these rules does.
    pub(crate) fn from_rules(rules: &[Rule], analysis: &Analysis) -> Self {
        let unenrolled = Unenrolled::from_rules(rules, analysis);
        // PAM_IGNORE of the only line that would accept is a denial.
        let nullok_is_useless = match unenrolled {
            _ if !has_option(rules, "nullok") || !analysis.can_succeed => None,
            Unenrolled::Denied => Some(UselessFor::Everybody),
            Unenrolled::Skipped if analysis.denies_unenrolled_root => Some(UselessFor::Root),
            _ => None,
        };
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
        let jump = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
                    auth required pam_totp.so nullok\n";
        let (everybody, root) = (Some(UselessFor::Everybody), Some(UselessFor::Root));
        let user_type = "auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
                         auth optional pam_env.so\n";
        for (text, expected, is_useless) in [
            // A jump counts for nothing, and neither does a module that only ignores.
            (jump, Unenrolled::Denied, everybody),
            (&*format!("auth required pam_env.so\n{jump}"), Unenrolled::Denied, everybody),
            (&*format!("auth requisite pam_nologin.so\n{jump}"), Unenrolled::Denied, everybody),
            (&*format!("{user_type}{jump}"), Unenrolled::Skipped, root),
            (
                &*format!("{user_type}{jump}auth required pam_permit.so\n"),
                Unenrolled::Skipped,
                None,
            ),
            (
                &*format!("auth sufficient pam_rootok.so\n{user_type}{jump}"),
                Unenrolled::Skipped,
                None,
            ),
            (&*format!("auth required pam_faillock.so preauth\n{jump}"), Unenrolled::Skipped, None),
            ("auth required pam_unix.so\n", Unenrolled::NotAsked, None),
            ("auth required pam_unix.so\nauth required pam_totp.so\n", Unenrolled::Denied, None),
            (
                "auth required pam_unix.so\nauth required pam_totp.so nullok\n",
                Unenrolled::Skipped,
                None,
            ),
            (
                "auth requisite pam_unix.so\nauth required pam_totp.so enroll\n",
                Unenrolled::Enrolls,
                None,
            ),
            ("auth required pam_totp.so nullok\n", Unenrolled::Denied, everybody),
            // The user is not skipped, but creates a factor.
            ("auth required pam_totp.so nullok enroll\n", Unenrolled::Enrolls, None),
            (
                "auth required pam_totp.so nullok\nauth required pam_permit.so\n",
                Unenrolled::Skipped,
                None,
            ),
        ] {
            let Stack::Rules(rules) =
                Stack::parse("x", Kind::Auth, &|name| (name == "x").then(|| text.to_owned()))
            else {
                panic!("{text}")
            };
            let analysis = analyze(&rules, &|_| true);
            let outcome = Outcome::from_rules(&rules, &analysis);
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
