//! Names of users and services, as rules write them.

use alloc::boxed::Box;
use core::fmt;

use crate::user_name::UserName;

/// One user, or with `*` at the end all whose name begins so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserPattern(Pattern);

/// One PAM service, or with `*` at the end all whose name begins so. `sudo` is `sudo-i` too, and
/// `su` is `su-l`, because a program uses both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServicePattern(Pattern);

/// The reason why a text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidPattern {
    /// No user or service can have such a name.
    Name,
    /// A `*` stands before the end.
    Star,
    /// A service has an upper-case letter. libpam has their names in lower case.
    UpperCase,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Pattern {
    Exact(Box<str>),
    Prefix(Box<str>),
}

impl UserPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`] if no user can fit.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        Pattern::parse(text, |name| UserName::parse(name).is_some()).map(Self)
    }

    /// Returns the name, if the pattern is one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        self.0.exact()
    }

    /// Reports whether the user of this name, as NSS spells it, fits.
    #[must_use]
    pub fn fits(&self, user: &str) -> bool {
        self.0.fits(user)
    }

    /// Reports whether every user that fits `other` fits.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }
}

impl ServicePattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`] if no service can fit.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidPattern::UpperCase);
        }
        let is_name = |name: &str| {
            name.len() <= MAX_SERVICE_BYTES
                && !name.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/')
        };
        Pattern::parse(text, is_name).map(Self)
    }

    /// Returns the name, if the pattern is one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        self.0.exact()
    }

    /// Reports whether the service fits.
    #[must_use]
    pub fn fits(&self, service: &str) -> bool {
        let is_twin = |exact: &str| TWINS.contains(&(exact, service));
        self.0.fits(service) || matches!(&self.0, Pattern::Exact(exact) if is_twin(exact))
    }

    /// Reports whether every service that fits `other` fits.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0) || matches!(&other.0, Pattern::Exact(exact) if self.fits(exact))
    }
}

impl Pattern {
    fn parse(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Self, InvalidPattern> {
        let (name, pattern): (_, fn(Box<str>) -> Self) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, Self::Prefix),
            None => (text, Self::Exact),
        };
        if name.contains('*') {
            return Err(InvalidPattern::Star);
        }
        // "*" alone fits all.
        let is_valid = if name.is_empty() { name.len() < text.len() } else { is_name(name) };
        is_valid.then(|| pattern(name.into())).ok_or(InvalidPattern::Name)
    }

    fn exact(&self) -> Option<&str> {
        match self {
            Self::Exact(name) => Some(name),
            Self::Prefix(_) => None,
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(exact)) => self.fits(exact),
            (Self::Prefix(wide), Self::Prefix(narrow)) => narrow.starts_with(&**wide),
            (Self::Exact(_), Self::Prefix(_)) => false,
        }
    }
}

/// Writes the pattern as a rule has it.
impl fmt::Display for UserPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Writes the pattern as a rule has it.
impl fmt::Display for ServicePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "nobody can have that name",
            Self::Star => "write \"*\" only at the end of a name",
            Self::UpperCase => "write it in lower case, as PAM does",
        })
    }
}

/// The services of one program, which behave alike but for the environment.
const TWINS: [(&str, &str); 2] = [("su", "su-l"), ("sudo", "sudo-i")];
/// A service is the name of a file.
const MAX_SERVICE_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Result<(), InvalidPattern> = Ok(());
    const NAME: Result<(), InvalidPattern> = Err(InvalidPattern::Name);
    const STAR: Result<(), InvalidPattern> = Err(InvalidPattern::Star);
    const UPPER: Result<(), InvalidPattern> = Err(InvalidPattern::UpperCase);

    #[test]
    fn a_text_is_a_pattern_or_is_refused_with_a_reason() {
        let (long_user, long_service) = ("x".repeat(257), "x".repeat(256));
        for (text, user, service) in [
            ("alice", OK, OK),
            ("svc-*", OK, OK),
            ("*", OK, OK),
            ("jürgen", OK, OK),
            ("奈々", OK, OK),
            ("EXAMPLE\\alice", OK, UPPER),
            ("SSHD", OK, UPPER),
            ("", NAME, NAME),
            ("a:b", NAME, OK),
            ("a\nb", NAME, NAME),
            ("/etc/pam.d/sshd", NAME, NAME),
            ("../sshd", NAME, NAME),
            ("ss hd", OK, NAME),
            ("*-svc", STAR, STAR),
            ("a*b*", STAR, STAR),
            ("**", STAR, STAR),
            (&long_service, OK, NAME),
            (&long_user, NAME, NAME),
        ] {
            assert_eq!(UserPattern::parse(text).map(|_| ()), user, "user {text:?}");
            assert_eq!(ServicePattern::parse(text).map(|_| ()), service, "service {text:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        for (text, words) in [("a b", "nobody"), ("s*d", "at the end"), ("Sshd", "lower case")] {
            let said = alloc::format!("{}", ServicePattern::parse(text).unwrap_err());
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn patterns_fit_whole_names_and_sudo_is_sudo_i_too() {
        for (pattern, service, fits) in [
            ("sshd", "sshd", true),
            ("sshd", "sshd2", false),
            ("sshd", "ssh", false),
            ("sshd", "SSHD", false),
            ("ssh*", "sshd", true),
            ("ssh*", "ssh", true),
            ("ssh*", "xssh", false),
            ("*", "login", true),
            ("sudo", "sudo-i", true),
            ("sudo-i", "sudo", false),
            ("su", "su-l", true),
            ("su-l", "su", false),
            ("su", "sudo", false),
            ("su", "su-x", false),
        ] {
            let parsed = ServicePattern::parse(pattern).unwrap();
            assert_eq!(parsed.fits(service), fits, "{pattern} {service}");
        }
        let alice = UserPattern::parse("alice").unwrap();
        assert!(alice.fits("alice") && !alice.fits("Alice") && !alice.fits("alice2"));
    }

    #[test]
    fn a_wide_pattern_covers_narrow_ones() {
        for (wide, narrow, covers) in [
            ("sudo", "sudo", true),
            ("sudo", "sudo-i", true),
            ("sudo-i", "sudo", false),
            ("su*", "sudo", true),
            ("su*", "sud*", true),
            ("sud*", "su*", false),
            ("su", "su*", false),
            ("*", "*", true),
        ] {
            let [wide, narrow] = [wide, narrow].map(|text| ServicePattern::parse(text).unwrap());
            assert_eq!(wide.covers(&narrow), covers, "{wide:?} {narrow:?}");
        }
    }
}
