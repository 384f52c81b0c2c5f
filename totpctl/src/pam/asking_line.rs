//! The line by which a service asks for a code.

use pam_stack::parse::Kind;
use pam_stack::{Place, Rule, RuleKind, Stack, analyze};
use totpd_interface::ModuleOption;

use super::files::is_installed;
use super::module_options::denying_line;

/// What a service has of the second factor.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Asking {
    /// It asks.
    Line(AskingLine),
    /// It has a stack without such a line.
    NoLine,
    /// It has no stack that libpam can read.
    NoStack,
}

/// The line by which a service asks for a code.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct AskingLine {
    /// Its position.
    pub(crate) place: Place,
    /// Its options, as they are written.
    pub(crate) options: Vec<String>,
    /// Why it denies every login, if it does.
    pub(crate) denies: Option<String>,
    /// The flag that nobody gets in without a code, because no other line accepts.
    pub(crate) lets_nobody_by: bool,
}

impl Asking {
    /// Reads the stack of a service. `read` returns the text of a file of PAM.
    pub(crate) fn of(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, read) else {
            return Self::NoStack;
        };
        let line = rules.iter().find_map(|rule| match &rule.kind {
            RuleKind::Module { args, .. } if rule.is_factor() => Some((rule, args)),
            _ => None,
        });
        let Some((rule, args)) = line else {
            // libpam takes the stack of `other` for a service without one.
            return if read(service).is_some() { Self::NoLine } else { Self::NoStack };
        };
        Self::Line(AskingLine {
            place: rule.place.clone(),
            options: args.clone(),
            denies: denying_line(&rules, &is_installed).map(|(_, reason)| reason),
            lets_nobody_by: lets_nobody_by(&rules),
        })
    }
}

impl AskingLine {
    /// Returns the options, as the module reads them. It denies every login if it cannot.
    pub(crate) fn read_options(&self) -> Vec<ModuleOption<'_>> {
        let args: Vec<_> = self.options.iter().map(String::as_str).collect();
        ModuleOption::parse_line(&args).unwrap_or_default()
    }
}

/// Reports whether nobody gets in if the second factor ignores the login. `nullok` has it do so.
pub(crate) fn lets_nobody_by(rules: &[Rule]) -> bool {
    let mut ignoring = rules.to_vec();
    for rule in ignoring.iter_mut().filter(|rule| rule.is_factor()) {
        if let RuleKind::Module { args, .. } = &mut rule.kind {
            args.push("nullok".into());
        }
    }
    let analysis = analyze(&ignoring, &|_| true);
    !analysis.too_long && !analysis.skips_unenrolled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(stack: &'static str) -> Asking {
        Asking::of("x", &|name| (name == "x").then(|| stack.to_owned()))
    }

    #[test]
    fn a_line_that_stands_alone_lets_nobody_by() {
        for (stack, expected) in [
            ("auth required pam_totp.so\n", true),
            ("auth sufficient pam_totp.so\n", true),
            ("auth required pam_totp.so\nauth required pam_permit.so\n", false),
            ("auth required pam_unix.so\nauth required pam_totp.so nullok\n", false),
        ] {
            let Asking::Line(line) = asking(stack) else { panic!("{stack}") };
            assert_eq!(line.lets_nobody_by, expected, "{stack}");
        }
    }

    #[test]
    fn a_service_without_the_line_is_none_that_asks() {
        assert_eq!(asking("auth required pam_unix.so\n"), Asking::NoLine);
        assert_eq!(Asking::of("y", &|_| None), Asking::NoStack);
        let Asking::Line(line) =
            asking("auth required pam_unix.so\nauth required pam_totp.so quiet\n")
        else {
            panic!()
        };
        assert_eq!((line.place.line, line.read_options()), (2, vec![ModuleOption::Quiet]));
    }
}
